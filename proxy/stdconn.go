package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"pitstop/proxy/http1"
)

// stdConn is a client's connection under net/http, which closes silently where a head does not come in time, and refuses
// what it cannot parse without asking anybody. Here both become failures like the engine's others.
type stdConn struct {
	net.Conn
	stall  time.Duration // bounds each write
	refuse func(c *stdConn, status int, err error) error

	first    atomic.Int64 // when the first byte of the head under way was read, in Unix nanoseconds; 0: none was
	busy     atomic.Bool  // a request is with the handler
	timedOut atomic.Bool  // the last read was
}

type stdConnKey struct{}

// connContext puts the connection where the handler finds it.
func connContext(ctx context.Context, c net.Conn) context.Context {
	if s := underStd(c); s != nil {
		return context.WithValue(ctx, stdConnKey{}, s)
	}
	return ctx
}

func underStd(c net.Conn) *stdConn {
	switch c := c.(type) {
	case *stdConn:
		return c
	case *stdTLSConn:
		return c.stdConn
	}
	return nil
}

// begin says that the handler has a request, and returns when its first byte came.
func (c *stdConn) begin() time.Time {
	if c == nil {
		return time.Now()
	}
	c.busy.Store(true)
	if first := c.first.Load(); first != 0 {
		return time.Unix(0, first)
	}
	return time.Now()
}

// idle says that the last answer has been written.
func (c *stdConn) idle() {
	c.first.Store(0)
	c.busy.Store(false)
}

// Read implements net.Conn.
func (c *stdConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.busy.Load() {
		c.first.CompareAndSwap(0, time.Now().UnixNano())
	}
	c.timedOut.Store(err != nil && errors.Is(err, os.ErrDeadlineExceeded))
	return n, err
}

// Write implements net.Conn. What is written while no request is with the handler is net/http's own refusal.
func (c *stdConn) Write(p []byte) (int, error) {
	if c.stall > 0 {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(c.stall))
	}
	status := refusedWith(p)
	switch {
	case status == 0 || c.busy.Swap(true):
		return c.Conn.Write(p)
	case c.timedOut.Load(): // net/http may take what came for a whole line, a malformed one
		return len(p), c.refuse(c, http.StatusRequestTimeout, errSlowHead)
	default:
		return len(p), c.refuse(c, status, &http1.Error{Status: status, Reason: "the request's head cannot be understood"})
	}
}

// refusedWith is the status of an HTTP/1 response that begins here, 0 if none does.
func refusedWith(p []byte) int {
	line, ok := strings.CutPrefix(string(p[:min(len(p), len("HTTP/1.1 400"))]), "HTTP/1.1 ")
	if status, err := strconv.Atoi(line); ok && err == nil && status >= 400 {
		return status
	}
	return 0
}

// Close implements net.Conn.
func (c *stdConn) Close() error {
	if c.timedOut.Load() && c.first.Load() != 0 && !c.busy.Swap(true) {
		_ = c.refuse(c, http.StatusRequestTimeout, errSlowHead)
	}
	return c.Conn.Close()
}

// CloseWrite is what net/http looks for where it lingers.
func (c *stdConn) CloseWrite() error { return halfClose(c.Conn) }

func halfClose(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// stdTLSConn is one whose handshake has been made. It is told from those in the clear by ConnectionState, which net/http
// looks for.
type stdTLSConn struct {
	*stdConn
	secure *tls.Conn
}

// ConnectionState makes Request.TLS.
func (c *stdTLSConn) ConnectionState() tls.ConnectionState { return c.secure.ConnectionState() }
