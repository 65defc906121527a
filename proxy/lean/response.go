package lean

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"pitstop/drain"
	"pitstop/proxy"
	"pitstop/proxy/http1"
)

const (
	// maxResponseHead bounds a response's head; Go's own client takes ten times that, nginx much less.
	maxResponseHead = 1 << 20
	// maxInterims bounds the interim responses to one request.
	maxInterims = 100
)

var responseLimits = http1.Limits{Bytes: maxResponseHead, Fields: 10_000}

// childStops says why reading from the child must stop, when a deadline was met.
func (x *exchange) childStops() error {
	switch {
	case x.c.waiting.rang():
		return proxy.ErrNoResponse
	case x.endless.isEnding():
		return errEnding
	case x.c.isGone():
		return proxy.ErrClientGone
	}
	return nil
}

// readResponse reads the head of the response, of which the first bytes may be there, and passes interim ones on.
func (x *exchange) readResponse() error {
	for first := len(x.back) > 0; ; first = false {
		if !first {
			if err := x.moreBack(); err != nil {
				return err
			}
		}
		for {
			done, err := x.resp.Response(x.back, responseLimits)
			if err != nil {
				return fmt.Errorf("%w: %w", proxy.ErrBadResponse, err)
			}
			if !done {
				break
			}
			if x.resp.Status >= 200 || x.resp.Status == http.StatusSwitchingProtocols {
				return x.checkResponse()
			}
			if err := x.interim(); err != nil {
				return err
			}
		}
	}
}

// moreBack reads more from the child, behind what is in back.
func (x *exchange) moreBack() error {
	if len(x.back) == cap(x.back) {
		grown := make([]byte, len(x.back), 2*cap(x.back))
		copy(grown, x.back)
		x.back = grown
	}
	n, err := x.up.read(x.back[len(x.back):cap(x.back)], x.stop)
	x.back = x.back[:len(x.back)+n]
	switch {
	case n > 0:
		x.answered = true
		return nil
	case errors.Is(err, proxy.ErrNoResponse), errors.Is(err, proxy.ErrClientGone):
		return err
	case x.answered:
		return fmt.Errorf("%w: %w", proxy.ErrBadResponse, cutShort(err))
	}
	return &notAnswered{err: err, sent: true}
}

// checkResponse looks at the response beside the request.
func (x *exchange) checkResponse() error {
	if x.resp.Status == http.StatusSwitchingProtocols && !(x.plan.upgrade && x.askedFor(x.resp.Find(x.back, http1.Upgrade))) {
		return fmt.Errorf("%w: a protocol that was not asked for", proxy.ErrBadResponse)
	}
	x.keep = keepIdle(x.resp.KeepAliveTimeout(x.back))
	return nil
}

// askedFor says whether the client named this protocol in its Upgrade.
func (x *exchange) askedFor(protocol []byte) (found bool) {
	http1.Tokens(x.req.Find(x.in, http1.Upgrade), func(token []byte) bool {
		found = bytes.EqualFold(token, protocol)
		return !found
	})
	return found
}

// interim passes an interim response on (RFC 9110, 15.2), except to HTTP/1.0, which knows none.
func (x *exchange) interim() error {
	if x.interims++; x.interims > maxInterims {
		return fmt.Errorf("%w: more than %d interim responses", proxy.ErrBadResponse, maxInterims)
	}
	if x.upload != nil && x.resp.Status == http.StatusContinue {
		x.upload.continued.Store(true)
		if !x.upload.began.Load() {
			x.c.waiting.stop() // it is the client's turn
		}
		x.c.reading.set(&x.e.clock, x.e.cfg.Limits.BodyTime)
	}
	if x.req.Minor == 1 {
		b := x.appendStatus(nil)
		b = x.appendResponseFields(b, 1<<http1.ContentLength)
		if err := x.c.write(append(b, "\r\n"...)); err != nil {
			return fmt.Errorf("%w: %w", proxy.ErrClientGone, err)
		}
	}
	x.back = x.back[:copy(x.back, x.back[x.resp.Size:])]
	x.resp.Reset()
	return nil
}

