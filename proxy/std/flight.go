package std

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// flight is one exchange while it lasts: what is known of it, for the observer.
type flight struct {
	id    string
	start time.Time
	asked *http.Request // as the server made it, which is where it puts the trailer

	control  sync.Mutex // held while rc is used
	rc       *http.ResponseController
	returned bool // the handler has: rc is not to be touched any more

	stay *stay // with the child; nil: there is none. It belongs to the handler.

	received, sent atomic.Int64
	bodiless       atomic.Bool // the response ends with its head

	mu       sync.Mutex
	held     time.Duration
	status   int
	kind     drain.Kind
	backend  string
	replayed bool
	err      error // the first thing that went wrong
	bodyErr  error // what went wrong in reading from the client
}

// controlled uses the response's controller. Readers of the request's body and timers may outlive the handler, after which
// net/http's HTTP/2 panics there, and HTTP/1.1 would set the deadlines of the next request.
func (f *flight) controlled(use func(*http.ResponseController)) {
	f.control.Lock()
	defer f.control.Unlock()
	if f.rc != nil && !f.returned {
		use(f.rc)
	}
}

func (f *flight) setReadDeadline(t time.Time) {
	f.controlled(func(rc *http.ResponseController) { _ = rc.SetReadDeadline(t) })
}

func (f *flight) setWriteDeadline(t time.Time) {
	f.controlled(func(rc *http.ResponseController) { _ = rc.SetWriteDeadline(t) })
}

// stays notes where the request is.
func (f *flight) stays(s *stay) { f.stay = s }

// leaveChild ends what a handler that has panicked left with the child.
func (f *flight) leaveChild() {
	if f.stay != nil {
		f.stay.read()
	}
}

// leave says that the handler returns.
func (f *flight) leave() {
	f.control.Lock()
	defer f.control.Unlock()
	f.returned = true
}

type flightKey struct{}

// flightOf finds the flight of a request; one that came by no listener has one that nobody looks at.
func flightOf(ctx context.Context) *flight {
	if f, ok := ctx.Value(flightKey{}).(*flight); ok {
		return f
	}
	return &flight{}
}

// failed notes what went wrong, if nothing did before.
func (f *flight) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

// clientFailed notes that the request's body could not be read.
func (f *flight) clientFailed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bodyErr == nil {
		f.bodyErr = err
	}
}

func (f *flight) clientError() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bodyErr
}

func (f *flight) answered(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = status
}

// entered notes an admission after a wait.
func (f *flight) entered(v drain.Visit, waited time.Duration, again bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.backend, f.replayed = v.Backend().Addr, again
	f.held += waited
}

func (f *flight) became(k drain.Kind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kind = k
}

// over tells the observer of the exchange.
func (f *flight) over(o proxy.Observer, r *http.Request) {
	f.mu.Lock()
	x := proxy.Exchange{
		Start: f.start, Took: time.Since(f.start), Held: f.held, Method: []byte(r.Method), Target: []byte(r.RequestURI), Host: []byte(r.Host),
		Proto: r.Proto, Client: r.RemoteAddr, RequestID: []byte(f.id), Status: f.status, Received: f.received.Load(), Sent: f.sent.Load(),
		Kind: f.kind, Backend: f.backend, Replayed: f.replayed, Err: f.err,
	}
	if x.Err == nil {
		x.Err = f.bodyErr
	}
	f.mu.Unlock()
	if x.Status == 0 { // it was cut before it had an answer
		x.Status = proxy.StatusClientGone
	}
	o.Done(&x)
}
