package std

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"pitstop/proxy"
)

// lastGreeting is what clients have to say their first word when a drain begins.
const lastGreeting = time.Second

// acceptor brings the connections of several listeners to one http.Server, so that it knows all of them at its end.
type acceptor struct {
	feed     chan net.Conn
	closed   chan struct{}
	clear    func(net.Conn) net.Conn  // dresses a connection in the clear
	secure   func(*tls.Conn) net.Conn // and one whose handshake has been made
	tls      *tls.Config              // nil: all are in the clear
	patience time.Duration            // bounds the first byte and the handshake

	mu        sync.Mutex
	draining  bool
	listeners map[net.Listener]bool
	greeting  map[net.Conn]bool // of which nothing is known yet
	greeters  sync.WaitGroup
}

func newAcceptor(cfg proxy.Config, refuse func(*stdConn, int, error) error) *acceptor {
	a := &acceptor{
		feed: make(chan net.Conn), closed: make(chan struct{}), patience: cfg.Limits.HeadTime,
		listeners: make(map[net.Listener]bool), greeting: make(map[net.Conn]bool),
	}
	dress := func(c net.Conn) *stdConn { return &stdConn{Conn: c, stall: cfg.Limits.BodyTime, refuse: refuse} }
	a.clear = func(c net.Conn) net.Conn { return dress(c) }
	a.secure = func(c *tls.Conn) net.Conn {
		if c.ConnectionState().NegotiatedProtocol == "h2" {
			return c // by which type net/http knows what to do
		}
		return &stdTLSConn{dress(c), c}
	}
	if cfg.TLS != nil {
		a.tls = cfg.TLS.Clone()
		a.tls.NextProtos = []string{"h2", "http/1.1"}
	}
	return a
}

// serve accepts from ln until it is closed or fails.
func (a *acceptor) serve(ln net.Listener) error {
	if !a.track(ln) {
		return nil
	}
	defer a.untrack(ln)
	for pause := time.Duration(0); ; {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			pause = 0
			a.take(conn)
		case errors.Is(err, net.ErrClosed):
			return nil
		case proxy.IsTemporary(err): // no descriptor is free for a moment
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(pause):
			case <-a.closed:
				return nil
			}
		default:
			return err
		}
	}
}

func (a *acceptor) track(ln net.Listener) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.draining {
		_ = ln.Close()
		return false
	}
	a.listeners[ln] = true
	return true
}

func (a *acceptor) untrack(ln net.Listener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.listeners, ln)
}

// take serves a connection. It never waits for what the client has to say.
func (a *acceptor) take(conn net.Conn) {
	if a.tls == nil {
		a.give(a.clear(conn))
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.draining {
		_ = conn.Close()
		return
	}
	a.greeting[conn] = true
	a.greeters.Go(func() { a.greet(conn) })
}

// greet finds out whether the client speaks TLS, and makes the handshake.
func (a *acceptor) greet(conn net.Conn) {
	if a.patience > 0 {
		_ = conn.SetDeadline(time.Now().Add(a.patience))
	}
	var first [1]byte
	if _, err := io.ReadFull(conn, first[:]); err != nil {
		a.greeted(conn)
		_ = conn.Close()
		return
	}
	a.greeted(conn)
	var known net.Conn = &replayed{Conn: conn, first: first[:]}
	if first[0] != proxy.RecordHandshake {
		known = a.clear(known)
	} else {
		secure := tls.Server(known, a.tls)
		if err := secure.Handshake(); err != nil {
			_ = conn.Close()
			return
		}
		known = a.secure(secure)
	}
	_ = conn.SetDeadline(time.Time{})
	a.give(known)
}

func (a *acceptor) greeted(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.greeting, conn)
}

// give hands a connection to the http.Server.
func (a *acceptor) give(conn net.Conn) {
	select {
	case a.feed <- conn:
	case <-a.closed:
		_ = conn.Close()
	}
}

// drain closes the listeners and the connections that have said nothing yet; those that have said something reach the server.
func (a *acceptor) drain(ctx context.Context) {
	a.mu.Lock()
	a.draining = true
	for ln := range a.listeners {
		_ = ln.Close()
	}
	for conn := range a.greeting {
		_ = conn.SetDeadline(time.Now().Add(lastGreeting))
	}
	a.mu.Unlock()
	done := make(chan struct{})
	go func() { a.greeters.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Accept implements net.Listener, for the http.Server.
func (a *acceptor) Accept() (net.Conn, error) {
	select {
	case conn := <-a.feed:
		return conn, nil
	case <-a.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. The http.Server calls it once.
func (a *acceptor) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.closed:
	default:
		close(a.closed)
	}
	return nil
}

// Addr implements net.Listener.
func (a *acceptor) Addr() net.Addr { return &net.UnixAddr{Name: "engine", Net: "unix"} }

// replayed is a connection whose first bytes were read already.
type replayed struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (c *replayed) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// CloseWrite is what net/http looks for where it lingers.
func (c *replayed) CloseWrite() error { return halfClose(c.Conn) }
