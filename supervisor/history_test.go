package supervisor

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/child"
	"pitstop/drain"
)

var (
	histories = flag.Int("histories", 1500, "how many random histories are played")
	seed      = flag.Uint64("seed", 0, "play only the history of this seed")
)

// TestSupervisor_KeepsItsPromisesInRandomHistories plays reloads, crashes, hangs, slow starts, slow fetches, callers
// that leave, and SIGTERM at any moment, under load, through the real supervisor and the real gate. A failure
// names the seed that plays it again: go test ./supervisor -run RandomHistories -seed N.
func TestSupervisor_KeepsItsPromisesInRandomHistories(t *testing.T) {
	first, last := uint64(1), uint64(*histories)
	if *seed != 0 {
		first, last = *seed, *seed
	}
	for n := first; n <= last; n++ {
		ok := t.Run(fmt.Sprintf("seed=%d", n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newHistory(t, n).play() })
		})
		if !ok {
			return
		}
	}
}

// history is one random course of events.
type history struct {
	*world
	rand *rand.Rand
	s    *Supervisor
	// calm: nothing crashes or fails and nobody ends it; then no request at all may be lost.
	calm    bool
	mixed   bool // some apps listen on their port themselves; then no overlap is possible from them
	ending  bool // guarded by world.mu
	callers sync.WaitGroup
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{world: newWorld(t), rand: rand.New(rand.NewPCG(seed, 0))}
	h.calm = h.rand.IntN(3) == 0
	h.mixed = !h.calm && h.rand.IntN(3) == 0
	h.parts["image"] = part{readyAfter: h.upTo(2 * time.Second), stopTakes: h.upTo(2 * time.Second), exitCode: h.rand.IntN(3)}
	for i := range 5 {
		h.parts[fmt.Sprintf("v%d", i)] = h.somePart()
	}
	slow := h.upTo(20 * time.Second)
	h.fetch = func(ctx context.Context, commit string) error {
		if commit == "v4" {
			select {
			case <-time.After(slow):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	}
	h.crowded = h.rand.IntN(4) == 0
	h.s = h.supervisor(func(c *Config) {
		c.AbortLateDrain = h.rand.IntN(4) == 0
		c.Strategy = []Strategy{Auto, Auto, InPlace}[h.rand.IntN(3)]
	})
	return h
}

func (h *history) upTo(d time.Duration) time.Duration { return time.Duration(h.rand.Int64N(int64(d))) }

func (h *history) somePart() part {
	p := part{
		readyAfter: h.upTo(3 * time.Second), stopTakes: h.upTo(2 * time.Second), exitCode: h.rand.IntN(3),
		public: h.rand.IntN(4) == 0 && h.mixed,
	}
	if h.calm {
		return p
	}
	switch h.rand.IntN(9) {
	case 0:
		p.neverReady = true
	case 1:
		p.exitsAfter = h.upTo(2 * time.Second)
	case 2:
		p.diesAfter = h.upTo(5 * time.Second)
	case 3:
		p.diesAfter = h.upTo(time.Minute)
	case 4:
		p.stopTakes = time.Hour
	case 5:
		p.hangsAfter = h.upTo(time.Minute)
	case 6:
		p.diesAfter, p.exitCode = h.upTo(time.Minute), 88
	case 7:
		p.diesAfter, p.ooms = h.upTo(3*time.Second), true
	}
	return p
}

func (h *history) play() {
	code := make(chan int, 1)
	go func() { code <- h.s.Run() }()
	load, stopLoad := context.WithCancel(context.Background())
	for n := range uint64(8) {
		own := rand.New(rand.NewPCG(h.rand.Uint64(), n))
		h.callers.Go(func() { h.load(load, own) })
	}
	for range 10 + h.rand.IntN(20) {
		time.Sleep(h.upTo(6 * time.Second))
		h.event()
		h.checkStatus()
	}
	h.setEnding()
	h.s.Terminate()
	if h.rand.IntN(3) == 0 {
		time.Sleep(h.upTo(10 * time.Second))
		h.s.Terminate()
	}
	stopLoad()
	h.checkEnd(<-code)
	h.callers.Wait()
	synctest.Wait()
}

// event is one thing that happens.
func (h *history) event() {
	kind := h.rand.IntN(10)
	switch {
	case kind < 6:
		r := Request{
			Commit: fmt.Sprintf("v%d", h.rand.IntN(6)), Force: h.rand.IntN(4) == 0, // v5 does not exist
			NoLaunch: h.rand.IntN(5) == 0, Relaunch: h.rand.IntN(5) == 0,
		}
		if h.rand.IntN(6) == 0 {
			r.Commit = "image"
		}
		ctx, cancel := context.WithTimeout(context.Background(), h.upTo(time.Minute))
		h.callers.Go(func() { defer cancel(); h.reload(ctx, r) })
	case kind < 8 && !h.calm:
		h.crash()
	case kind == 8 && !h.calm && h.rand.IntN(10) == 0:
		h.setEnding()
		h.s.Terminate()
	}
}

func (h *history) setEnding() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ending = true
}

func (h *history) crash() {
	h.mu.Lock()
	n := h.rand.IntN(len(h.launched) + 1)
	var victim *fakeChild
	for _, c := range h.launched[:n] {
		if h.alive[c] {
			victim = c
		}
	}
	h.mu.Unlock()
	if victim != nil {
		victim.end(child.Exit{Code: []int{1, 2, 88}[h.rand.IntN(3)]})
	}
}

// reload asks for a reload and checks that the answer is true.
func (h *history) reload(ctx context.Context, r Request) {
	outcome, err := h.s.Reload(ctx, r)
	var busy *BusyError
	var fetch *FetchError
	switch {
	case err == nil && !r.NoLaunch && !outcome.Staged && outcome.Commit != r.Commit:
		h.t.Errorf("reload to %s succeeded with %s", r.Commit, outcome.Commit)
	case err == nil && r.Commit == "v5":
		h.t.Error("a release that does not exist was reloaded to")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrEnding), errors.As(err, &busy), errors.As(err, &fetch):
	case err != nil && h.calm:
		h.t.Errorf("reload to %s in a calm history: %v", r.Commit, err)
	}
}

