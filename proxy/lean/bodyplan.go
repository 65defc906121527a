package lean

import (
	"errors"
	"fmt"

	"pitstop/drain"
	"pitstop/proxy"
	"pitstop/proxy/http1"
)

// bodyPlan is what becomes of a request's body: either it is whole in memory before the request asks to be let in, or it
// is sent on while it comes.
type bodyPlan struct {
	whole bool
	// bytes are the body as it is sent, with its chunk framing; part of the exchange's in.
	bytes []byte
	// inOut: they are written together with the head.
	inOut bool
	// end is where the next request begins.
	end int
	// budgeted is what was taken from the budget for it.
	budgeted int64
	// expect: the client waits to be told to go on, and the child is asked.
	expect bool
	// upgrade: a tunnel is asked for.
	upgrade bool
}

// planBody reads a small body, so that a slow uploader is not with the child. One that is larger, or of unknown length
// (it may be one side of a conversation), is left to an upload.
func (x *exchange) planBody() error {
	req, p := &x.req, &x.plan
	p.end = req.Size
	switch {
	case req.Chunked:
		return x.planChunked()
	case req.Length <= 0:
		p.whole = true
		p.upgrade = x.asksForTunnel()
		return nil
	}
	limits := &x.e.cfg.Limits
	if limits.Body > 0 && req.Length > limits.Body {
		return proxy.ErrLargeBody
	}
	have := int64(len(x.in) - req.Size)
	if have < req.Length && !x.affordable(req.Length) {
		p.end = len(x.in)
		p.expect = x.expects()
		return nil
	}
	if have < req.Length && x.expects() {
		if err := x.c.write([]byte(interim)); err != nil {
			return fmt.Errorf("%w: %w", proxy.ErrClientGone, err)
		}
	}
	if err := x.readBody(req.Size + int(req.Length)); err != nil {
		return err
	}
	p.whole, p.end = true, req.Size+int(req.Length)
	p.bytes = x.in[req.Size:p.end]
	x.seen.Received = req.Length
	return nil
}

// affordable takes memory for a body that is to be read ahead, if it is small enough and there is some.
func (x *exchange) affordable(size int64) bool {
	if size > int64(x.e.cfg.ReplayBuffer) || !x.e.budget.Take(size) {
		return false
	}
	x.plan.budgeted = size
	return true
}

// forgetBody gives the memory back.
func (x *exchange) forgetBody() {
	if x.plan.budgeted > 0 {
		x.e.budget.Give(x.plan.budgeted)
		x.plan.budgeted = 0
	}
}

// readBody reads until in has size bytes.
func (x *exchange) readBody(size int) error {
	defer x.c.reading.stop()
	for len(x.in) < size {
		x.c.reading.set(&x.e.clock, x.e.cfg.Limits.BodyTime)
		if err := x.more(size - len(x.in)); err != nil {
			return bodyError(err)
		}
	}
	return nil
}

func bodyError(err error) error {
	if errors.Is(err, errTimeout) {
		return proxy.ErrSlowBody
	}
	return fmt.Errorf("%w: %w", proxy.ErrBadBody, cutShort(err))
}

// planChunked takes a body that has arrived whole with its head, and leaves others to an upload. Bad framing is found
// before anybody is asked to be let in, as far as it has come.
func (x *exchange) planChunked() error {
	p := &x.plan
	p.end, p.expect = len(x.in), x.expects()
	var follow http1.Chunked
	rest := x.in[x.req.Size:]
	n, data, done, err := follow.Advance(rest)
	if err != nil {
		x.logBad(err)
		return err
	}
	if limit := x.e.cfg.Limits.Body; limit > 0 && data > limit {
		return proxy.ErrLargeBody
	}
	if done && len(rest) >= n+2 && rest[n] == '\r' && rest[n+1] == '\n' { // and no trailers
		p.whole, p.expect, p.end = true, false, x.req.Size+n+2
		p.bytes = x.in[x.req.Size:p.end]
		x.seen.Received = data
	}
	return nil
}

// expects says whether the client waits to be told to send its body (RFC 9110, 10.1.1), and has sent none of it.
func (x *exchange) expects() bool {
	return x.req.HasField(http1.Expect) && x.req.Minor == 1 && len(x.in) == x.req.Size &&
		http1.EqualFold(x.req.Find(x.in, http1.Expect), "100-continue")
}

// asksForTunnel says whether the request asks for another protocol that is the app's business. HTTP/2 is not: what
// came behind it would be requests that nobody here has seen.
func (x *exchange) asksForTunnel() bool {
	if !x.req.Upgrade || !x.req.HasField(http1.Upgrade) || x.req.Minor == 0 {
		return false
	}
	ok := true
	http1.Tokens(x.req.Find(x.in, http1.Upgrade), func(token []byte) bool {
		ok = !http1.EqualFold(token, "h2c") && !http1.EqualFold(token, "h2")
		return ok
	})
	return ok
}

// kind is what the visit counts as at first.
func (p *bodyPlan) kind() drain.Kind {
	if p.whole {
		return drain.Request
	}
	return drain.Upload
}
