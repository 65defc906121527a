package drain

import (
	"container/list"
	"context"
	"time"
)

// verdictWait is how long Retry waits to learn whether the backend that failed a visit has died. The kernel
// closes a dying process's sockets before its parent hears of the death; between the two lie milliseconds.
const verdictWait = 500 * time.Millisecond

// waiter is one waiting request.
type waiter struct {
	ask     Ask
	since   time.Time
	queued  bool       // is in Gate.waiting; guarded by Gate.mu
	granted chan Visit // of capacity one
	refused chan error // of capacity one
}

// wait queues w, at the head if it is a retry, and returns when it is let in, refused, out of time or left.
func (g *Gate) wait(ctx context.Context, w *waiter, head bool) (Visit, error) {
	w.granted, w.refused = make(chan Visit, 1), make(chan error, 1)
	e, v, err := g.queue(w, head)
	if e == nil {
		return v, err
	}
	timer := time.NewTimer(time.Until(w.since.Add(g.bounds.Timeout)))
	defer timer.Stop()
	select {
	case v := <-w.granted:
		return v, nil
	case err := <-w.refused:
		return Visit{}, err
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-timer.C:
		err = ErrHeldTooLong
	}
	return Visit{}, g.giveUp(e, err)
}

// queue puts w into the queue and returns its place, or lets it in, or refuses it.
func (g *Gate) queue(w *waiter, head bool) (*list.Element, Visit, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if v, ok := g.admitLocked(w.ask, w.since); ok { // somebody serves by now
		return nil, v, nil
	}
	if g.refused != nil {
		return nil, Visit{}, g.refused
	}
	if g.waiting.Len() >= g.bounds.Max || g.bytes+int64(w.ask.Buffered) > g.bounds.Bytes {
		return nil, Visit{}, ErrHoldFull
	}
	g.held++
	w.queued = true
	g.bytes += int64(w.ask.Buffered)
	if head {
		return g.waiting.PushFront(w), Visit{}, nil
	}
	return g.waiting.PushBack(w), Visit{}, nil
}

// giveUp takes a waiter out of the queue. One that was granted a visit at the same moment leaves it again.
func (g *Gate) giveUp(e *list.Element, err error) error {
	w := e.Value.(*waiter)
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.queued {
		g.removeLocked(e)
		return err
	}
	select {
	case v := <-w.granted:
		v.backend.leaveLocked(v.ask.Kind)
	default: // refused at the same moment
	}
	return err
}

func (g *Gate) removeLocked(e *list.Element) *waiter {
	w := g.waiting.Remove(e).(*waiter)
	w.queued = false
	g.bytes -= int64(w.ask.Buffered)
	return w
}

// died waits for the verdict on a backend that failed a visit: nil when it is gone, ErrAlive when it is not.
func (b *Backend) died(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, verdictWait, ErrAlive)
	defer cancel()
	for {
		state, changed := b.State()
		if state == Gone {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
