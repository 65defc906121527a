package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pitstop/drain"
)

// errDied is why a newcomer that became ready is given up while it settles.
var errDied = errors.New("the app died")

// actResult is the event at an act's end.
type actResult struct {
	actEnded
	generation *generation // that serves; nil if none does
	outcome    Outcome
}

// fetchResult is the event at a fetch's end.
type fetchResult struct {
	release Release
	took    time.Duration
	err     error
}

// fetch gets a release. It needs no slot.
func (s *Supervisor) fetch(ctx context.Context, commit string) event {
	start := time.Now()
	if commit == s.cfg.Image.Commit {
		return fetchResult{release: s.cfg.Image}
	}
	if s.cfg.Fetcher == nil {
		return fetchResult{err: &RefusedError{Reason: fmt.Sprintf(
			"there is no store to get %s from: start pitstop with --releases", commit)}}
	}
	r, err := s.cfg.Fetcher.Fetch(ctx, commit)
	took := time.Since(start)
	if err == nil {
		s.cfg.Logger.Info("fetched", "commit", commit, "dir", r.Dir, "took", took)
	}
	return fetchResult{release: r, took: took, err: err}
}

// relaunch is the act that starts a release where nothing serves; old has died, or is nil.
func (s *Supervisor) relaunch(ctx context.Context, old *generation, r Release) event {
	j := &journal{now: &s.step}
	if old != nil {
		s.kill(old.child)
	}
	g, err := s.start(ctx, j, r)
	j.close()
	if err != nil {
		s.cfg.Logger.Error("the app did not start", "commit", r.Commit, "err", err)
		return s.result(nil, r, j, err)
	}
	s.cfg.Gate.Serve(g.backend)
	return s.result(g, r, j, nil)
}

// swap is the act of an in-place reload: everybody waits while the old child is drained and stopped and the next
// one started. When that one fails, the release back is started again. old may be dead, or nil.
func (s *Supervisor) swap(ctx context.Context, old *generation, next, back Release, r Request) event {
	j := &journal{now: &s.step}
	log := s.cfg.Logger.With("commit", next.Commit)
	bound, err := s.drainBound(r.Force)
	if err != nil {
		return s.result(old, back, j, err)
	}
	log.Info("reloading", "strategy", inPlace, "previous", back.Commit, "drain_bound", bound)

	// From here on new requests wait.
	s.cfg.Gate.Hold()
	var cut string
	if old != nil {
		j.begin(StepDrain)
		cut, err = s.drained(ctx, old, bound)
		if err != nil && old.alive() { // it was never stopped: it takes those who waited
			s.cfg.Gate.Serve(old.backend)
			j.close()
			return s.result(old, back, j, s.reloadError(next, back, j, err, old))
		}
		log.Info("drained", "took", j.took(), "cut", cut)
		j.begin(StepStop)
		s.cfg.Front.ClosePool(old.backend)
		s.measured.stop = s.stop(old, s.cfg.Timing.Stop)
	}
	g, err := s.start(ctx, j, next)
	if err == nil {
		err = s.settle(ctx, j, g)
	}
	j.close()
	if err == nil {
		s.cfg.Gate.Serve(g.backend)
		log.Info("serving", "generation", g.number, "pid", g.child.Pid())
		result := s.result(g, next, j, nil)
		result.outcome.Previous, result.outcome.Cut = back.Commit, cut
		return result
	}
	return s.wayBack(ctx, j, next, back, err)
}

// wayBack starts the release that served before, after the next one has failed with err.
func (s *Supervisor) wayBack(ctx context.Context, j *journal, next, back Release, err error) actResult {
	s.cfg.Logger.Error("the release failed: going back", "commit", next.Commit, "err", err, "previous", back.Commit)
	start := time.Now()
	var g *generation
	var backErr error
	if context.Cause(ctx) == nil {
		g, backErr = s.start(ctx, &journal{now: &s.step}, back)
	}
	if g != nil {
		s.cfg.Gate.Serve(g.backend)
		s.cfg.Logger.Warn("back", "commit", back.Commit, "took", time.Since(start))
	}
	if backErr != nil {
		s.cfg.Logger.Error("the previous release does not start either", "commit", back.Commit, "err", backErr)
	}
	result := s.result(g, back, j, s.reloadError(next, back, j, err, g))
	result.fault = fault(err)
	if backErr != nil {
		result.exit = exitOf(backErr)
	}
	return result
}

// drained waits for the drain of a backend within the bound, 0 for none. It says what the bound cut off, and fails if
// the bound is to abort the reload, or the instance ends.
func (s *Supervisor) drained(ctx context.Context, g *generation, bound time.Duration) (cut string, err error) {
	streams := time.AfterFunc(s.cfg.Timing.StreamDrain, g.backend.EndStreams)
	defer streams.Stop()
	bounded := ctx
	if bound > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, bound)
		defer cancel()
	}
	err = g.backend.Drained(bounded)
	var busy *drain.BusyError
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil:
		return "", &StepError{StepDrain, context.Cause(ctx)}
	case s.cfg.AbortLateDrain || !errors.As(err, &busy):
		return "", &StepError{StepDrain, err}
	}
	s.cfg.Logger.Warn("the drain's bound has passed: cutting what is left", "bound", bound, "visits", busy.Visits)
	return busy.Visits.String(), nil
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
		s.kill(g.child) // what it may have left in its group
		return &StepError{StepSettle, fmt.Errorf("%w %s after it became ready: it %s",
			errDied, time.Since(g.ready).Round(time.Millisecond), g.child.Exit())}
	}
}

// drainBound is what an in-place reload's drain may take: everybody waits while the old child drains and stops and
// the new one starts and settles, so the drain gets what the hold leaves of that.
func (s *Supervisor) drainBound(force bool) (time.Duration, error) {
	t := s.cfg.Timing
	if t.Drain != nil && *t.Drain == 0 {
		return 0, nil
	}
	const reserve = 2 * time.Second
	left := t.Hold - s.measured.start - s.measured.stop - t.Settle - reserve
	if t.Drain != nil {
		left = min(left, *t.Drain)
	}
	switch {
	case left > 0:
		return left, nil
	case force:
		return time.Second, nil
	}
	return 0, &RefusedError{Reason: fmt.Sprintf(
		"an in-place reload would hold requests too long: --hold-timeout %s − last start %s − last stop %s − --settle %s − %s leaves nothing for the drain; raise --hold-timeout, or force it",
		t.Hold, s.measured.start.Round(time.Millisecond), s.measured.stop.Round(time.Millisecond), t.Settle, reserve)}
}

func (s *Supervisor) reloadError(next, back Release, j *journal, err error, serving *generation) error {
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
	res := actResult{generation: g, actEnded: actEnded{commit: r.Commit, err: err, at: time.Now()}}
	res.outcome = Outcome{Commit: r.Commit, Previous: r.Commit, Strategy: inPlace, Steps: j.steps}
	if g != nil {
		res.serving = g.number
	} else if err != nil {
		res.exit, res.fault = exitOf(err), fault(err)
	}
	return res
}
