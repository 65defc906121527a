package drain

import "time"

// Ask is what the gate wants to know of a request before it lets it in.
type Ask struct {
	// Kind is what the visit will be counted as.
	Kind Kind
	// Buffered is the size in bytes of the body that is kept in memory while the request waits.
	Buffered int
	// Replayable says that the request may be sent a second time if its backend dies (RFC 9110, 9.2.2:
	// an idempotent method, and a body that is empty or still buffered). Only such ones are let in to a
	// backend on trial.
	Replayable bool
}

// Visit is one request's stay with a backend. It ends with exactly one Leave, or is handed to Retry.
type Visit struct {
	backend *Backend
	ask     Ask
	since   time.Time // when it began to wait; zero if it never did
}

// Backend is where the request is to be sent.
func (v Visit) Backend() *Backend { return v.backend }

// Become changes what the visit is counted as: a request turns out to be a stream, a tunnel.
func (v *Visit) Become(k Kind) {
	g := v.backend.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	v.backend.visits[v.ask.Kind]--
	v.backend.visits[k]++
	v.ask.Kind = k
}

// Leave ends the visit. It panics when the visit has been left before.
func (v Visit) Leave() {
	g := v.backend.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	v.backend.leaveLocked(v.ask.Kind)
}
