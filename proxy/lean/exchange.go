package lean

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
	"pitstop/proxy/http1"
)

// exchangeState is what begins anew with each request.
type exchangeState struct {
	asked    drain.Ask
	visit    drain.Visit
	visiting bool
	up       *upstream
	plan     bodyPlan
	upload   *upload

	children  int           // how many it was sent to and got no answer from
	sentHere  bool          // to the child of this visit
	interims  int           // how many interim responses were passed on
	answered  bool          // a byte of a response was read
	responded bool          // a byte of the response was written to the client
	foreign   bool          // the connection is for the other engine
	again     bool          // the client's connection goes on after this
	keep      time.Duration // how long the connection to the child may be idle after this
	endless   *endless      // a stream or a tunnel; nil: neither

	// requestID is what the child is told; part of in, or of ownID.
	requestID []byte
	seen      proxy.Exchange // for the observer
	began     time.Time
}

// run carries one request, and says whether the connection goes on.
func (x *exchange) run() bool {
	x.begin()
	err := x.readHead()
	if err == errForeign {
		x.foreign = true
		return false
	}
	if err == nil {
		if x.isHealth() {
			return x.health()
		}
		err = x.carry()
	}
	if err != nil {
		x.fail(err)
	}
	x.leave(false)
	x.observe(err)
	return x.again
}

// carry has the request answered by a child.
func (x *exchange) carry() error {
	x.identify()
	if err := x.planBody(); err != nil {
		return err
	}
	defer x.forgetBody()
	if err := x.enter(); err != nil {
		return err
	}
	x.writeRequest()
	x.c.expecting(x.req.Minor == 1)
	if err := x.ask(); err != nil {
		return err
	}
	return x.relay()
}

// enter asks to be let in.
func (x *exchange) enter() error {
	x.asked = drain.Ask{Kind: x.plan.kind(), Buffered: len(x.plan.bytes), Replayable: x.replayable()}
	gate := x.e.cfg.Gate
	visit, ok := gate.TryEnter(x.asked)
	if !ok {
		start := time.Now()
		err := x.c.held(func(ctx context.Context) (err error) {
			visit, err = gate.Enter(ctx, x.asked)
			return err
		})
		x.seen.Held = time.Since(start)
		if err != nil {
			return &proxy.Refusal{Err: err}
		}
	}
	x.visit, x.visiting = visit, true
	return nil
}

// replayable says whether the request may be sent a second time if its child dies.
func (x *exchange) replayable() bool {
	return x.plan.whole && !x.plan.upgrade && isIdempotent(x.req.Method.In(x.in))
}

// ask sends the request until a response begins, or it must not be sent again.
func (x *exchange) ask() error {
	fresh := false
	for {
		err := x.attempt(fresh)
		if err == nil {
			return nil
		}
		next, err := x.resend(err)
		switch next {
		case giveUp:
			return err
		case anew:
			fresh = true
		case elsewhere:
			if err := x.retry(); err != nil {
				return err
			}
			fresh = false
		}
	}
}

// resend says what to do after an attempt that failed with err, and the error to give up with.
func (x *exchange) resend(err error) (resend, error) {
	if err == errLoud { // a new one
		err = &notAnswered{err: err}
	}
	var failed *notAnswered
	if !errors.As(err, &failed) {
		return giveUp, err
	}
	used := x.up != nil && x.up.used
	x.drop()
	if x.c.isGone() {
		return giveUp, proxy.ErrClientGone
	}
	if fault := x.upload.failed(); fault != nil {
		return giveUp, fault
	}
	if failed.sent && !x.sentHere {
		x.sentHere = true
		x.children++
	}
	x.e.cfg.Logger.Debug("request not answered", "backend", x.visit.Backend().Addr, "err", failed.err)
	next := resendOf(attempt{
		Idempotent: isIdempotent(x.req.Method.In(x.in)), Whole: x.plan.whole || x.upload == nil, Upgrade: x.plan.upgrade,
		Sent: failed.sent, Used: used, Children: x.children,
	})
	x.seen.Replayed = x.seen.Replayed || failed.sent && next != giveUp
	return next, err
}

// retry goes to another child, if this one has died.
func (x *exchange) retry() error {
	x.visiting = false // Retry leaves it
	start := time.Now()
	err := x.c.held(func(ctx context.Context) (err error) {
		visit, err := x.e.cfg.Gate.Retry(ctx, x.visit)
		if err == nil {
			x.visit, x.visiting, x.sentHere = visit, true, false
		}
		return err
	})
	x.seen.Held += time.Since(start)
	if err != nil {
		return &proxy.Refusal{Err: err}
	}
	return nil
}

