package drain

import (
	"context"
	"time"
)

// State is what a backend is to new and to endless visits.
type State uint8

// The states of a backend.
const (
	// Idle is a backend that has not been served yet.
	Idle State = iota
	// Serving means that new visits may come.
	Serving
	// Retiring means that no new visit comes, and those here may end in their own time. Serve may bring it back.
	Retiring
	// Ending means that streams and tunnels have had their time and must end now.
	Ending
	// Gone means that the backend died: nothing it was asked will be answered.
	Gone
)

func (s State) String() string {
	return [...]string{"idle", "serving", "retiring", "ending", "gone"}[s]
}

// Backend is the address of one child with its counts of visits. It belongs to the Gate that made it.
type Backend struct {
	// Addr is where the child listens, as "host:port" or "unix:/path".
	Addr string

	gate *Gate

	// Guarded by gate.mu.
	state   State
	changed chan struct{} // closed and replaced at each change of state
	visits  Counts
	total   int
	empty   chan struct{} // closed when total falls to zero; nil while nobody waits for it
	spread  time.Duration // over which streams and tunnels are to end
}

// State returns what the backend is now, and a channel that is closed when that has changed.
func (b *Backend) State() (State, <-chan struct{}) {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	return b.state, b.changed
}

// Visits counts those with the backend now.
func (b *Backend) Visits() Counts {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	return b.visits
}

// EndStreams tells the streams and tunnels of a retiring backend that their time is over. They are to end spread over
// a time, since their clients come back at once. It does nothing to a backend that was brought back meanwhile.
func (b *Backend) EndStreams(spread time.Duration) {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	if b.state == Retiring {
		b.spread = spread
		b.setLocked(Ending)
	}
}

// Spread is the time over which the streams and tunnels of an ending backend are to end.
func (b *Backend) Spread() time.Duration {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	return b.spread
}

// Drained waits until no visit is with the backend. It is for a backend that is retired (Hold, Serve of
// another, Remove): with one that serves, zero lasts no longer than the call.
// When ctx ends first it returns a *BusyError.
func (b *Backend) Drained(ctx context.Context) error {
	start := time.Now()
	for {
		b.gate.mu.Lock()
		if b.total == 0 {
			b.gate.mu.Unlock()
			return nil
		}
		if b.empty == nil {
			b.empty = make(chan struct{})
		}
		empty := b.empty
		b.gate.mu.Unlock()

		select {
		case <-empty:
		case <-ctx.Done():
			if visits := b.Visits(); visits.Total() > 0 {
				return &BusyError{Cause: context.Cause(ctx), Waited: time.Since(start), Visits: visits}
			}
			return nil
		}
	}
}

// setLocked changes the state and says whether it could: there is no way back from Gone.
func (b *Backend) setLocked(s State) bool {
	if b.state == Gone {
		return false
	}
	if b.state != s {
		b.state = s
		close(b.changed)
		b.changed = make(chan struct{})
	}
	return true
}

func (b *Backend) enterLocked(k Kind) {
	b.visits[k]++
	b.total++
}

func (b *Backend) leaveLocked(k Kind) {
	b.visits[k]--
	b.total--
	if b.visits[k] < 0 {
		panic("drain: a visit left twice")
	}
	if b.total == 0 && b.empty != nil {
		close(b.empty)
		b.empty = nil
	}
}
