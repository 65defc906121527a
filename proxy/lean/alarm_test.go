package lean

import (
	"testing"
	"time"
)

func TestAlarm_RingsOnceWhenItsTimeHasComeAndNotWhenItWasStopped(t *testing.T) {
	var c clock
	var a alarm
	a.set(&c, time.Second)
	if a.due(10) || a.rang() {
		t.Error("rung early")
	}
	if !a.due(11) || !a.rang() || a.due(12) {
		t.Error("not rung once")
	}
	a.set(&c, time.Second)
	a.stop()
	if a.due(100) || a.rang() {
		t.Error("rung though it was stopped")
	}
}

// It was meant for the phase before, in which the client was done just in time.
func TestAlarm_ADeadlineThatComesLateIsTakenBack(t *testing.T) {
	f := newFixture(t)
	f.gate.Serve(f.backend(hello))
	client := f.dial()
	for range 3 {
		c := f.conn()
		f.await("idle", c.idle.Load)
		client.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
		f.await("reading", func() bool { return !c.idle.Load() })
		_ = c.nc.SetReadDeadline(past)
		_ = c.nc.SetWriteDeadline(past)
		client.say("hi")
		client.want(200, "hello")
	}
}
