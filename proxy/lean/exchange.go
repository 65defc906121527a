package lean

import (
	"context"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// exchangeState is what begins anew with each request.
type exchangeState struct {
	asked    drain.Ask
	visit    drain.Visit
	visiting bool
	up       *upstream
	plan     bodyPlan
	upload   *upload

	children  int           // how many it was sent to and got no answer from
	sentHere  bool          // to the child of this visit
	interims  int           // how many interim responses were passed on
	answered  bool          // a byte of a response was read
	responded bool          // a byte of the response was written to the client
	foreign   bool          // the connection is for the other engine
	again     bool          // the client's connection goes on after this
	keep      time.Duration // how long the connection to the child may be idle after this
	endless   *endless      // a stream or a tunnel; nil: neither

	// requestID is what the child is told; part of in, or of ownID.
	requestID []byte
	seen      proxy.Exchange // for the observer
	began     time.Time
}

// run carries one request, and says whether the connection goes on.
func (x *exchange) run() bool {
	x.begin()
	err := x.readHead()
	if err == errForeign {
		x.foreign = true
		return false
	}
	if err == nil {
		if x.isHealth() {
			return x.health()
		}
		err = x.carry()
	}
	if err != nil {
		x.fail(err)
	}
	x.leave(false)
	x.observe(err)
	return x.again
}

// carry has the request answered by a child.
func (x *exchange) carry() error {
	x.identify()
	if err := x.planBody(); err != nil {
		return err
	}
	defer x.forgetBody()
	if err := x.enter(); err != nil {
		return err
	}
	x.writeRequest()
	x.c.expecting(x.req.Minor == 1)
	if err := x.ask(); err != nil {
		return err
	}
	return x.relay()
}

// enter asks to be let in.
func (x *exchange) enter() error {
	x.asked = drain.Ask{Kind: x.plan.kind(), Buffered: len(x.plan.bytes), Replayable: x.replayable()}
	gate := x.e.cfg.Gate
	visit, ok := gate.TryEnter(x.asked)
	if !ok {
		start := time.Now()
		err := x.c.held(func(ctx context.Context) (err error) {
			visit, err = gate.Enter(ctx, x.asked)
			return err
		})
		x.seen.Held = time.Since(start)
		if err != nil {
			return &proxy.Refusal{Err: err}
		}
	}
	x.visit, x.visiting = visit, true
	return nil
}

// replayable says whether the request may be sent a second time if its child dies.
func (x *exchange) replayable() bool {
	return x.plan.whole && !x.plan.upgrade && proxy.IsIdempotent(x.req.Method.In(x.in))
}

// heard says that the child has answered, or will not.
func (x *exchange) heard() {
	if x.upload != nil {
		x.upload.heard.Store(true)
	}
	x.c.waiting.stop()
}

// leave ends the visit and lets the connection to the child go: into the pool if it can carry another request.
func (x *exchange) leave(reusable bool) {
	if up := x.up; up != nil {
		x.up = nil
		_ = x.c.carrying(nil)
		if reusable && !x.c.isGone() {
			up.pool.put(up, x.keep)
		} else {
			_ = up.Close()
		}
	}
	if x.visiting {
		x.visiting = false
		x.visit.Leave()
	}
}

// drop closes the connection to the child; the visit goes on.
func (x *exchange) drop() {
	if up := x.up; up != nil {
		x.up = nil
		_ = x.c.carrying(nil)
		_ = up.Close()
	}
	x.stopUpload()
}