// relay writes the response to the client while it reads it from the child.
func (x *exchange) relay() error {
	x.seen.Status, x.seen.Backend = x.resp.Status, x.visit.Backend().Addr
	if x.resp.Status == http.StatusSwitchingProtocols {
		return x.tunnel()
	}
	x.c.responding()
	x.again = !x.req.Close && !x.e.lameDuck.Load() && !(x.plan.expect && !x.upload.continued.Load() && !x.upload.began.Load())
	r := x.newRelay()
	rest := x.back[x.resp.Size:]
	piece, done, err := r.piece(rest)
	if err != nil {
		return err
	}
	x.writeHead(r)
	x.seen.Sent = int64(len(piece))
	if len(piece) > 0 && len(x.out)+len(piece) <= cap(x.back)+outBuffer {
		x.out, piece = append(x.out, piece...), nil
	}
	if done && x.upload == nil { // before the client has it: the next request needs the connection
		x.leave(r.reusable())
	}
	if isEventStream(x.resp.Find(x.back, http1.ContentType)) && !done {
		x.becomeEndless(drain.Stream)
		defer x.endless.over()
	}
	x.responded = true
	if err := x.writeClient(x.out, piece); err != nil {
		return err
	}
	if !done {
		if err := r.run(); err != nil {
			return err
		}
	}
	if x.visiting {
		x.leave(x.finishUpload() && r.reusable())
	}
	return nil
}

// writeClient writes a head, or nothing, and a piece of the body.
func (x *exchange) writeClient(head, piece []byte) error {
	for _, p := range [...][]byte{head, piece} {
		if len(p) == 0 {
			continue
		}
		if err := x.c.write(p); err != nil {
			return fmt.Errorf("%w: %w", proxy.ErrClientGone, err)
		}
	}
	return nil
}

// writeHead makes the client's head of the child's, in out.
func (x *exchange) writeHead(r *relay) {
	drops := uint32(0)
	if r.mode == toChunks || r.mode == fromChunks || r.mode == chunks || x.resp.Status == http.StatusNoContent {
		drops = 1 << http1.ContentLength
	}
	b := x.appendResponseFields(x.appendStatus(x.out[:0]), drops)
	switch {
	case r.mode == chunks, r.mode == toChunks, r.mode == none && x.resp.Chunked && x.req.Minor == 1 && x.resp.Status != http.StatusNoContent:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if x.resp.Status == http.StatusUpgradeRequired && x.again && x.resp.HasField(http1.Upgrade) {
		b = append(b, "Connection: Upgrade\r\n"...)
	}
	x.out = append(x.appendConnection(b), "\r\n"...)
}

func (x *exchange) appendStatus(b []byte) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(x.resp.Status), 10)
	b = append(b, ' ')
	return append(append(b, x.resp.Reason.In(x.back)...), "\r\n"...)
}

// appendResponseFields takes the fields over, less what concerns the connection to the child, and those that
// drops has a bit for.
func (x *exchange) appendResponseFields(b []byte, drops uint32) []byte {
	from, to := 0, 0 // lines that are taken over as they are
	for i := range x.resp.Fields {
		f := &x.resp.Fields[i]
		if x.dropsResponseField(f, drops) {
			b = append(b, x.back[from:to]...)
			from, to = 0, 0
			continue
		}
		if from == to {
			from = int(f.Name.Start)
		}
		to = int(f.Next)
	}
	return append(b, x.back[from:to]...)
}

func (x *exchange) dropsResponseField(f *http1.Field, drops uint32) bool {
	switch bit := uint32(1) << f.ID; {
	case bit&drops != 0:
		return true
	case f.ID == http1.Upgrade:
		return x.resp.Status != http.StatusSwitchingProtocols && x.resp.Status != http.StatusUpgradeRequired
	case bit&hopByHop != 0:
		return true
	case x.resp.Nominated && f.ID != http1.ContentLength:
		return x.resp.Nominates(x.back, f.Name.In(x.back))
	}
	return false
}

func isEventStream(contentType []byte) bool {
	const want = "text/event-stream"
	if len(contentType) < len(want) || !http1.EqualFold(contentType[:len(want)], want) {
		return false
	}
	return len(contentType) == len(want) || contentType[len(want)] == ';' || contentType[len(want)] == ' '
}
