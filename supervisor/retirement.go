package supervisor

import (
	"context"
	"sync/atomic"
	"time"
)

// retirement is the end of a generation that was replaced while it served: it drains in its own time, and may be brought
// back until its stop is claimed.
type retirement struct {
	*generation
	claimed atomic.Bool // by its stop, or by who brings it back
	cancel  context.CancelFunc
}

// beginRetirement drains and stops a generation without holding the slot; its place among the retiring ones was taken
// before.
func (s *Supervisor) beginRetirement(g *generation) *retirement {
	r := &retirement{generation: g}
	ctx, cancel := context.WithCancel(s.retireContext)
	r.cancel = cancel
	s.running.Go(func() {
		defer cancel()
		s.retire(ctx, r)
		<-s.retiring
		s.tell(retired{g.number})
	})
	return r
}

// retire is the way of a retirement: drain, close the pool, stop.
func (s *Supervisor) retire(ctx context.Context, r *retirement) {
	bound := defaultOverlapDrain
	if s.cfg.Timing.Drain != nil {
		bound = *s.cfg.Timing.Drain
	}
	began := time.Now()
	busy := s.drained(ctx, r.generation, bound, s.cfg.Timing.streamDrain(Overlap))
	if r.claimed.Swap(true) {
		return // brought back
	}
	log := s.cfg.Logger.With("commit", r.release.Commit, "generation", r.number, "took", text(time.Since(began)))
	if busy == nil {
		log.Info("drained")
	} else {
		log.Warn("not drained: cutting what is left", "visits", busy.Visits.String())
	}
	s.cfg.Front.ClosePool(r.backend)
	stop := s.cfg.Timing.Stop
	if s.retireContext.Err() != nil {
		stop = s.cfg.Timing.Ending().Stop
	}
	s.stop(r.generation, stop)
}

// recall brings a retiring generation back; false if it is being stopped already, or has died.
func (s *Supervisor) recall(r *retirement) bool {
	if r == nil || !r.alive() || r.claimed.Swap(true) {
		return false
	}
	r.cancel()
	s.cfg.Gate.Serve(r.backend)
	s.cfg.Logger.Warn("brought back", "commit", r.release.Commit, "generation", r.number)
	return true
}
