package lean

import (
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
	"pitstop/proxy/http1"
	"pitstop/proxy/std"
)

// Engine is the engine for HTTP/1.1 on plain sockets: a goroutine for each connection, no buffer for an idle one, and no
// allocation for a request in the steady state. Connections that speak something else are the other engine's.
type Engine struct {
	cfg    proxy.Config
	limits http1.Limits
	std    *std.Engine
	clock  clock
	gone   *goneWatch
	limit  logLimit

	exchanges sync.Pool // of *exchange
	in        buffers
	out       buffers
	back      buffers
	body      buffers
	budget    proxy.Budget
	pipes     pipes
	// pool is the one that was used last; most requests need no other.
	pool  atomic.Pointer[upstreams]
	pools poolsOf

	lameDuck, draining atomic.Bool
	// run ends when Drain cuts what is left.
	run     context.Context
	cutRest context.CancelFunc

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     slots
	empty     chan struct{} // closed when the last connection has ended after draining began
	stop      chan struct{} // ends the sweep
	running   sync.WaitGroup
}

// New makes the engine. Its Drain must be called to end what it runs.
func New(cfg proxy.Config) *Engine {
	e := &Engine{
		cfg: cfg, std: std.New(cfg), limits: http1.Limits{Bytes: cfg.Limits.Head, Target: cfg.Limits.Target, Fields: cfg.Limits.Fields},
		in: buffers{size: inBuffer}, out: buffers{size: outBuffer}, back: buffers{size: backBuffer}, body: buffers{size: bodyBuffer},
		listeners: make(map[net.Listener]struct{}), empty: make(chan struct{}), stop: make(chan struct{}),
	}
	e.budget.Give(cfg.ReplayMemory)
	e.run, e.cutRest = context.WithCancel(context.Background())
	e.gone = newGoneWatch(e.clientGone, e.readable)
	e.running.Go(e.gone.run)
	e.running.Go(e.sweep)
	return e
}

// Serve accepts connections from ln until Drain, until ln is closed, or until it fails. It may be called for several.
func (e *Engine) Serve(_ context.Context, ln net.Listener) error {
	e.mu.Lock()
	late := e.draining.Load() // Drain would not find it
	if !late {
		e.listeners[ln] = struct{}{}
	}
	e.mu.Unlock()
	if late {
		return ln.Close()
	}
	defer func() {
		e.mu.Lock()
		delete(e.listeners, ln)
		e.mu.Unlock()
	}()
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			e.accept(nc)
		case errors.Is(err, net.ErrClosed):
			return nil
		case proxy.IsTemporary(err):
			e.cfg.Logger.Warn("cannot accept a connection", "err", err)
			time.Sleep(tick) // until a file descriptor is free
		default:
			return err
		}
	}
}

func (e *Engine) accept(nc net.Conn) {
	c, err := newConn(e, nc)
	if err == nil {
		err = e.gone.add(c)
	}
	if err == nil && e.run.Err() != nil { // it came while the others were cut
		err = e.run.Err()
	}
	if err != nil {
		e.cfg.Logger.Warn("cannot serve a connection", "err", err)
		_ = nc.Close()
		if c != nil {
			e.forget(c)
		}
		return
	}
	go c.serve()
}

// LameDuck turns the health path red and tells clients to close their connections; requests are still served.
func (e *Engine) LameDuck() {
	e.lameDuck.Store(true)
	e.std.LameDuck()
}

// Drain stops accepting connections and waits until the clients have got their answers. When ctx ends
// first, it cuts the rest and returns the context's cause.
func (e *Engine) Drain(ctx context.Context) error {
	e.LameDuck()
	first := !e.draining.Swap(true)
	e.mu.Lock()
	for ln := range e.listeners {
		_ = ln.Close()
	}
	e.emptyLocked()
	e.mu.Unlock()
	e.each(func(c *conn) { c.wakeIdle() })
	others := make(chan error, 1)
	go func() { others <- e.std.Drain(ctx) }()
	var err error
	select {
	case <-e.empty:
	case <-ctx.Done():
		e.cutRest()
		e.each(func(c *conn) { c.cut() })
		err = context.Cause(ctx)
		<-e.empty
	}
	if first {
		e.cutRest()
		close(e.stop)
		e.gone.close()
		e.running.Wait()
		e.pipes.close()
	}
	return errors.Join(err, <-others)
}

// ClosePool closes the connections to a backend that is about to be stopped: it is to find none when it gets
// SIGTERM. No new one is opened after it.
func (e *Engine) ClosePool(b *drain.Backend) {
	e.pools.close(b)
	e.std.ClosePool(b)
}

// poolFor returns the connections to a backend.
func (e *Engine) poolFor(b *drain.Backend) *upstreams {
	if p := e.pool.Load(); p != nil && p.backend == b {
		return p
	}
	p := e.pools.of(e.run, b, &e.clock)
	e.pool.Store(p)
	return p
}

// sweep moves the clock, rings what is due and closes what has been idle for too long.
func (e *Engine) sweep() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for n := int64(1); ; n++ {
		select {
		case <-ticker.C:
		case <-e.stop:
			return
		}
		e.clock.now.Store(n)
		e.each(func(c *conn) { c.ring(n) })
		if n%10 == 0 {
			e.pools.each(func(p *upstreams) { p.sweep(n) })
			e.pipes.sweep()
			e.limit.second(e.cfg.Logger)
		}
	}
}

// each calls f for every connection of a client.
func (e *Engine) each(f func(*conn)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conns.each(f)
}

// clientGone is called by the watch.
func (e *Engine) clientGone(id uint64, reset bool) {
	e.mu.Lock()
	c := e.conns.find(id)
	e.mu.Unlock()
	if c != nil {
		c.left(reset)
	}
}

// readable is called by the watch when a parked connection has something to read.
func (e *Engine) readable(id uint64) {
	e.mu.Lock()
	c := e.conns.find(id)
	e.mu.Unlock()
	if c != nil {
		e.gone.unpark(c)
		c.resume()
	}
}

func (e *Engine) remember(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conns.add(c)
}

func (e *Engine) forget(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conns.remove(c)
	e.emptyLocked()
}

// emptyLocked says, once, that the last connection has ended after draining began. Both who drains and the last one may
// see that.
func (e *Engine) emptyLocked() {
	if e.conns.n > 0 || !e.draining.Load() {
		return
	}
	select {
	case <-e.empty:
	default:
		close(e.empty)
	}
}

// guard is deferred by goroutines that work for a connection: a panic in one ends that, and not the container.
func (c *conn) guard() {
	if reason := recover(); reason != nil {
		c.e.crashed(c, reason)
		c.cut()
	}
}

// crashed reports a panic in a connection, which must not take the container down.
func (e *Engine) crashed(c *conn, reason any) {
	e.cfg.Logger.Error("a connection crashed: this is a defect of pitstop", "client", c.peer, "reason", reason, "stack", string(debug.Stack()))
}
