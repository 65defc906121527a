package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pitstop/drain"
)

// Strategy is how a child is replaced.
type Strategy string

// The strategies.
const (
	// Auto is overlap where there is room for a second child, else in-place.
	Auto Strategy = "auto"
	// Overlap starts the new child before it stops the old one.
	Overlap Strategy = "overlap"
	// InPlace starts it after.
	InPlace Strategy = "in-place"
)

// defaultOverlapDrain bounds the drain of an old child beside which a new one serves already.
const defaultOverlapDrain = 5 * time.Minute

// chooseStrategy says how a child that serves is to be replaced, and why.
func (s *Supervisor) chooseStrategy(ctx context.Context, old *generation, force bool) (Strategy, string, error) {
	if s.cfg.Strategy == InPlace {
		return InPlace, "as set", nil
	}
	why := ""
	if err := old.child.Overlaps(); err != nil {
		why = err.Error()
	} else if s.cfg.Strategy == Overlap {
		return Overlap, "as set", nil
	} else if s.crowded {
		s.crowded = false
		why = "the last overlap ended with a kill for want of memory"
	} else {
		fits, figures := s.cfg.Room.Fits(ctx, old.child.Pid())
		if fits {
			return Overlap, figures, nil
		}
		why = figures
	}
	if s.cfg.Strategy == Overlap && !force {
		return "", "", &RefusedError{Reason: fmt.Sprintf(
			"--strategy=overlap is not possible: %s; use --strategy=auto or in-place, or force it", why)}
	}
	return InPlace, why, nil
}

// drainBound is what an in-place reload's drain may take: everybody waits while the old child drains and stops and
// the new one starts and settles, so the drain gets what the hold leaves of that.
func (s *Supervisor) drainBound(force bool) (time.Duration, error) {
	t := s.cfg.Timing
	left := t.DrainLeft(s.measured.start, s.measured.stop)
	switch {
	case t.Drain != nil && *t.Drain == 0:
		return 0, nil
	case left > 0:
		return left, nil
	case force:
		return time.Second, nil
	}
	return 0, &RefusedError{Reason: fmt.Sprintf(
		"an in-place reload would hold requests too long: --hold-timeout %s − last start %s − last stop %s − --settle %s − %s leaves nothing for the drain; raise --hold-timeout, or force it",
		t.Hold, s.measured.start.Round(time.Millisecond), s.measured.stop.Round(time.Millisecond), t.Settle, reserve)}
}

// DrainLeft is what the hold leaves for the drain of an in-place reload, with a start and a stop of these lengths; at most
// what is set for it.
func (t Timing) DrainLeft(start, stop time.Duration) time.Duration {
	left := t.Hold - start - stop - t.Settle - reserve
	if t.Drain != nil && *t.Drain > 0 {
		left = min(left, *t.Drain)
	}
	return left
}

// streamDrain is what streams and tunnels get of a drain: where everybody waits for it, little; else all of it.
func (t Timing) streamDrain(s Strategy) time.Duration {
	switch {
	case t.StreamDrain != nil:
		return *t.StreamDrain
	case s == InPlace:
		return 5 * time.Second
	case t.Drain != nil && *t.Drain > 0:
		return *t.Drain
	default:
		return defaultOverlapDrain
	}
}

// drained waits for the drain of a backend within the bound, 0 for none, and until ctx ends. It returns who is still there.
func (s *Supervisor) drained(ctx context.Context, g *generation, bound, streamDrain time.Duration) *drain.BusyError {
	streamDrain, spread := farewell(bound, streamDrain)
	streams := time.AfterFunc(streamDrain, func() { g.backend.EndStreams(spread) })
	defer streams.Stop()
	if bound > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, bound)
		defer cancel()
	}
	var busy *drain.BusyError
	errors.As(g.backend.Drained(ctx), &busy)
	return busy
}

const (
	// maxSpread is over how long the ends of streams and tunnels are spread at most: all their clients come back at once.
	maxSpread = 10 * time.Second
	// goodbye is what the last of them gets to end in a way that its client understands.
	goodbye = 2 * time.Second
)

// farewell says when streams and tunnels are to end in a drain of this bound, 0 for none, and spread over how long, so that
// they have ended when the bound is reached.
func farewell(bound, streamDrain time.Duration) (begin, spread time.Duration) {
	spread = min(maxSpread, streamDrain)
	if bound > 0 {
		spread = min(spread, bound/4)
		streamDrain = min(streamDrain, max(bound/2, bound-spread-goodbye))
	}
	return streamDrain, spread
}
