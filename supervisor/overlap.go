package supervisor

import (
	"context"
	"errors"
	"syscall"

	"pitstop/child"
)

// maxRetiring is how many generations may retire at once beside the one that serves.
const maxRetiring = 2

// swapOverlap starts the next child beside the old one, which serves until the next one is ready and settled, and then
// retires without holding the slot. Nobody waits. When the next one fails, the old one has served all along.
func (s *Supervisor) swapOverlap(ctx context.Context, j *journal, old *generation, next, back Release) actResult {
	if len(s.retiring) == cap(s.retiring) {
		j.begin(StepDrain) // of those that retire: memory has its bounds
	}
	select {
	case s.retiring <- struct{}{}:
	case <-old.gone: // nothing serves any more, so there is nobody to be spared
		return s.swapDown(ctx, j, old, next, back)
	case <-ctx.Done():
		return s.result(old, back, j, reloadError(next, back, &StepError{StepDrain, context.Cause(ctx)}, old))
	}
	kills := s.cfg.Room.OOMKills()
	g, err := s.start(ctx, j, next, true)
	if err == nil {
		err = s.settle(ctx, j, g)
	}
	j.close()
	if err != nil {
		<-s.retiring
		return s.stay(old, next, back, j, err, s.cfg.Room.OOMKills() > kills)
	}
	s.serve(g)
	s.cfg.Room.Settled(g.child.Pid())
	res := s.result(g, next, j, nil)
	res.outcome.Previous = back.Commit
	res.retires, res.retirement = old.number, s.beginRetirement(old)
	return res
}

// stay is the end of an overlap whose newcomer failed with err: the old one serves on, unless it died meanwhile.
func (s *Supervisor) stay(old *generation, next, back Release, j *journal, err error, outOfMemory bool) actResult {
	if outOfMemory && bySIGKILL(err) {
		s.crowded = true
		s.cfg.Logger.Warn("the kernel killed the newcomer for want of memory: the next reload is in-place", "commit", next.Commit)
	}
	s.cfg.Logger.Error("the release failed", "commit", next.Commit, "err", err, "previous", back.Commit, "previous_serves", old.alive())
	serving := old
	if !old.alive() {
		serving = nil
	}
	res := s.result(serving, back, j, reloadError(next, back, err, serving))
	if serving == nil {
		res.exit = old.exit().Code
	}
	if !(outOfMemory && bySIGKILL(err)) {
		res.fault = fault(err)
	}
	return res
}

// bySIGKILL says whether a start failed because SIGKILL ended the process.
func bySIGKILL(err error) bool {
	var exited *child.ExitedError
	return errors.As(err, &exited) && exited.Exit.Signal == syscall.SIGKILL
}
