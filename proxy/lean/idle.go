package lean

import (
	"errors"
	"os"
	"time"
)

// parkAfter is how long a goroutine waits for the next request. Its stack is most of what an idle connection costs.
const parkAfter = 300 * time.Millisecond

// await waits for the first bytes of a request. It returns nil when the connection is over, or has been parked: then
// it is no longer the caller's.
func (c *conn) await() (buf *[]byte, parked bool) {
	if !c.idle.Swap(true) { // else it was parked, and its time runs
		c.since.Store(c.e.clock.now.Load())
		c.reading.set(&c.e.clock, c.e.cfg.IdleTimeout)
		if c.requests == 0 {
			c.reading.set(&c.e.clock, min(c.e.cfg.IdleTimeout, c.e.cfg.Limits.HeadTime))
		}
	}
	if c.e.draining.Load() { // whoever drains may have passed here before
		_ = c.nc.SetReadDeadline(past)
	}
	for {
		buf, err := c.first.read()
		switch {
		case err == nil && len(*buf) > 0:
			c.awake()
			return buf, false
		case err == nil:
			c.e.in.put(buf)
			return nil, false
		case !errors.Is(err, os.ErrDeadlineExceeded), c.reading.rang():
			return nil, false
		}
		_ = c.nc.SetReadDeadline(time.Time{})
		switch {
		case c.reading.rang():
			return nil, false
		case c.e.draining.Load():
			c.awake()
			return c.lastBytes(), false
		case c.parking.Swap(false) && c.park():
			return nil, true
		}
	}
}

// park leaves the connection to the watch, if that is possible. Whoever has ended the waiting since it was looked at last
// found nobody to wake.
func (c *conn) park() bool {
	if !c.e.gone.park(c) {
		return false
	}
	if c.e.draining.Load() || c.reading.rang() {
		c.resume()
	}
	return true
}

// awake ends the idleness.
func (c *conn) awake() {
	c.idle.Store(false)
	c.parking.Store(false)
	c.reading.stop()
}

// resume gives a parked connection a goroutine again.
func (c *conn) resume() {
	if c.parked.CompareAndSwap(true, false) {
		go c.serve()
	}
}

// lastBytes returns what has arrived while the connection was about to be closed: a request that has reached us is served.
func (c *conn) lastBytes() (buf *[]byte) {
	r := lazyReader{pool: &c.e.in}
	_ = c.wire.raw.Control(func(fd uintptr) { r.try(fd) })
	if r.buf == nil {
		return nil
	}
	if len(*r.buf) == 0 {
		c.e.in.put(r.buf)
		return nil
	}
	return r.buf
}

// wakeIdle ends the waiting for a request that may never come.
func (c *conn) wakeIdle() {
	if c.idle.Load() {
		_ = c.nc.SetReadDeadline(past)
		c.resume()
	}
}
