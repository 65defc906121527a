package supervisor

import (
	"context"
	"time"
)

// over is the last event: Run returns its code.
type over struct{ code int }

// reserve is what the ending keeps of the orchestrator's time, so that it is not killed at its last line.
const reserve = 2 * time.Second

// Ending is how the ending's time is spent.
type Ending struct {
	LameDuck, Drain, Stop time.Duration
}

// Ending cuts the ending's phases to fit the time that the orchestrator gives. The child's own time comes first, then the
// lame duck's, of which at most half of the rest; the drain gets what is left.
func (t Timing) Ending() Ending {
	total := max(0, t.TaskStop-reserve)
	e := Ending{Stop: min(t.Stop, total)}
	e.LameDuck = min(t.LameDuck, (total-e.Stop)/2)
	e.Drain = total - e.Stop - e.LameDuck
	return e
}

// end is the act at SIGTERM, and when the app is given up. It returns the exit code of g's child if that lives, else code,
// which is that of the last one that ended; g may be nil. Those that retire are ended with it.
func (s *Supervisor) end(g *generation, retirees []*retirement, code int) event {
	b := s.cfg.Timing.Ending()
	s.cfg.Front.LameDuck()
	alive := g != nil && g.alive()
	if alive {
		s.cfg.Logger.Info("ending", "lame_duck", b.LameDuck.String(), "drain", b.Drain.String(), "stop", b.Stop.String(),
			"in_flight", g.backend.Visits().String())
		s.wait(b.LameDuck, g)
	}
	s.drainFront(b.Drain, g, retirees)
	s.cfg.Gate.Refuse(ErrEnding)
	s.endRetirements()
	if g != nil {
		s.cfg.Front.ClosePool(g.backend)
		s.stop(g, b.Stop) // of a dead one what it left in its group
		if alive {
			code = g.exit().Code
		}
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
	// Streams and tunnels do not end by themselves. Requests that have arrived are still let in.
	begin, spread := farewell(bound, s.cfg.Timing.streamDrain(InPlace))
	endStreams := func() {
		s.cfg.Gate.EndStreams(spread)
		for _, r := range retirees {
			r.backend.EndStreams(spread)
		}
	}
	streams := time.AfterFunc(min(begin, bound/2), endStreams)
	defer streams.Stop()
	if err := s.cfg.Front.Drain(ctx); err != nil {
		s.cfg.Logger.Warn("the ending's time has passed: cutting what is left", "visits", g.backend.Visits().String())
	}
	endStreams()
	s.cfg.Gate.Hold()
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
