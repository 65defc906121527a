package lean

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// conn is a client's connection to the lean engine.
type conn struct {
	e    *Engine
	id   uint64
	nc   net.Conn
	wire wire
	peer string
	// forwarded are the fields that this connection sets, as lines: for, proto and port.
	forwarded [3]string
	private   bool // the peer is
	requests  int  // how many have been served before

	first lazyReader // reads the first bytes of a request
	idle  atomic.Bool
	since atomic.Int64 // tick at which it became idle
	// parked: no goroutine waits for the next request; the watch starts one when it comes. parking asks for that.
	parked, parking atomic.Bool

	reading, writing, waiting alarm // on the client's bytes, on writing to it, on the child's response

	// mu guards what others than the connection's own goroutine touch.
	mu sync.Mutex
	// halfClosed: the client sends no more; it may still read. reset: it does not.
	halfClosed, reset bool
	saidAll           bool                    // a tunnel's side to the client is closed: the client's end looks like a reset then
	severed           bool                    // Drain cut it
	cancel            context.CancelCauseFunc // ends the waiting at the gate; nil: it does not wait
	up                *upstream               // that carries its request; nil: none
	kind              drain.Kind
	mayProbe          bool // an interim response may be sent: HTTP/1.1, and no response has begun

	probeAt atomic.Int64 // tick at which to ask a half-closed client whether it is there; 0: never
}

func newConn(e *Engine, nc net.Conn) (*conn, error) {
	c := &conn{e: e, nc: nc, peer: nc.RemoteAddr().String()}
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil, errors.New("not a socket")
	}
	if err := c.wire.init(sc); err != nil {
		return nil, err
	}
	if err := c.first.init(sc, &e.in); err != nil {
		return nil, err
	}
	c.describe()
	e.remember(c)
	return c, nil
}

// describe works out what is said of the connection to the child with each request.
func (c *conn) describe() {
	peer, port := c.peer, ""
	if addr, err := netip.ParseAddrPort(c.peer); err == nil {
		peer = addr.Addr().Unmap().String()
	}
	if local, err := netip.ParseAddrPort(c.nc.LocalAddr().String()); err == nil {
		_, port, _ = net.SplitHostPort(local.String())
	}
	c.private = proxy.IsPrivate(peer)
	c.forwarded = [3]string{"X-Forwarded-For: " + peer + "\r\n", "X-Forwarded-Proto: http\r\n", "X-Forwarded-Port: " + port + "\r\n"}
}

// serve carries one request after the other, until the connection ends or is parked.
func (c *conn) serve() {
	var x *exchange
	left := false // parked, or handed over
	defer func() {
		if reason := recover(); reason != nil {
			c.e.crashed(c, reason)
		}
		if x != nil {
			x.abandon()
		}
		if !left {
			_ = c.nc.Close()
			c.e.forget(c)
		}
	}()
	for {
		var buf *[]byte
		if buf, left = c.await(); buf == nil {
			return
		}
		x = c.e.newExchange(c, buf)
		for x.run() {
			if !x.next() { // what the client has sent ahead
				break
			}
		}
		if x.foreign {
			left = true
			first := bytes.Clone(x.in)
			x.release()
			x = nil
			c.handOver(first)
			return
		}
		again, more := x.again, x.mayCome()
		x.release()
		x = nil
		if !again && more {
			c.linger()
		}
		if !again {
			return
		}
	}
}

// read reads from the client. It fails with errTimeout when the alarm has rung.
func (c *conn) read(p []byte) (int, error) {
	for {
		n, err := c.wire.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if err := c.takeBack(); err != nil {
			return 0, err
		}
	}
}

// takeBack takes a deadline back that was not for this phase.
func (c *conn) takeBack() error {
	if c.reading.rang() {
		return errTimeout
	}
	_ = c.nc.SetReadDeadline(time.Time{})
	if c.reading.rang() { // set while it was taken back
		return errTimeout
	}
	return nil
}

// write writes to the client, which may be slow but not stand still.
func (c *conn) write(p []byte) error {
	c.writing.set(&c.e.clock, c.e.cfg.Limits.BodyTime)
	defer c.writing.stop()
	for {
		n, err := c.wire.Write(p)
		p = p[n:]
		if err == nil {
			return nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.writing.rang() {
			return err
		}
		_ = c.nc.SetWriteDeadline(time.Time{})
	}
}

var errTimeout = errors.New("the client stands still")

// ring does what is due.
func (c *conn) ring(now int64) {
	if c.reading.due(now) {
		_ = c.nc.SetReadDeadline(past)
		c.resume()
	}
	if c.idle.Load() && now-c.since.Load() > int64(parkAfter/tick) && !c.parked.Load() && !c.parking.Swap(true) {
		_ = c.nc.SetReadDeadline(past)
	}
	if c.writing.due(now) {
		_ = c.nc.SetWriteDeadline(past)
	}
	if c.waiting.due(now) {
		c.mu.Lock()
		if c.up != nil {
			_ = c.up.SetReadDeadline(past)
		}
		c.mu.Unlock()
	}
	c.probe(now)
}

// cut ends everything at once.
func (c *conn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.severed = true
	c.leaveLocked()
	_ = c.nc.Close()
	c.resume()
}

// carrying says which connection carries the request, so that it can be ended from outside, or nil. It fails when the
// client has left already.
func (c *conn) carrying(up *upstream) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up = up
	if up != nil && (c.reset || c.severed) {
		c.up = nil
		return proxy.ErrClientGone
	}
	return nil
}

// become says what the request has turned out to be.
func (c *conn) become(k drain.Kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kind = k
	if k == drain.Stream && c.halfClosed {
		c.leaveLocked()
	}
}

// isGone says whether the client has left as far as that is known.
func (c *conn) isGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reset || c.severed
}

// held calls wait with a context that ends when the client leaves. Who has half-closed its connection counts as gone
// here: nobody would wait for long without being able to say more.
func (c *conn) held(wait func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	c.mu.Lock()
	gone := c.halfClosed || c.reset || c.severed
	c.cancel = cancel
	c.mu.Unlock()
	if gone {
		cancel(proxy.ErrClientGone)
	}
	err := wait(ctx)
	c.mu.Lock()
	c.cancel = nil
	c.mu.Unlock()
	return err
}
