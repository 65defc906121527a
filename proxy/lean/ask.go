package lean

import (
	"context"
	"errors"
	"time"

	"pitstop/proxy"
)

// ask sends the request until a response begins, or it must not be sent again.
func (x *exchange) ask() error {
	fresh := false
	for {
		err := x.attempt(fresh)
		if err == nil {
			return nil
		}
		next, err := x.resend(err)
		switch next {
		case giveUp:
			return err
		case anew:
			fresh = true
		case elsewhere:
			if err := x.retry(); err != nil {
				return err
			}
			fresh = false
		}
	}
}

// resend says what to do after an attempt that failed with err, and the error to give up with.
func (x *exchange) resend(err error) (resend, error) {
	if err == errLoud { // a new one
		err = &notAnswered{err: err}
	}
	var failed *notAnswered
	if !errors.As(err, &failed) {
		return giveUp, err
	}
	used := x.up != nil && x.up.used
	x.drop()
	if x.c.isGone() {
		return giveUp, proxy.ErrClientGone
	}
	if fault := x.upload.failed(); fault != nil {
		return giveUp, fault
	}
	if failed.sent && !x.sentHere {
		x.sentHere = true
		x.children++
	}
	x.e.cfg.Logger.Debug("request not answered", "backend", x.visit.Backend().Addr, "err", failed.err)
	next := resendOf(attempt{
		Idempotent: proxy.IsIdempotent(x.req.Method.In(x.in)), Whole: x.plan.whole || x.upload == nil, Upgrade: x.plan.upgrade,
		Sent: failed.sent, Used: used, Children: x.children,
	})
	x.seen.Replayed = x.seen.Replayed || failed.sent && next != giveUp
	return next, err
}

// retry goes to another child, if this one has died.
func (x *exchange) retry() error {
	x.visiting = false // Retry leaves it
	start := time.Now()
	err := x.c.held(func(ctx context.Context) (err error) {
		visit, err := x.e.cfg.Gate.Retry(ctx, x.visit)
		if err == nil {
			x.visit, x.visiting, x.sentHere = visit, true, false
		}
		return err
	})
	x.seen.Held += time.Since(start)
	if err != nil {
		return &proxy.Refusal{Err: err}
	}
	return nil
}

// attempt sends the request to the visit's child and reads the head of its response. It fails with *notAnswered
// before the first byte of one.
func (x *exchange) attempt(fresh bool) error {
	x.back = x.back[:0]
	x.resp.Reset()
	if limit := x.e.cfg.Limits.ResponseTime; limit > 0 {
		if x.plan.whole || x.plan.expect { // else the upload sets it
			x.c.waiting.set(&x.e.clock, limit)
		}
		defer x.heard()
	}
	for {
		up, err := x.e.poolFor(x.visit.Backend()).take(fresh)
		if err != nil {
			return &notAnswered{err: err}
		}
		x.up = up
		if err := x.c.carrying(up); err != nil {
			return err
		}
		err = x.send()
		if err == errLoud && up.used {
			x.drop()
			continue
		}
		if err != nil {
			return err
		}
		return x.readResponse()
	}
}

// send writes the request. One that is in one piece is asked at once, and then the first bytes of its response are read
// too. A body that is not whole is written by an upload, while the response is read.
func (x *exchange) send() error {
	if x.plan.whole && (x.plan.inOut || len(x.plan.bytes) == 0) {
		n, err := x.up.ask(x.out, x.back[:cap(x.back)], x.stop)
		x.back, x.answered = x.back[:n], n > 0
		return err
	}
	if !x.up.wire.quiet() {
		return errLoud
	}
	n, err := x.up.Write(x.out)
	if err == nil && len(x.plan.bytes) > 0 {
		var more int
		more, err = x.up.Write(x.plan.bytes)
		n += more
	}
	switch {
	case err != nil && n == 0:
		return &notAnswered{err: err} // the child had closed it
	case err == nil && !x.plan.whole:
		x.upload = x.startUpload()
	}
	// A child that closes after a part of the request may have answered it all the same.
	return nil
}
