package supervisor

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Supervisor owns the child.
type Supervisor struct {
	// Set by New, never changed.
	cfg     Config
	events  chan event
	asks    chan ask
	stopped chan struct{}  // closed when Run returns
	running sync.WaitGroup // every goroutine that Run has started

	// Owned by the loop.
	state    state
	newest   *generation // the last that served, dead or alive; nil before the first
	retirees map[int]*retirement
	releases map[string]Release      // what decide may name
	waiting  []chan<- answer         // callers of the reload under way
	fetched  StepTook                // of the reload under way
	outcome  Outcome                 // of the act that has just ended
	endAct   context.CancelCauseFunc // ends the act in the slot

	// Owned by the act in the slot.
	measured measured
	crowded  bool // the last overlap ended with a kill for want of memory

	// Of those that retire beside the slot: their places, and the end of their patience.
	retiring       chan struct{}
	retireContext  context.Context // ends when the ending has had its drain
	endRetirements context.CancelFunc

	// Read by anyone.
	hurried chan struct{} // closed at the second signal
	number  atomic.Int64  // of the newest generation
	step    atomic.Pointer[Step]
	status  atomic.Pointer[Status]
}

// ask is a caller's request with the way back to it.
type ask struct {
	Request
	reply chan<- answer // of capacity one
}

type answer struct {
	outcome Outcome
	err     error
}

// measured is what past launches took, which tells how long a reload will hold requests.
type measured struct {
	start, stop time.Duration
}

// New makes a supervisor; Run starts it.
func New(cfg Config) *Supervisor {
	s := &Supervisor{
		cfg: cfg, events: make(chan event), asks: make(chan ask), stopped: make(chan struct{}), hurried: make(chan struct{}),
		state:    state{Image: cfg.Image.Commit, Want: cfg.Image.Commit},
		releases: map[string]Release{cfg.Image.Commit: cfg.Image},
		retirees: map[int]*retirement{}, retiring: make(chan struct{}, maxRetiring),
	}
	s.retireContext, s.endRetirements = context.WithCancel(context.Background())
	s.publish()
	return s
}

// Run keeps a child serving until Terminate, or until the child cannot be kept up, and returns the exit code that
// the container should end with. No child is left when it returns.
func (s *Supervisor) Run() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer s.running.Wait()
	defer close(s.stopped)
	defer cancel(ErrEnding)
	defer s.endRetirements()

	s.handle(ctx, begun{}, nil)
	for {
		select {
		case a := <-s.asks:
			s.handle(ctx, asked{a.Request}, a.reply)
		case e := <-s.events:
			if e, ok := e.(over); ok {
				return e.code
			}
			s.handle(ctx, s.absorb(e), nil)
		}
	}
}

// Terminate asks for the ending; the second time it skips the ending's waits.
func (s *Supervisor) Terminate() { s.tell(terminated{}) }

// Reload replaces the child by one that runs another commit, and returns when that has succeeded or failed. Its
// errors are *RefusedError, *BusyError, *FetchError, *ReloadError, ErrEnding, or the context's cause: a
// caller that left, whose reload goes on.
func (s *Supervisor) Reload(ctx context.Context, r Request) (Outcome, error) {
	start := time.Now()
	reply := make(chan answer, 1)
	select {
	case s.asks <- ask{r, reply}:
	case <-s.stopped:
		return Outcome{}, ErrEnding
	case <-ctx.Done():
		return Outcome{}, context.Cause(ctx)
	}
	select {
	case a := <-reply:
		a.outcome.Took = time.Since(start)
		return a.outcome, a.err
	case <-s.stopped:
		return Outcome{}, ErrEnding
	case <-ctx.Done():
		return Outcome{}, context.Cause(ctx)
	}
}

// tell sends the loop an event.
func (s *Supervisor) tell(e event) {
	select {
	case s.events <- e:
	case <-s.stopped:
	}
}

// absorb takes what an event carries besides what decide needs of it.
func (s *Supervisor) absorb(e event) event {
	switch e := e.(type) {
	case fetchResult:
		s.fetched = StepTook{StepFetch, e.took}
		if e.err == nil {
			s.releases[e.release.Commit] = e.release
		}
		return fetchEnded{e.err}
	case actResult:
		s.endAct(nil)
		s.outcome = e.outcome
		s.step.Store(nil)
		if g := e.generation; g != nil && g != s.newest {
			s.newest = g
			s.follow(g)
		}
		if g := e.generation; g != nil && !g.alive() { // in the act, when nobody listened
			e.serving, e.exit = 0, g.exit().Code
		}
		if e.serving == 0 && s.newest != nil && errors.Is(e.err, ErrEnding) {
			e.exit = s.newest.exit().Code // the newcomer was not given the time; the last word is the old one's
		}
		if e.retirement != nil {
			s.retirees[e.retirement.number] = e.retirement
		}
		return e.actEnded
	case retired:
		delete(s.retirees, e.generation)
		return e
	default:
		return e
	}
}

