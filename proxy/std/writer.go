package std

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"time"

	"pitstop/proxy"
)

// errEarlyUpgrade is a change of protocol in the middle of a request (RFC 9110, 7.8, lets clients speak the other one only
// behind it): the body and the tunnel would be read from the same connection.
var errEarlyUpgrade = errors.New("the app changes the protocol before the request's end")

// writer is the way back to the client: it counts, and leaves nobody waiting for ever for a client that takes nothing.
type writer struct {
	http.ResponseWriter
	flight   *flight
	request  *http.Request
	body     *clientBody // nil: there is none, or it is the server's
	lameDuck func() bool
	stall    time.Duration // bounds a write to an HTTP/2 stream; one to a connection is bounded there
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	h := w.Header()
	switch {
	case status == http.StatusContinue:
		return // the server says so itself, when the body is asked for
	case status < 200:
		for _, field := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Content-Length"} {
			delete(h, field)
		}
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.flight.answered(status)
	// Set to nil, so that net/http adds none that the child did not send.
	for _, field := range []string{"Content-Type", "Date"} {
		if _, ok := h[field]; !ok {
			h[field] = nil
		}
	}
	// For HTTP/2 the server makes GOAWAY of it.
	if w.lameDuck() || w.request.ProtoMajor == 1 && w.unread() {
		h.Set("Connection", "close")
	}
	w.ResponseWriter.WriteHeader(status)
}

// unread says that the client's body has not been read to its end: the connection ends with this answer. Most likely
// nobody wants the rest; and where net/http does not read it before the answer, it takes what is behind a malformed
// body for a request.
func (w *writer) unread() bool {
	if w.body != nil {
		return !w.body.whole.Load()
	}
	return w.request.ContentLength > 0
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	defer w.bound()()
	n, err := w.ResponseWriter.Write(p)
	w.flight.sent.Add(int64(n))
	return n, w.note(err)
}

// FlushError is what http.ResponseController calls. Where there is no body the head is left to the handler's return, which
// ends an HTTP/2 stream with it: httputil flushes every head that is not followed at once, and an end in a frame of its
// own behind it is no longer what gRPC calls Trailers-Only.
func (w *writer) FlushError() error {
	if w.flight.bodiless.Load() {
		return nil
	}
	defer w.bound()()
	return w.note(w.flight.rc.Flush())
}

// Hijack is what http.ResponseController calls: the connection becomes a tunnel.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.unread() {
		return nil, nil, errEarlyUpgrade
	}
	conn, rw, err := w.flight.rc.Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.flight.answered(http.StatusSwitchingProtocols)
	return &hijacked{Conn: conn, flight: w.flight}, rw, nil
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// bound cuts an HTTP/2 stream whose client opens no window, unless the returned function is called in time. A deadline
// would cut it even while nothing is written.
func (w *writer) bound() (done func()) {
	if w.request.ProtoMajor == 1 || w.stall <= 0 {
		return func() {}
	}
	timer := time.AfterFunc(w.stall, func() { w.flight.setWriteDeadline(time.Unix(1, 0)) })
	return func() { timer.Stop() }
}

// last bounds what the server itself writes of an HTTP/2 stream once the handler has returned.
func (w *writer) last() {
	if w.request.ProtoMajor > 1 && w.stall > 0 && w.flight.sent.Load() > 0 {
		w.flight.setWriteDeadline(time.Now().Add(w.stall))
	}
}

func (w *writer) note(err error) error {
	if err != nil {
		w.flight.failed(proxy.ErrClientGone)
	}
	return err
}

// hijacked counts what goes through a tunnel.
type hijacked struct {
	net.Conn
	flight *flight
}

// Read implements net.Conn.
func (c *hijacked) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.flight.received.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (c *hijacked) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.flight.sent.Add(int64(n))
	return n, err
}

// CloseWrite passes on that the child has nothing more to say.
func (c *hijacked) CloseWrite() error { return halfClose(c.Conn) }
