package lean

import (
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// probeAfter is how long a client that sends no more is left alone before it is asked whether it is still there.
const probeAfter = time.Second

// interim asks a client whether it is there: one that has closed its socket answers with a reset. Any client takes any
// number of interim responses (RFC 9110, 15.2).
const interim = "HTTP/1.1 100 Continue\r\n\r\n"

// left is called when the client has closed its side of the connection, or all of it. From here the two look the same
// unless the connection was reset. Who waits at the gate, and who listens to a stream, is taken for gone; one whose
// request is with the child may still want the answer, and is asked after a while.
func (c *conn) left(reset bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.halfClosed = true
	c.reset = c.reset || reset && !c.saidAll
	switch {
	case c.reset, c.cancel != nil, c.kind == drain.Stream:
		c.leaveLocked()
	case c.up != nil && c.mayProbe:
		c.probeAt.Store(c.e.clock.now.Load() + int64(probeAfter/tick))
	}
}

// sayNoMore closes our side.
func (c *conn) sayNoMore() {
	c.mu.Lock()
	c.saidAll = true
	c.mu.Unlock()
	closeWrite(c.nc)
}

// leaveLocked ends what goes on for the client.
func (c *conn) leaveLocked() {
	if c.cancel != nil {
		c.cancel(proxy.ErrClientGone)
	}
	if c.up != nil {
		_ = c.up.Close()
	}
}

// probe sends the interim response when it is time.
func (c *conn) probe(now int64) {
	at := c.probeAt.Load()
	if at == 0 || now < at {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probeAt.Store(0)
	if c.mayProbe && c.up != nil {
		_ = c.wire.raw.Control(sendInterim)
	}
}

// expecting says that from now on an interim response may be sent.
func (c *conn) expecting(http11 bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mayProbe, c.kind = http11, drain.Request
	c.probeAt.Store(0)
	if c.halfClosed && http11 {
		c.probeAt.Store(c.e.clock.now.Load() + int64(probeAfter/tick))
	}
}

// responding says that from now on none may be sent: the response begins.
func (c *conn) responding() {
	c.mu.Lock()
	c.mayProbe = false
	c.mu.Unlock()
}