// attempt sends the request to the visit's child and reads the head of its response. It fails with *notAnswered
// before the first byte of one.
func (x *exchange) attempt(fresh bool) error {
	x.back = x.back[:0]
	x.resp.Reset()
	if limit := x.e.cfg.Limits.ResponseTime; limit > 0 {
		if x.plan.whole || x.plan.expect { // else the upload sets it
			x.c.waiting.set(&x.e.clock, limit)
		}
		defer x.heard()
	}
	for {
		up, err := x.e.poolFor(x.visit.Backend()).take(fresh)
		if err != nil {
			return &notAnswered{err: err}
		}
		x.up = up
		if err := x.c.carrying(up); err != nil {
			return err
		}
		err = x.send()
		if err == errLoud && up.used {
			x.drop()
			continue
		}
		if err != nil {
			return err
		}
		return x.readResponse()
	}
}

// heard says that the child has answered, or will not.
func (x *exchange) heard() {
	if x.upload != nil {
		x.upload.heard.Store(true)
	}
	x.c.waiting.stop()
}

// send writes the request. One that is in one piece is asked at once, and then the first bytes of its response are read
// too. A body that is not whole is written by an upload, while the response is read.
func (x *exchange) send() error {
	if x.plan.whole && (x.plan.inOut || len(x.plan.bytes) == 0) {
		n, err := x.up.ask(x.out, x.back[:cap(x.back)], x.stop)
		x.back, x.answered = x.back[:n], n > 0
		return err
	}
	if !x.up.wire.quiet() {
		return errLoud
	}
	n, err := x.up.Write(x.out)
	if err == nil && len(x.plan.bytes) > 0 {
		var more int
		more, err = x.up.Write(x.plan.bytes)
		n += more
	}
	switch {
	case err != nil && n == 0:
		return &notAnswered{err: err} // the child had closed it
	case err == nil && !x.plan.whole:
		x.upload = x.startUpload()
	}
	// A child that closes after a part of the request may have answered it all the same.
	return nil
}

// leave ends the visit and lets the connection to the child go: into the pool if it can carry another request.
func (x *exchange) leave(reusable bool) {
	if up := x.up; up != nil {
		x.up = nil
		_ = x.c.carrying(nil)
		if reusable && !x.c.isGone() {
			up.pool.put(up, x.keep)
		} else {
			_ = up.Close()
		}
	}
	if x.visiting {
		x.visiting = false
		x.visit.Leave()
	}
}

// drop closes the connection to the child; the visit goes on.
func (x *exchange) drop() {
	if up := x.up; up != nil {
		x.up = nil
		_ = x.c.carrying(nil)
		_ = up.Close()
	}
	x.stopUpload()
}

// fail answers a request that no child has answered, or cuts a response that cannot be ended.
func (x *exchange) fail(err error) {
	if x.c.isGone() {
		err = proxy.ErrClientGone
	}
	x.drop()
	x.leave(false)
	x.again = false
	status := proxy.StatusOf(err)
	x.e.cfg.Logger.Debug("request failed", "status", status, "err", err)
	if status == proxy.StatusClientGone {
		x.seen.Status = status
		return
	}
	if x.responded {
		return // the client sees that there is more to come, and that it does not
	}
	x.seen.Status = status
	x.refuse(status)
}

// refuse writes the engine's own answer.
func (x *exchange) refuse(status int) {
	whole := x.plan.whole && x.headRead && status != http.StatusBadRequest
	x.again = whole && !x.req.Close && !x.e.lameDuck.Load()
	toHEAD := x.headRead && string(x.req.Method.In(x.in)) == http.MethodHead
	contentType, body := proxy.FailureBody(status, string(x.accept()))
	b := fmt.Appendf(x.out[:0], "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n", status, http.StatusText(status), contentType, len(body))
	if status == http.StatusServiceUnavailable {
		b = append(append(append(b, "Retry-After: "...), proxy.RetryAfter(x.e.cfg.RetryAfter)...), "\r\n"...)
	}
	if x.requestID == nil {
		x.identify()
	}
	b = append(append(append(b, "X-Request-Id: "...), x.requestID...), "\r\n"...)
	b = append(x.appendConnection(b), "\r\n"...)
	if !toHEAD {
		b = append(b, body...)
	}
	x.out = b
	x.c.responding()
	if err := x.c.write(b); err != nil {
		x.again = false
	}
}

func (x *exchange) accept() []byte {
	if !x.headRead {
		return nil
	}
	return x.req.Find(x.in, http1.Accept)
}

// appendConnection says what becomes of the client's connection.
func (x *exchange) appendConnection(b []byte) []byte {
	switch {
	case !x.again:
		return append(b, "Connection: close\r\n"...)
	case x.req.Minor == 0:
		return append(b, "Connection: keep-alive\r\n"...)
	}
	return b
}
