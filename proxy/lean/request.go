package lean

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"pitstop/proxy"
	"pitstop/proxy/http1"
)

// readHead reads the request's head.
func (x *exchange) readHead() error {
	x.c.reading.set(&x.e.clock, x.e.cfg.Limits.HeadTime)
	defer x.c.reading.stop()
	for {
		if x.c.requests == 1 && x.e.isForeign(x.in) {
			return errForeign
		}
		done, err := x.req.Request(x.in, x.e.limits)
		if err != nil {
			x.logBad(err)
			return err
		}
		if done {
			x.headRead = true
			x.borrow()
			return nil
		}
		if err := x.more(1); err != nil {
			return x.headError(err)
		}
	}
}

// more reads more from the client, behind what has been read, with room for n bytes at least.
func (x *exchange) more(n int) error {
	if room := cap(x.in) - len(x.in); room < n {
		grown := make([]byte, len(x.in), max(2*cap(x.in), len(x.in)+n))
		copy(grown, x.in)
		x.in = grown
	}
	n, err := x.c.read(x.in[len(x.in):cap(x.in)])
	x.in = x.in[:len(x.in)+n]
	if n > 0 {
		return nil
	}
	return err
}

func (x *exchange) headError(err error) error {
	if errors.Is(err, errTimeout) && x.req.Started() {
		return proxy.ErrSlowHead
	}
	return fmt.Errorf("%w: %w", proxy.ErrClientGone, err) // and nobody is there to be answered
}

// logBad tells operators what is wrong with what a client sends.
func (x *exchange) logBad(err error) {
	if x.e.limit.allow() {
		x.e.cfg.Logger.Info("request refused", "client", x.c.peer, "status", proxy.StatusOf(err), "err", err)
	}
}

// identify finds the request's id, or makes one.
func (x *exchange) identify() {
	if id := x.onlyRequestID(); proxy.SaneID(id) {
		x.requestID = id
		return
	}
	x.requestID = proxy.NewID(x.ownID[:0])
}

// onlyRequestID is the id that the client gave, if it gave one.
func (x *exchange) onlyRequestID() (id []byte) {
	if !x.headRead || !x.req.HasField(http1.XRequestID) {
		return nil
	}
	for i := range x.req.Fields {
		if f := &x.req.Fields[i]; f.ID == http1.XRequestID {
			if id != nil {
				return nil
			}
			id = f.Value.In(x.in)
		}
	}
	return id
}

// writeRequest makes the child's request of the client's, in out: the same line and fields, less what concerns this
// connection only, and with the way that it came. A small body goes with it.
func (x *exchange) writeRequest() {
	req, in := &x.req, x.in
	b := append(x.out[:0], req.Method.In(in)...)
	b = append(append(append(b, ' '), req.Target.In(in)...), " HTTP/1.1\r\n"...)
	from, to := 0, 0 // lines that are taken over as they are
	for i := range req.Fields {
		f := &req.Fields[i]
		if x.dropsRequestField(f) {
			b = append(b, in[from:to]...)
			from, to = 0, 0
			continue
		}
		if from == to {
			from = int(f.Name.Start)
		}
		to = int(f.Next)
	}
	b = append(b, in[from:to]...)
	b = x.appendFraming(b)
	b = x.appendForwarded(b)
	if !x.keepsRequestID() {
		b = append(append(append(b, "X-Request-Id: "...), x.requestID...), "\r\n"...)
	}
	b = append(b, "\r\n"...)
	if x.plan.inOut = len(x.plan.bytes) > 0 && len(b)+len(x.plan.bytes) <= 2*outBuffer; x.plan.inOut {
		b = append(b, x.plan.bytes...)
	}
	x.out = b
}

// hopByHop are the fields that concern one connection (RFC 9110, 7.6.1), and those that httputil takes for such.
const hopByHop = 1<<http1.Connection | 1<<http1.KeepAlive | 1<<http1.ProxyConnection | 1<<http1.ProxyAuthenticate |
	1<<http1.ProxyAuthorization | 1<<http1.TE | 1<<http1.TransferEncoding | 1<<http1.Upgrade | 1<<http1.HTTP2Settings

