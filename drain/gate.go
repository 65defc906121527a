package drain

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"time"
)

// Bounds limits the hold.
type Bounds struct {
	// Timeout is how long one request may wait in all, over several waits too.
	Timeout time.Duration
	// Max is how many requests may wait at once.
	Max int
	// Bytes is how much of bodies the waiting ones may keep in memory together.
	Bytes int64
}

// Gate admits requests to backends, or keeps them waiting.
type Gate struct {
	bounds Bounds

	mu      sync.Mutex // admission, choice and counting are one step under it
	serving []*Backend // new visits go here; empty: all wait
	trial   *Backend   // replayable visits go here first; nil: none
	since   time.Time  // when serving became empty; zero while it is not
	refused error      // set: nobody is let in or waits
	waiting list.List  // of *waiter, the oldest first
	bytes   int64      // what the waiting ones have buffered
	held    uint64     // how many have ever waited
	longest time.Duration
}

// New returns a gate that holds until Serve.
func New(bounds Bounds) *Gate {
	return &Gate{bounds: bounds, since: time.Now()}
}

// NewBackend makes a backend for the child that listens at addr. It gets no visit before Serve or Trial.
func (g *Gate) NewBackend(addr string) *Backend {
	return &Backend{Addr: addr, gate: g, changed: make(chan struct{})}
}

// TryEnter lets the request in if it need not wait. It never blocks and never allocates.
func (g *Gate) TryEnter(a Ask) (Visit, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.admitLocked(a, time.Time{})
}

// Enter lets the request in, after a wait within the bounds if need be. It returns the context's cause when
// the client has left, ErrHeldTooLong or ErrHoldFull past the bounds, or what Refuse was given.
func (g *Gate) Enter(ctx context.Context, a Ask) (Visit, error) {
	if v, ok := g.TryEnter(a); ok {
		return v, nil
	}
	return g.wait(ctx, &waiter{ask: a, since: time.Now()}, false)
}

// Retry ends a visit that failed and lets the request in to another backend, waiting at the head of the queue
// with its original age. It fails with ErrAlive, shortly after, when the backend turns out not to have died:
// then the failure is the app's own. Otherwise its errors are those of Enter.
func (g *Gate) Retry(ctx context.Context, v Visit) (Visit, error) {
	v.Leave()
	if err := v.backend.died(ctx); err != nil {
		return Visit{}, err
	}
	since := v.since
	if since.IsZero() {
		since = time.Now()
	}
	return g.wait(ctx, &waiter{ask: v.ask, since: since}, true)
}

// Hold makes new requests wait. Backends that served are retiring from now on.
func (g *Gate) Hold() { g.Serve() }

// Serve sends new requests, and those that wait, to these backends, the one with the fewest visits first.
// Others that served are retiring from now on; a trial is over. A retiring one may be brought back.
func (g *Gate) Serve(backends ...*Backend) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.placeLocked(backends, nil)
}

// Trial sends requests that could be sent again to the newcomer, and all others to the backends that serve;
// with none, those wait. So nothing is lost with a newcomer that dies at once.
func (g *Gate) Trial(newcomer *Backend) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.placeLocked(g.serving, newcomer)
}

// EndStreams tells the streams and tunnels of those that serve that their time is over, spread over a time; requests are
// let in all the same.
func (g *Gate) EndStreams(spread time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range append([]*Backend{g.trial}, g.serving...) {
		if b != nil {
			b.spread = spread
			b.setLocked(Ending)
		}
	}
}

// Remove takes out a backend that has died, at once. If it was the last one, requests wait.
func (g *Gate) Remove(b *Backend) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.setLocked(Gone)
	g.placeLocked(g.serving, g.trial)
}

// Refuse turns new requests and those that wait away with err; visits that are in go on. Refuse(nil) lets in
// again.
func (g *Gate) Refuse(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = err
	if err == nil {
		g.admitWaitingLocked()
		return
	}
	for e := g.waiting.Front(); e != nil; e = g.waiting.Front() {
		g.removeLocked(e).refused <- err
	}
}

// Held describes the hold.
type Held struct {
	// Now is how many wait; the oldest since Oldest.
	Now    int
	Oldest time.Time
	// Since is when the last backend stopped serving; zero while one serves.
	Since time.Time
	// Total is how many have ever waited, Longest the longest wait that ended with admission.
	Total   uint64
	Longest time.Duration
}

// Held returns the state of the hold.
func (g *Gate) Held() Held {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := Held{Now: g.waiting.Len(), Since: g.since, Total: g.held, Longest: g.longest}
	for e := g.waiting.Front(); e != nil; e = e.Next() {
		if since := e.Value.(*waiter).since; h.Oldest.IsZero() || since.Before(h.Oldest) {
			h.Oldest = since
		}
	}
	return h
}

// placeLocked sets where visits go, tells the backends what they have become, and lets in who waits. A
// backend that died on its way here is left out.
func (g *Gate) placeLocked(serving []*Backend, trial *Backend) {
	before := append([]*Backend{g.trial}, g.serving...)
	g.serving, g.trial = nil, nil
	for _, b := range serving {
		if b.setLocked(Serving) {
			g.serving = append(g.serving, b)
		}
	}
	if trial != nil && trial.setLocked(Serving) {
		g.trial = trial
	}
	for _, b := range before {
		if b != nil && b != g.trial && !slices.Contains(g.serving, b) {
			b.setLocked(Retiring)
		}
	}
	switch {
	case len(g.serving) > 0:
		g.since = time.Time{}
	case g.since.IsZero():
		g.since = time.Now()
	}
	g.admitWaitingLocked()
}

// admitWaitingLocked lets in who waits and need not, in order.
func (g *Gate) admitWaitingLocked() {
	for e := g.waiting.Front(); e != nil; {
		next := e.Next()
		w := e.Value.(*waiter)
		if v, ok := g.admitLocked(w.ask, w.since); ok {
			g.removeLocked(e)
			g.longest = max(g.longest, time.Since(w.since))
			w.granted <- v
		}
		e = next
	}
}

// admitLocked is the one step: choose a backend and count the visit.
func (g *Gate) admitLocked(a Ask, since time.Time) (Visit, bool) {
	if g.refused != nil {
		return Visit{}, false
	}
	var best *Backend
	if g.trial != nil && a.Replayable {
		best = g.trial
	} else {
		for _, b := range g.serving {
			if best == nil || b.total < best.total {
				best = b
			}
		}
	}
	if best == nil {
		return Visit{}, false
	}
	best.enterLocked(a.Kind)
	return Visit{backend: best, ask: a, since: since}, true
}
