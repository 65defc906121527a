package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pitstop/child"
	"pitstop/drain"
)

// actResult is the event at an act's end.
type actResult struct {
	actEnded
	generation *generation // that serves; nil if none does
	retirement *retirement // of the one that served before, if it goes on for a while
	outcome    Outcome
}

// swap is the act of a reload: it replaces old, which may be dead, or nil, by the release next. back is the one to return
// to when next fails.
func (s *Supervisor) swap(ctx context.Context, old *generation, next, back Release, r Request) event {
	j := &journal{now: &s.step}
	if old == nil || !old.alive() {
		return s.swapDown(ctx, j, old, next, back)
	}
	strategy, why, err := s.chooseStrategy(ctx, old, r.Force)
	if err != nil {
		return s.result(old, back, j, err)
	}
	s.cfg.Logger.Info("reloading", "commit", next.Commit, "previous", back.Commit, "strategy", strategy, "why", why)
	var res actResult
	if strategy == Overlap {
		res = s.swapOverlap(ctx, j, old, next, back)
	} else {
		res = s.swapInPlace(ctx, j, old, next, back, r.Force)
	}
	if res.outcome.Strategy == "" { // else what served has died meanwhile, and there was nothing to choose
		res.outcome.Strategy, res.outcome.Why = string(strategy), why
	}
	return res
}

// swapInPlace stops the old child before it starts the next one: everybody waits meanwhile. When the next one fails,
// the release back is started again.
func (s *Supervisor) swapInPlace(ctx context.Context, j *journal, old *generation, next, back Release, force bool) actResult {
	bound, err := s.drainBound(force)
	if err != nil {
		return s.result(old, back, j, err)
	}
	// From here on new requests wait.
	s.cfg.Gate.Hold()
	j.begin(StepDrain)
	busy := s.drained(ctx, old, bound, s.cfg.Timing.streamDrain(InPlace))
	if err := s.abortDrain(ctx, busy); err != nil && old.alive() { // it was never stopped: it takes those who waited
		s.cfg.Gate.Serve(old.backend)
		return s.result(old, back, j, reloadError(next, back, err, old))
	}
	cut := ""
	if busy != nil {
		cut = busy.Visits.String()
		s.cfg.Logger.Warn("the drain's bound has passed: cutting what is left", "bound", bound.String(), "visits", cut)
	}
	s.cfg.Logger.Info("drained", "commit", back.Commit, "took", text(j.took()), "cut", cut)
	j.begin(StepStop)
	s.cfg.Front.ClosePool(old.backend)
	s.measured.stop = s.stop(old, s.cfg.Timing.Stop)
	s.cfg.Port.Close() // the next child may want it itself

	res := s.startOrGoBack(ctx, j, next, back)
	res.outcome.Cut = cut
	return res
}

// abortDrain says why a drain must not go on to the stop: the instance ends, or its bound has passed and is to abort.
func (s *Supervisor) abortDrain(ctx context.Context, busy *drain.BusyError) error {
	switch {
	case ctx.Err() != nil:
		return &StepError{StepDrain, context.Cause(ctx)}
	case busy != nil && s.cfg.AbortLateDrain:
		return &StepError{StepDrain, busy}
	}
	return nil
}

// startOrGoBack starts the next release where nothing serves, and the release back if that fails.
func (s *Supervisor) startOrGoBack(ctx context.Context, j *journal, next, back Release) actResult {
	g, err := s.start(ctx, j, next, false)
	if err == nil {
		err = s.settle(ctx, j, g)
	}
	if err != nil {
		return s.wayBack(ctx, j, next, back, err)
	}
	s.serve(g)
	res := s.result(g, next, j, nil)
	res.outcome.Previous = back.Commit
	return res
}

// swapDown launches the next release where nothing serves; old has died, or is nil.
func (s *Supervisor) swapDown(ctx context.Context, j *journal, old *generation, next, back Release) actResult {
	s.cfg.Logger.Info("reloading", "commit", next.Commit, "previous", back.Commit, "why", "nothing serves")
	s.sweep(old)
	res := s.startOrGoBack(ctx, j, next, back)
	res.outcome.Strategy, res.outcome.Why = string(InPlace), "nothing served"
	return res
}

// relaunch is the act that starts a release where nothing serves; old has died, or is nil.
func (s *Supervisor) relaunch(ctx context.Context, old *generation, r Release) event {
	j := &journal{now: &s.step}
	s.sweep(old)
	g, err := s.start(ctx, j, r, false)
	if err != nil {
		s.cfg.Logger.Error("the app did not start", "commit", r.Commit, "err", err)
		return s.result(nil, r, j, err)
	}
	s.serve(g)
	return s.result(g, r, j, nil)
}

// wayBack starts the release that served before, after the next one has failed with err.
func (s *Supervisor) wayBack(ctx context.Context, j *journal, next, back Release, err error) actResult {
	j.close()
	s.cfg.Logger.Error("the release failed: going back", "commit", next.Commit, "err", err, "previous", back.Commit)
	start := time.Now()
	var g *generation
	var backErr error
	if context.Cause(ctx) == nil {
		g, backErr = s.start(ctx, &journal{now: &s.step}, back, false)
	}
	if g != nil {
		s.serve(g)
		s.cfg.Logger.Warn("back", "commit", back.Commit, "took", text(time.Since(start)))
	}
	if backErr != nil {
		s.cfg.Logger.Error("the previous release does not start either", "commit", back.Commit, "err", backErr)
	}
	res := s.result(g, back, j, reloadError(next, back, err, g))
	res.fault = fault(err)
	if backErr != nil && !errors.Is(backErr, ErrEnding) {
		res.exit = exitOf(backErr) // of the last child that ended by itself
	}
	return res
}

// serve sends all requests to a generation. An app that listens on a socket of its own leaves its port to us.
func (s *Supervisor) serve(g *generation) {
	s.cfg.Gate.Serve(g.backend)
	if g.child.Private() {
		s.cfg.Port.Open()
	}
	s.cfg.Logger.Info("serving", "commit", g.release.Commit, "generation", g.number, "pid", g.child.Pid())
}

// settle gives a newcomer only what could be sent again, until it has stayed up for a while.
func (s *Supervisor) settle(ctx context.Context, j *journal, g *generation) error {
	if s.cfg.Timing.Settle <= 0 {
		return nil
	}
	j.begin(StepSettle)
	s.cfg.Gate.Trial(g.backend)
	timer := time.NewTimer(s.cfg.Timing.Settle)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done(): // the ending needs it as it is
		return nil
	case <-g.gone:
		s.kill(g.child) // what it has left in its group
		return &StepError{StepSettle, fmt.Errorf("%s after it became ready %w",
			time.Since(g.ready).Round(time.Millisecond), &child.ExitedError{Exit: g.child.Exit()})}
	}
}

func reloadError(next, back Release, err error, serving *generation) error {
	e := &ReloadError{Commit: next.Commit, Err: err}
	var at *StepError
	if errors.As(err, &at) {
		e.Step, e.Err = at.Step, at.Err
	}
	if serving != nil {
		e.Serving = back.Commit
	}
	return e
}

// result is an act's result: what serves, or else what should.
func (s *Supervisor) result(g *generation, r Release, j *journal, err error) actResult {
	j.close()
	res := actResult{generation: g, actEnded: actEnded{commit: r.Commit, err: err, at: time.Now()}}
	res.outcome = Outcome{Commit: r.Commit, Previous: r.Commit, Steps: j.steps}
	if g != nil {
		res.serving = g.number
	} else if err != nil {
		res.exit, res.fault = exitOf(err), fault(err)
	}
	return res
}
