package lean

import (
	"fmt"
	"net/http"

	"pitstop/proxy"
	"pitstop/proxy/http1"
)

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
