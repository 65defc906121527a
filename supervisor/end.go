package supervisor

import (
	"context"
	"time"
)

// over is the last event: Run returns its code.
type over struct{ code int }

// reserve is what the ending keeps of the orchestrator's time, so that it is not killed at its last line.
const reserve = 2 * time.Second

// budget is how the ending's time is spent.
type budget struct {
	lameDuck, drain, stop time.Duration
}

// plan cuts the ending's phases to fit the time that the orchestrator gives. The child's own time comes first, then the
// lame duck's, of which at most half of the rest; the drain gets what is left.
func plan(t Timing) budget {
	total := max(0, t.TaskStop-reserve)
	b := budget{stop: min(t.Stop, total)}
	b.lameDuck = min(t.LameDuck, (total-b.stop)/2)
	b.drain = total - b.stop - b.lameDuck
	return b
}

// end is the act at SIGTERM, and when the app is given up. It returns the exit code of g's child, or code if g is nil:
// there never was one that served. Those that retire are ended with it.
func (s *Supervisor) end(g *generation, retirees []*retirement, code int) event {
	b := plan(s.cfg.Timing)
	s.cfg.Front.LameDuck()
	if g != nil && g.alive() {
		s.cfg.Logger.Info("ending", "lame_duck", b.lameDuck.String(), "drain", b.drain.String(), "stop", b.stop.String(),
			"in_flight", g.backend.Visits().String())
		s.wait(b.lameDuck, g)
	}
	s.drainFront(b.drain, g, retirees)
	s.cfg.Gate.Refuse(ErrEnding)
	s.endRetirements()
	if g != nil {
		s.cfg.Front.ClosePool(g.backend)
		s.stop(g, b.stop)
		code = g.child.Exit().Code
	}
	s.cfg.Logger.Info("ended", "exit_code", code)
	return over{code}
}

// drainFront stops accepting, and waits until the clients have their answers and nobody is with g, within the bound.
func (s *Supervisor) drainFront(bound time.Duration, g *generation, retirees []*retirement) {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	s.running.Go(func() {
		select {
		case <-s.hurried:
			cancel()
		case <-ctx.Done():
		}
	})
	if g == nil || !g.alive() {
		s.cfg.Gate.Refuse(ErrEnding) // nobody will answer those who wait
		_ = s.cfg.Front.Drain(ctx)
		return
	}
	s.running.Go(func() {
		select {
		case <-g.gone:
			s.cfg.Gate.Refuse(ErrEnding)
		case <-ctx.Done():
		}
	})
	// Streams and tunnels do not end by themselves. The front accepts nothing any more, so to hold costs nobody.
	endStreams := func() {
		s.cfg.Gate.Hold()
		g.backend.EndStreams()
		for _, r := range retirees {
			r.backend.EndStreams()
		}
	}
	streams := time.AfterFunc(min(s.cfg.Timing.streamDrain(InPlace), bound/2), endStreams)
	defer streams.Stop()
	if err := s.cfg.Front.Drain(ctx); err != nil {
		s.cfg.Logger.Warn("the ending's time has passed: cutting what is left", "visits", g.backend.Visits().String())
	}
	endStreams()
	if err := g.backend.Drained(ctx); err != nil {
		s.cfg.Logger.Warn("not drained", "err", err)
	}
}

// wait lets time pass, unless a second signal comes, or the child dies.
func (s *Supervisor) wait(d time.Duration, g *generation) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.hurried:
	case <-g.gone:
	}
}
