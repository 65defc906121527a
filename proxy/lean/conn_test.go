package lean

import (
	"context"
	"testing"
	"time"

	"pitstop/proxy"
)

func TestConn_AnIdleOneIsParkedAndServesTheNextRequest(t *testing.T) {
	f := newFixture(t)
	f.gate.Serve(f.backend(hello))
	client := f.dial()
	for range 2 {
		client.say(get)
		client.want(200, "hello")
		c := f.conn()
		f.await("parked", c.parked.Load)
		f.await("no goroutine", func() bool { return serving() == 0 })
	}
	client.say(get)
	client.want(200, "hello")
}

func TestConn_OneThatHasSaidNothingIsParkedToo(t *testing.T) {
	f := newFixture(t)
	f.gate.Serve(f.backend(hello))
	client := f.dial()
	f.await("parked", f.conn().parked.Load)
	client.say(get)
	client.want(200, "hello")
}

func TestConn_AParkedOneWhoseClientLeavesIsGone(t *testing.T) {
	f := newFixture(t)
	client := f.dial()
	f.await("parked", f.conn().parked.Load)
	_ = client.Close()
	f.wantNone()
}

func TestConn_ARequestThatComesWhileItIsBeingParkedIsServed(t *testing.T) {
	f := newFixture(t)
	f.gate.Serve(f.backend(hello))
	client := f.dial()
	c := f.conn()
	parked := 0
	for i := range 400 {
		f.await("idle", c.idle.Load)
		go func() { // as ring does
			c.parking.Store(true)
			_ = c.nc.SetReadDeadline(past)
		}()
		for range i % 20 * 500 { // a different moment each time
			if c.parked.Load() {
				parked++
				break
			}
		}
		client.say(get)
		client.want(200, "hello")
	}
	t.Logf("parked before the request %d times", parked)
}

func TestConn_IsClosedAtTheIdleTimeout(t *testing.T) {
	for name, idle := range map[string]time.Duration{"before it is parked": 300 * time.Millisecond, "parked": 1500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *proxy.Config) { c.IdleTimeout = idle })
			f.gate.Serve(f.backend(hello))
			client := f.dial()
			client.say(get)
			client.want(200, "hello")
			start := time.Now()
			client.wantEnd()
			if waited := time.Since(start); waited < idle-tick {
				t.Errorf("closed after %s", waited)
			}
			f.wantNone()
		})
	}
}

func TestConn_DrainClosesIdleOnesAtOnce(t *testing.T) {
	for _, park := range []bool{false, true} {
		f := newFixture(t)
		client := f.dial()
		c := f.conn()
		f.await("idle", c.idle.Load)
		if park {
			f.await("parked", c.parked.Load)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := f.e.Drain(ctx); err != nil {
			t.Errorf("parked %t: %v", park, err)
		}
		client.wantEnd()
		f.wantNone()
	}
}

// unserved is a connection as accept makes it, without a goroutine.
func (f *fixture) unserved() (*client, *conn) {
	f.t.Helper()
	ln := listen(f.t)
	aside := *f
	aside.addr = ln.Addr().String()
	client := aside.dial()
	nc, err := ln.Accept()
	if err != nil {
		f.t.Fatal(err)
	}
	c, err := newConn(f.e, nc)
	if err == nil {
		err = f.e.gone.add(c)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return client, c
}

func TestConn_ARequestThatHasArrivedBeforeDrainIsServedAndTheConnectionClosed(t *testing.T) {
	f := newFixture(t)
	f.gate.Serve(f.backend(hello))
	client, c := f.unserved()
	client.say(get)
	f.await("arrived", func() bool { return !c.wire.quiet() })
	drained := make(chan error, 1)
	go func() { drained <- f.e.Drain(t.Context()) }()
	f.await("draining", f.e.draining.Load)
	go c.serve()
	if resp := client.want(200, "hello"); !resp.Close {
		t.Error("the client is not told that the connection ends")
	}
	client.wantEnd()
	if err := <-drained; err != nil {
		t.Error(err)
	}
	f.wantNone()
}

// Between its last look at the engine's state and the watch taking over, whoever wakes it finds nobody to wake.
func TestConn_OneThatIsBeingParkedIsNotOverlookedByDrain(t *testing.T) {
	f := newFixture(t)
	client, c := f.unserved()
	c.idle.Store(true)
	c.reading.set(&f.e.clock, time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- f.e.Drain(ctx) }()
	f.await("woken", func() bool { // the deadline has been set
		buf, err := c.first.read()
		return buf == nil && err != nil
	})
	_ = c.nc.SetReadDeadline(time.Time{})
	c.park()
	client.wantEnd()
	if err := <-drained; err != nil {
		t.Error(err)
	}
	f.wantNone()
}

func TestConn_OneThatIsBeingParkedIsNotOverlookedByItsAlarm(t *testing.T) {
	f := newFixture(t)
	client, c := f.unserved()
	c.idle.Store(true)
	c.since.Store(f.e.clock.now.Load())
	c.reading.set(&f.e.clock, tick)
	f.await("rung", c.reading.rang)
	f.ticks(1) // and its deadline is set
	_ = c.nc.SetReadDeadline(time.Time{})
	c.park()
	client.wantEnd()
	f.wantNone()
}
