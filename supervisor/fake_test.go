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
	hangsAfter time.Duration // after ready; 0: does not
	public     bool          // listens on the port itself, so that a second one cannot run beside it
	unfit      bool          // is refused before its launch
	ooms       bool          // its death is the kernel's kill for want of memory
}

// world plays the operating system, the store and the proxy.
type world struct {
	t     *testing.T
	parts map[string]part
	fetch func(ctx context.Context, commit string) error
	gate  *drain.Gate

	mu       sync.Mutex
	alive    map[*fakeChild]bool
	launched []*fakeChild
	portOpen bool   // the app's port is held for sidecars
	crowded  bool   // there is no room for a second child
	looks    func() // what happens while the room is looked at
	oomKills uint64
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
	beside  bool
	stopped bool
	exit    child.Exit

	readyAt, stoppedAt, endedAt time.Time
	exited                      chan struct{}
	die                         sync.Once
}

func newWorld(t *testing.T) *world {
	return &world{t: t, parts: map[string]part{}, alive: map[*fakeChild]bool{}, closed: make(chan struct{}), empty: make(chan struct{}),
		gate: drain.New(drain.Bounds{Timeout: timing.Hold, Max: 10000, Bytes: 1 << 30})}
}

var timing = Timing{
	Ready: 10 * time.Second, Settle: 2 * time.Second, Bake: 15 * time.Second,
	Hold: 30 * time.Second, Stop: 10 * time.Second, LameDuck: 5 * time.Second, TaskStop: 30 * time.Second,
}

func (w *world) supervisor(change ...func(*Config)) *Supervisor {
	cfg := Config{
		Image: Release{Commit: "image"}, Fetcher: w, Launcher: w, Gate: w.gate, Front: w, Room: w, Port: port{w}, Timing: timing,
		Strategy: InPlace,
		Restart:  Restart{Policy: RestartOnFailure, Max: 5, Window: time.Minute, RelaunchCode: 88}, Logger: hclog.NewNullLogger(),
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

// Check implements Launcher.
func (w *world) Check(r Release) error {
	if w.parts[r.Commit].unfit {
		return errors.New("it has no server.js")
	}
	return nil
}

// Launch implements Launcher.
func (w *world) Launch(r Release, beside bool) (Child, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checkLaunch(r, beside)
	c := &fakeChild{w: w, commit: r.Commit, number: len(w.launched) + 1, part: w.parts[r.Commit], exited: make(chan struct{}), beside: beside}
	w.alive[c] = true
	w.launched = append(w.launched, c)
	if beside && c.part.public {
		time.AfterFunc(time.Millisecond, func() { c.end(child.Exit{Code: 1}) }) // EADDRINUSE
	}
	if c.part.exitsAfter > 0 {
		time.AfterFunc(c.part.exitsAfter, func() { c.end(child.Exit{Code: c.part.exitCode}) })
	}
	return c, nil
}

// checkLaunch checks that the app's port is free for a new child, and that no more children are there than may be.
func (w *world) checkLaunch(r Release, beside bool) {
	serving := 0
	for c := range w.alive {
		if !beside && !c.stopped && c.ready && !c.hung() {
			serving++
		}
		if c.part.public && w.parts[r.Commit].public {
			w.t.Errorf("%s is launched while %s still has the port", r.Commit, c)
		}
	}
	if serving > 0 && !w.retiring(serving) {
		w.t.Errorf("%s is launched in-place while %d others are alive", r.Commit, serving)
	}
	if w.portOpen && !beside {
		w.t.Errorf("%s is launched while the port is held for sidecars", r.Commit)
	}
	if len(w.alive) > 1+maxRetiring {
		w.t.Errorf("%s is launched beside %d others", r.Commit, len(w.alive))
	}
}

// retiring says whether n children may still be there from overlaps before.
func (w *world) retiring(n int) bool { return n <= maxRetiring }

// Fits, Newcomer, Settled and OOMKills implement Room.
func (w *world) Fits(context.Context, int) (bool, string) {
	if w.looks != nil {
		w.looks()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.crowded, "so says the test"
}
func (w *world) Newcomer(int) {}
func (w *world) Settled(int)  {}
func (w *world) OOMKills() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.oomKills
}

// port implements Port.
type port struct{ w *world }

func (p port) Open()  { p.set(true) }
func (p port) Close() { p.set(false) }
func (p port) set(open bool) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.portOpen = open
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
func (c *fakeChild) Entry() string           { return "" }
func (c *fakeChild) Private() bool           { return !c.part.public }

// Overlaps implements Child.
func (c *fakeChild) Overlaps() error {
	if c.part.public {
		return errors.New("it listens on its port itself")
	}
	return nil
}

// Hung implements Child.
func (c *fakeChild) Hung(ctx context.Context) error {
	var hangs <-chan time.Time
	if c.part.hangsAfter > 0 {
		hangs = time.After(c.part.hangsAfter)
	}
	select {
	case <-hangs:
		return errors.New("three probes missed")
	case <-ctx.Done():
		return nil
	}
}

// hung says whether it hangs by now; w.mu is held.
func (c *fakeChild) hung() bool {
	return c.part.hangsAfter > 0 && c.ready && time.Since(c.readyAt) >= c.part.hangsAfter
}

// Ready implements Child.
func (c *fakeChild) Ready(ctx context.Context) (string, error) {
	var ready <-chan time.Time
	if !c.part.neverReady && !(c.beside && c.part.public) {
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
	c.ready, c.readyAt = true, time.Now()
	c.w.mu.Unlock()
	if c.part.diesAfter > 0 {
		time.AfterFunc(c.part.diesAfter, func() { c.end(c.death()) })
	}
	return c.addr(), nil
}

func (c *fakeChild) death() child.Exit {
	if c.part.ooms {
		return child.Exit{Code: 137, Signal: syscall.SIGKILL}
	}
	return child.Exit{Code: c.part.exitCode}
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
		delete(c.w.alive, c)
		if c.part.ooms && e.Signal == syscall.SIGKILL {
			c.w.oomKills++
		}
		c.w.mu.Unlock()
		close(c.exited)
	})
}
