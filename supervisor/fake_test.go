package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/child"
	"pitstop/drain"
)

// part is how the app of a commit behaves.
type part struct {
	readyAfter time.Duration // 0: at once
	neverReady bool
	exitsAfter time.Duration // before ready, with exitCode; 0: does not
	diesAfter  time.Duration // after ready, with exitCode; 0: does not
	stopTakes  time.Duration // from SIGTERM to its end; longer than the bound: it is killed
	exitCode   int           // of a death, and of an end after SIGTERM
}

// world plays the operating system, the store and the proxy.
type world struct {
	t     *testing.T
	parts map[string]part
	fetch func(ctx context.Context, commit string) error
	gate  *drain.Gate

	mu       sync.Mutex
	running  *fakeChild // the port is one: a second child beside it is a mistake
	launched []*fakeChild
	lame     bool
	inside   int           // requests that the front has accepted
	closed   chan struct{} // closed when the front accepts nothing any more
	empty    chan struct{} // closed when it has then answered all
}

// fakeChild is one process.
type fakeChild struct {
	w       *world
	commit  string
	number  int
	part    part
	ready   bool // guarded by w.mu, as all below
	stopped bool
	exit    child.Exit

	stoppedAt, endedAt time.Time
	exited             chan struct{}
	die                sync.Once
}

func newWorld(t *testing.T) *world {
	return &world{t: t, parts: map[string]part{}, closed: make(chan struct{}), empty: make(chan struct{}),
		gate: drain.New(drain.Bounds{Timeout: timing.Hold, Max: 10000, Bytes: 1 << 30})}
}

var timing = Timing{
	Ready: 10 * time.Second, Settle: 2 * time.Second, Bake: 15 * time.Second, StreamDrain: 5 * time.Second,
	Hold: 30 * time.Second, Stop: 10 * time.Second, LameDuck: 5 * time.Second, TaskStop: 30 * time.Second,
}

func (w *world) supervisor(change ...func(*Config)) *Supervisor {
	cfg := Config{
		Image: Release{Commit: "image"}, Fetcher: w, Launcher: w, Gate: w.gate, Front: w, Timing: timing,
		Restart: Restart{Policy: RestartOnFailure, Max: 5, Window: time.Minute}, Logger: hclog.NewNullLogger(),
	}
	for _, c := range change {
		c(&cfg)
	}
	return New(cfg)
}

// Fetch implements Fetcher.
func (w *world) Fetch(ctx context.Context, commit string) (Release, error) {
	if w.fetch != nil {
		if err := w.fetch(ctx, commit); err != nil {
			return Release{}, &FetchError{Commit: commit, Kind: FetchUnavailable, Err: err}
		}
	}
	if _, ok := w.parts[commit]; !ok {
		return Release{}, &FetchError{Commit: commit, Kind: FetchNotFound, Err: errors.New("no such release")}
	}
	return Release{Commit: commit, Dir: "/releases/" + commit}, nil
}

// Launch implements Launcher.
func (w *world) Launch(r Release) (Child, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running != nil {
		w.t.Errorf("%s is launched while %s still has the port", r.Commit, w.running)
	}
	c := &fakeChild{w: w, commit: r.Commit, number: len(w.launched) + 1, part: w.parts[r.Commit], exited: make(chan struct{})}
	w.running = c
	w.launched = append(w.launched, c)
	if c.part.exitsAfter > 0 {
		time.AfterFunc(c.part.exitsAfter, func() { c.end(child.Exit{Code: c.part.exitCode}) })
	}
	return c, nil
}

// LameDuck, Drain and ClosePool implement Front.
func (w *world) LameDuck() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lame = true
}

func (w *world) Drain(ctx context.Context) error {
	w.mu.Lock()
	close(w.closed)
	if w.inside == 0 {
		close(w.empty)
	}
	w.mu.Unlock()
	select {
	case <-w.empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *world) ClosePool(*drain.Backend) {}

// accept lets a request into the front, which it leaves with answered; false if the front accepts nothing any more.
func (w *world) accept() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.closed:
		return false
	default:
		w.inside++
		return true
	}
}

func (w *world) answered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inside--
	select {
	case <-w.closed:
		if w.inside == 0 {
			close(w.empty)
		}
	default:
	}
}

// child returns the process behind a backend's address.
func (w *world) child(b *drain.Backend) *fakeChild {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.launched {
		if c.addr() == b.Addr {
			return c
		}
	}
	w.t.Errorf("a backend without a child: %s", b.Addr)
	return nil
}

func (c *fakeChild) addr() string   { return fmt.Sprintf("child-%d", c.number) }
func (c *fakeChild) String() string { return fmt.Sprintf("%s (child %d)", c.commit, c.number) }

func (c *fakeChild) Pid() int                { return c.number }
func (c *fakeChild) Exited() <-chan struct{} { return c.exited }
func (c *fakeChild) Exit() child.Exit        { return c.exit }

// Ready implements Child.
func (c *fakeChild) Ready(ctx context.Context) (string, error) {
	var ready <-chan time.Time
	if !c.part.neverReady {
		ready = time.After(c.part.readyAfter)
	}
	select {
	case <-ready:
	case <-c.exited:
		return "", &child.ExitedError{Exit: c.exit}
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	c.w.mu.Lock()
	c.ready = true
	c.w.mu.Unlock()
	if c.part.diesAfter > 0 {
		time.AfterFunc(c.part.diesAfter, func() { c.end(child.Exit{Code: c.part.exitCode}) })
	}
	return c.addr(), nil
}

// Stop implements Child.
func (c *fakeChild) Stop(ctx context.Context) (time.Duration, bool) {
	start := time.Now()
	c.w.mu.Lock()
	if !c.stopped {
		c.stopped, c.stoppedAt = true, time.Now()
	}
	c.w.mu.Unlock()
	select {
	case <-c.exited:
		return time.Since(start), false
	case <-time.After(c.part.stopTakes):
		c.end(child.Exit{Code: c.part.exitCode})
		return time.Since(start), false
	case <-ctx.Done():
		c.end(child.Exit{Code: 137, Signal: syscall.SIGKILL})
		return time.Since(start), true
	}
}

func (c *fakeChild) end(e child.Exit) {
	c.die.Do(func() {
		c.w.mu.Lock()
		c.exit, c.endedAt = e, time.Now()
		if c.w.running == c {
			c.w.running = nil
		}
		c.w.mu.Unlock()
		close(c.exited)
	})
}