// handle lets decide look at an event and does what it says.
func (s *Supervisor) handle(ctx context.Context, e event, asker chan<- answer) {
	next, actions := decide(s.cfg.Restart, s.state, e)
	s.state = next
	for _, a := range actions {
		s.perform(ctx, a, asker)
	}
	s.outcome = Outcome{} // of the act that this event ended, if it did
	s.publish()
}

// perform does one thing that decide said.
func (s *Supervisor) perform(ctx context.Context, a action, asker chan<- answer) {
	switch a.do {
	case refuse:
		asker <- answer{err: a.err}
	case same:
		asker <- answer{outcome: Outcome{Commit: s.state.Want, Previous: s.state.Want, Unchanged: true}}
	case join:
		s.waiting = append(s.waiting, asker)
	case fetch:
		s.running.Go(func() { s.tell(s.fetch(ctx, a.commit)) })
	case swap:
		old, r := s.newest, s.state.Reload.Request
		next, back := s.releases[a.commit], s.releases[s.state.Want]
		s.lend(ctx, func(ctx context.Context) event { return s.swap(ctx, old, next, back, r) })
	case launch:
		old, next := s.newest, s.releases[a.commit]
		s.lend(ctx, func(ctx context.Context) event { return s.relaunch(ctx, old, next) })
	case arm:
		s.arm(ctx, a.after)
	case finish:
		s.finish(a.err)
	case recall:
		s.bringBack(ctx, s.retirees[s.state.Back.generation])
	case cancel:
		s.endAct(ErrEnding)
	case end:
		s.lendEnd(ctx)
	case hurry:
		s.cfg.Logger.Warn("another signal to end: skipping the waits")
		close(s.hurried)
	case giveUp:
		s.cfg.Logger.Error("the app cannot be kept up: ending", "commit", s.state.Want, "exit_code", s.state.Exit)
		s.lendEnd(ctx)
	}
}

// bringBack serves a retiring generation again, if it can, in the place of the newest one, which has died.
func (s *Supervisor) bringBack(ctx context.Context, r *retirement) {
	ok := s.recall(r)
	if ok {
		dead := s.newest
		s.running.Go(func() { s.kill(dead.child) }) // what it has left in its group
		s.newest = r.generation                     // followed since it first served
	}
	s.handle(ctx, recalled{ok: ok, at: time.Now()}, nil)
}

// lendEnd runs the last act.
func (s *Supervisor) lendEnd(ctx context.Context) {
	g, code, retirees := s.newest, s.state.Exit, slices.Collect(maps.Values(s.retirees))
	if g == nil && s.state.Terms > 0 && code == 0 {
		code = exitOf(ErrEnding)
	}
	s.lend(ctx, func(context.Context) event { return s.end(g, retirees, code) })
}

// lend runs an act in the slot; its result is an event.
func (s *Supervisor) lend(ctx context.Context, act func(context.Context) event) {
	ctx, s.endAct = context.WithCancelCause(ctx)
	s.running.Go(func() { s.tell(act(ctx)) })
}

// finish answers all who wait for the reload.
func (s *Supervisor) finish(err error) {
	outcome := s.outcome
	if err == nil && outcome.Commit == "" {
		outcome = Outcome{Staged: true, Previous: s.state.Want, Commit: s.state.Want}
	}
	outcome.Steps = append([]StepTook{s.fetched}, outcome.Steps...)
	for _, reply := range s.waiting {
		reply <- answer{outcome, err}
	}
	s.waiting = nil
}

// arm tells the loop after a while, with jitter, to launch again what went down.
func (s *Supervisor) arm(ctx context.Context, after time.Duration) {
	wait := after + rand.N(after/4+1)
	s.cfg.Logger.Warn("the app is down: launching it again", "commit", s.state.Want, "exit_code", s.state.Exit,
		"deaths", len(s.state.Deaths), "limit", s.cfg.Restart.Max, "in", text(wait))
	s.running.Go(func() {
		select {
		case <-time.After(wait):
			s.tell(relaunchDue{})
		case <-ctx.Done():
		}
	})
}