// load sends requests one after the other.
func (h *history) load(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		stay := time.Duration(random.Int64N(int64(5 * time.Second)))
		ask := drain.Ask{Replayable: random.IntN(2) == 0}
		time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
		if !h.accept() {
			return
		}
		err := h.request(ask, stay)
		h.answered()
		h.mu.Lock()
		if err != nil && h.calm && !h.ending {
			h.t.Errorf("a request was lost in a calm history: %v", err)
		}
		h.mu.Unlock()
	}
}

// request is one request: wait, be let in, stay, and be sent again once if its child dies.
func (h *history) request(ask drain.Ask, stay time.Duration) error {
	start := time.Now()
	visit, err := h.gate.Enter(context.Background(), ask)
	for tries := 1; ; tries++ {
		if waited := time.Since(start); waited > timing.Hold+stay {
			h.t.Errorf("a request waited %s", waited)
		}
		if err != nil {
			return err
		}
		c := h.child(visit.Backend())
		if h.checkVisit(c, "at its entry"); h.stay(c, stay) {
			h.checkVisit(c, "at its end")
			visit.Leave()
			return nil
		}
		// The child died with it.
		if !ask.Replayable || tries == 2 {
			visit.Leave()
			return errors.New("502")
		}
		visit, err = h.gate.Retry(context.Background(), visit)
	}
}

// stay lets the request take its time; false if the child died meanwhile.
func (h *history) stay(c *fakeChild, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-c.exited:
		return false
	}
}

// checkVisit checks promises 2 and 3 for a request that is with a child: it is one that became ready, and has not been
// asked to stop. In an ending, the budget may have passed.
func (h *history) checkVisit(c *fakeChild, when string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !c.endedAt.IsZero() && time.Now().After(c.endedAt) {
		h.t.Errorf("a request is with %s, which died, %s", c, when)
	}
	if !c.ready {
		h.t.Errorf("a request is with %s, which is not ready, %s", c, when)
	}
	if c.stopped && !h.ending && h.calm {
		h.t.Errorf("a request is with %s, which was stopped, %s", c, when)
	}
	if c.stopped && !h.ending && h.alive[c] && !c.hung() {
		h.t.Errorf("%s got SIGTERM with a request inside, %s", c, when)
	}
}

// checkStatus checks that what the status says is so.
func (h *history) checkStatus() {
	synctest.Wait()
	st := h.s.Status()
	h.mu.Lock()
	defer h.mu.Unlock()
	if st.State != "serving" {
		return
	}
	if visit, ok := h.gate.TryEnter(drain.Ask{}); !ok {
		h.t.Errorf("status says that %s serves, and requests wait", st.Commit)
	} else {
		visit.Leave()
	}
	c := h.launched[st.Pid-1]
	if !h.alive[c] && c.endedAt.Before(time.Now()) || c.commit != st.Commit || !c.ready || c.stopped && !c.hung() {
		h.t.Errorf("status says that %s serves with pid %d, which is %s: %+v", st.Commit, st.Pid, c, c)
	}
}

// checkEnd checks promise 6 and that nothing is left.
func (h *history) checkEnd(code int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.alive) > 0 {
		h.t.Errorf("%v is left", h.alive)
	}
	codes := map[int]bool{exitOf(ErrEnding): len(h.launched) == 1}
	for _, c := range h.launched {
		codes[c.exit.Code] = true
	}
	if !codes[code] {
		h.t.Errorf("exit code %d is none of the children's %v", code, codes)
	}
}