// forwardedFields say which way a request came.
const forwardedFields = 1<<http1.Forwarded | 1<<http1.XForwardedFor | 1<<http1.XForwardedProto | 1<<http1.XForwardedPort | 1<<http1.XForwardedHost

// kept cannot be removed by naming them in Connection.
const kept = forwardedFields | 1<<http1.Host | 1<<http1.ContentLength | 1<<http1.XRequestID

func (x *exchange) dropsRequestField(f *http1.Field) bool {
	switch bit := uint32(1) << f.ID; {
	case bit&hopByHop != 0:
		return f.ID != http1.Upgrade || !x.plan.upgrade
	case f.ID == http1.Expect:
		return !x.plan.expect && http1.EqualFold(f.Value.In(x.in), "100-continue") // answered already
	case f.ID == http1.XRequestID:
		return !x.keepsRequestID()
	case bit&forwardedFields != 0:
		return x.fate(f.ID) != proxy.Pass
	case x.req.Nominated && bit&kept == 0:
		return x.req.Nominates(x.in, f.Name.In(x.in))
	}
	return false
}

func (x *exchange) keepsRequestID() bool {
	return len(x.requestID) > 0 && &x.requestID[0] != &x.ownID[0]
}

// appendFraming says again what concerns the connection to the child.
func (x *exchange) appendFraming(b []byte) []byte {
	if !x.req.HasField(http1.Host) {
		b = append(b, "Host: \r\n"...) // HTTP/1.1 wants one, HTTP/1.0 had none
	}
	if x.req.Chunked {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if x.plan.upgrade {
		b = append(b, "Connection: Upgrade\r\n"...)
	}
	if te := x.req.Find(x.in, http1.TE); te != nil && takesTrailers(te) {
		b = append(b, "TE: trailers\r\n"...)
	}
	return b
}

func takesTrailers(te []byte) (found bool) {
	http1.Tokens(te, func(token []byte) bool {
		found = http1.EqualFold(token, "trailers")
		return !found
	})
	return found
}

// fate says what becomes of a field that tells the request's way.
func (x *exchange) fate(id http1.ID) proxy.Fate {
	return x.e.cfg.Forwarded.Fate(id == http1.XForwardedFor, x.req.HasField(id), x.c.private)
}

// appendForwarded writes what the engine has to say of the way.
func (x *exchange) appendForwarded(b []byte) []byte {
	for i, id := range [...]http1.ID{http1.XForwardedFor, http1.XForwardedProto, http1.XForwardedPort} {
		switch x.fate(id) {
		case proxy.Replace:
			b = append(b, x.c.forwarded[i]...)
		case proxy.Extend:
			b = x.appendForwardedFor(b)
		}
	}
	return b
}

// appendForwardedFor writes all that was said of the way, and the peer behind it.
func (x *exchange) appendForwardedFor(b []byte) []byte {
	b = append(b, "X-Forwarded-For: "...)
	for i := range x.req.Fields {
		if f := &x.req.Fields[i]; f.ID == http1.XForwardedFor {
			b = append(append(b, f.Value.In(x.in)...), ", "...)
		}
	}
	return append(b, x.c.forwarded[0][len("X-Forwarded-For: "):]...)
}

// isHealth says whether it is the engine's own health that is asked for.
func (x *exchange) isHealth() bool {
	path := x.e.cfg.HealthPath
	target := x.req.Target.In(x.in)
	return path != "" && len(target) >= len(path) && string(target[:len(path)]) == path && (len(target) == len(path) || target[len(path)] == '?')
}

// health answers for the load balancer.
func (x *exchange) health() bool {
	status, body := x.e.cfg.HealthAnswer(x.e.lameDuck.Load())
	x.again = !x.req.Close && !x.e.lameDuck.Load() && !x.req.Chunked && x.req.Length <= 0
	x.plan.end, x.plan.whole = x.req.Size, x.again || !x.req.Chunked && x.req.Length <= 0
	b := fmt.Appendf(x.out[:0], "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nContent-Length: %d\r\n",
		status, http.StatusText(status), len(body))
	b = append(x.appendConnection(b), "\r\n"...)
	if !bytes.Equal(x.req.Method.In(x.in), []byte(http.MethodHead)) {
		b = append(b, body...)
	}
	if err := x.c.write(b); err != nil {
		x.again = false
	}
	return x.again
}
