package proxy

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"sync"
	"syscall"
)

// childConn is a connection to a child that speaks HTTP/1.1. A child may answer a request before it has read it whole, and
// close; the transport would then report that it could not write, and drop the answer that lies in the receive buffer. So
// once a part of a request is written, the failure to write the rest is kept back: reading tells the truth of it, be it an
// answer or that the connection is lost.
type childConn struct {
	net.Conn

	mu      sync.Mutex
	written bool // a part of the request under way
	lost    bool // the rest of it goes nowhere
}

// begin says that a request is about to be written.
func (c *childConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written, c.lost = false, false
}

// Write implements net.Conn.
func (c *childConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	written, lost := c.written, c.lost
	c.mu.Unlock()
	if lost {
		return len(p), nil
	}
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written = c.written || n > 0
	if written && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) {
		c.lost = true
		return len(p), nil
	}
	return n, err
}

// traced tells the connection that a request with this context will take where it begins. Traces are changed where they
// are put into a context, so each request has its own.
func traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if c, ok := info.Conn.(*childConn); ok {
			c.begin()
		}
	}})
}
