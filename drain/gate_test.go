package drain

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var bounds = Bounds{Timeout: 30 * time.Second, Max: 100, Bytes: 1 << 20}

func TestGate_LetsInAndCounts(t *testing.T) {
	g := New(bounds)
	b := g.NewBackend("a")
	if _, ok := g.TryEnter(Ask{}); ok {
		t.Fatal("entered before anybody served")
	}
	g.Serve(b)
	v := mustTryEnter(t, g, Ask{})
	u := mustTryEnter(t, g, Ask{Kind: Upload})
	v.Become(Stream)
	if want := (Counts{Upload: 1, Stream: 1}); b.Visits() != want {
		t.Errorf("visits %v, want %v", b.Visits(), want)
	}
	if got, want := b.Visits().String(), "1 upload, 1 stream"; got != want {
		t.Errorf("visits read %q, want %q", got, want)
	}
	v.Leave()
	u.Leave()
	if got := b.Visits().Total(); got != 0 {
		t.Errorf("%d visits after all left", got)
	}
}

func TestGate_ChoosesTheBackendWithFewestVisits(t *testing.T) {
	g := New(bounds)
	a, b := g.NewBackend("a"), g.NewBackend("b")
	g.Serve(a, b)
	for range 10 {
		mustTryEnter(t, g, Ask{})
	}
	if a.Visits().Total() != 5 || b.Visits().Total() != 5 {
		t.Errorf("visits are spread %v and %v, want 5 each", a.Visits(), b.Visits())
	}
}

// Promise 1: a reload loses no request.
func TestGate_HeldRequestsWaitAndGoToTheNextBackendInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(bounds)
		old, next := g.NewBackend("old"), g.NewBackend("new")
		g.Serve(old)
		inside := mustTryEnter(t, g, Ask{})
		g.Hold()
		order := make(chan int, 3)
		for i := range 3 {
			go func() {
				v, err := g.Enter(t.Context(), Ask{})
				if err != nil || v.Backend() != next {
					t.Errorf("request %d entered %v with %v", i, v.Backend(), err)
				}
				order <- i
			}()
			synctest.Wait() // so that they arrive in order
		}
		inside.Leave()
		if err := old.Drained(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		if got := g.Held(); got.Now != 3 || time.Since(got.Oldest) != 20*time.Second || time.Since(got.Since) != 20*time.Second {
			t.Errorf("held %+v, want 3 for 20s", got)
		}
		g.Serve(next)
		synctest.Wait()
		if got := g.Held(); got.Now != 0 || !got.Since.IsZero() || got.Total != 3 || got.Longest != 20*time.Second {
			t.Errorf("after the hold: %+v", got)
		}
		if got := next.Visits().Total(); got != 3 {
			t.Errorf("%d visits with the new backend, want 3", got)
		}
		for range 3 {
			<-order
		}
	})
}

// Promise 2: nothing is with a backend once Drained has returned.
func TestGate_DrainWaitsForTheLastRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(bounds)
		b := g.NewBackend("a")
		g.Serve(b)
		v := mustTryEnter(t, g, Ask{})
		g.Hold()
		go func() { time.Sleep(time.Minute); v.Leave() }()
		start := time.Now()
		if err := b.Drained(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("Drained returned after %s, want a minute", waited)
		}
	})
}

func TestGate_DrainThatEndsEarlySaysWhoIsStillThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(bounds)
		b := g.NewBackend("a")
		g.Serve(b)
		mustTryEnter(t, g, Ask{Kind: Tunnel})
		mustTryEnter(t, g, Ask{})
		g.Hold()
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, cause)
		defer cancel()
		err := b.Drained(ctx)
		var busy *BusyError
		if !errors.As(err, &busy) || !errors.Is(err, cause) || busy.Waited != 5*time.Second {
			t.Fatalf("Drained returned %v", err)
		}
		if want := (Counts{Request: 1, Tunnel: 1}); busy.Visits != want {
			t.Errorf("busy with %v, want %v", busy.Visits, want)
		}
	})
}

func TestGate_AClientThatLeftIsGoneFromTheCountAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(bounds)
		left := errors.New("client left")
		ctx, leave := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := g.Enter(ctx, Ask{Buffered: 10})
			done <- err
		}()
		synctest.Wait()
		if g.Held().Now != 1 {
			t.Fatal("the request does not wait")
		}
		leave(left)
		synctest.Wait()
		if held := g.Held().Now; held != 0 || g.bytes != 0 {
			t.Errorf("%d still held with %d bytes", held, g.bytes)
		}
		if err := <-done; !errors.Is(err, left) {
			t.Errorf("Enter returned %v, want the context's cause", err)
		}
	})
}

// Promise 1, its second half: past the hold's bounds a request is told so.
func TestGate_HoldIsBoundedInTimeNumberAndBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Bounds{Timeout: 30 * time.Second, Max: 2, Bytes: 100})
		results := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := g.Enter(t.Context(), Ask{Buffered: 40})
				results <- err
			}()
		}
		synctest.Wait()
		if _, err := g.Enter(t.Context(), Ask{}); !errors.Is(err, ErrHoldFull) {
			t.Errorf("a third of two: %v", err)
		}
		start := time.Now()
		for range 2 {
			if err := <-results; !errors.Is(err, ErrHeldTooLong) {
				t.Errorf("after the timeout: %v", err)
			}
		}
		if waited := time.Since(start); waited != 30*time.Second {
			t.Errorf("waited %s", waited)
		}
		go func() {
			_, err := g.Enter(t.Context(), Ask{Buffered: 90})
			results <- err
		}()
		synctest.Wait()
		if _, err := g.Enter(t.Context(), Ask{Buffered: 20}); !errors.Is(err, ErrHoldFull) {
			t.Errorf("110 of 100 bytes: %v", err)
		}
		<-results
	})
}

func TestGate_RefuseEndsTheWaitingAndCanBeLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(bounds)
		b := g.NewBackend("a")
		result := make(chan error, 1)
		go func() {
			_, err := g.Enter(t.Context(), Ask{})
			result <- err
		}()
		synctest.Wait()
		ending := errors.New("ending")
		g.Refuse(ending)
		if err := <-result; !errors.Is(err, ending) {
			t.Errorf("the waiting one got %v", err)
		}
		g.Serve(b)
		if _, err := g.Enter(t.Context(), Ask{}); !errors.Is(err, ending) {
			t.Errorf("a new one got %v", err)
		}
		g.Refuse(nil)
		mustTryEnter(t, g, Ask{})
	})
}

func TestGate_TrialTakesOnlyWhatCanBeSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(bounds)
		old, next := g.NewBackend("old"), g.NewBackend("new")

		g.Trial(next) // in-place: nobody else serves, so the others wait
		if v := mustTryEnter(t, g, Ask{Replayable: true}); v.Backend() != next {
			t.Error("a replayable request did not go to the newcomer")
		}
		if _, ok := g.TryEnter(Ask{}); ok {
			t.Error("a request that cannot be sent again went to a newcomer")
		}

		g.Serve(old)
		g.Trial(next) // overlap: the others go to the old one
		if v := mustTryEnter(t, g, Ask{}); v.Backend() != old {
			t.Error("a request that cannot be sent again did not go to the old one")
		}
		g.Serve(next)
		if v := mustTryEnter(t, g, Ask{}); v.Backend() != next {
			t.Error("the trial is not over")
		}
	})
}

func TestGate_ABackendThatDiedIsNeverServedAgain(t *testing.T) {
	g := New(bounds)
	b := g.NewBackend("a")
	g.Serve(b)
	g.Remove(b)
	g.Serve(b)
	g.Trial(b)
	if _, ok := g.TryEnter(Ask{Replayable: true}); ok {
		t.Error("entered a backend that is gone")
	}
}

func TestGate_RetryGoesToTheHeadOfTheQueueWithItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(bounds)
		first, second := g.NewBackend("first"), g.NewBackend("second")
		retried := make(chan Visit, 1)
		go func() { // waits ten seconds, gets in, and its backend dies
			v, err := g.Enter(t.Context(), Ask{Replayable: true})
			if err != nil {
				t.Error(err)
			}
			g.Remove(first)
			v, err = g.Retry(t.Context(), v)
			if err != nil {
				t.Error(err)
			}
			retried <- v
		}()
		time.Sleep(10 * time.Second)
		g.Serve(first)
		synctest.Wait()
		entered := make(chan struct{})
		go func() {
			_, err := g.Enter(t.Context(), Ask{})
			if err != nil {
				t.Error(err)
			}
			close(entered)
		}()
		synctest.Wait()
		if w := g.waiting.Front().Value.(*waiter); !w.ask.Replayable || time.Since(w.since) != 10*time.Second {
			t.Errorf("at the head waits %+v for %s", w.ask, time.Since(w.since))
		}
		if first.Visits().Total() != 0 {
			t.Error("the failed visit is still counted")
		}
		g.Serve(second)
		if v := <-retried; v.Backend() != second {
			t.Errorf("retried with %v", v.Backend().Addr)
		}
		<-entered
	})
}

func TestGate_RetryEndsWhenTheBackendIsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(bounds)
		b := g.NewBackend("a")
		g.Serve(b)
		v := mustTryEnter(t, g, Ask{Replayable: true})
		start := time.Now()
		if _, err := g.Retry(t.Context(), v); !errors.Is(err, ErrAlive) {
			t.Errorf("Retry returned %v", err)
		}
		if took := time.Since(start); took != verdictWait {
			t.Errorf("took %s", took)
		}
		if b.Visits().Total() != 0 {
			t.Error("the visit is still counted")
		}
	})
}

func TestBackend_TellsWhatItHasBecome(t *testing.T) {
	g := New(bounds)
	a, b := g.NewBackend("a"), g.NewBackend("b")
	steps := []struct {
		do   func()
		want State
	}{
		{func() { g.Serve(a) }, Serving},
		{func() { g.Serve(b) }, Retiring},
		{func() { g.Serve(a) }, Serving},
		{func() { a.EndStreams(0) }, Serving}, // only a retiring one
		{g.Hold, Retiring},
		{func() { a.EndStreams(0) }, Ending},
		{func() { g.Trial(a) }, Serving},
		{func() { g.Remove(a) }, Gone},
		{g.Hold, Gone},
	}
	for i, step := range steps {
		before, changed := a.State()
		step.do()
		if got, _ := a.State(); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
		select {
		case <-changed:
			if before == step.want {
				t.Errorf("step %d: told of a change that was none", i)
			}
		default:
			if before != step.want {
				t.Errorf("step %d: not told of the change", i)
			}
		}
	}
}

func TestGate_VisitCannotLeaveTwice(t *testing.T) {
	g := New(bounds)
	g.Serve(g.NewBackend("a"))
	v := mustTryEnter(t, g, Ask{})
	v.Leave()
	defer func() {
		if recover() == nil {
			t.Error("the second Leave did not panic")
		}
	}()
	v.Leave()
}

// Promises 1 and 2 under real concurrency: while backends are swapped under load, no visit begins on a backend
// after its drain, and every request gets in.
func TestGate_NobodyIsInsideAfterADrainUnderLoad(t *testing.T) {
	g := New(bounds)
	type child struct {
		*Backend
		stopped atomic.Bool
	}
	var children sync.Map // *Backend → *child
	launch := func() *child {
		c := &child{Backend: g.NewBackend("x")}
		children.Store(c.Backend, c)
		return c
	}
	current := launch()
	g.Serve(current.Backend)

	var served atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for range 8 {
		load.Go(func() {
			for ctx.Err() == nil {
				v, err := g.Enter(context.Background(), Ask{Replayable: rand.IntN(2) == 0})
				if err != nil {
					t.Error(err)
					return
				}
				c, _ := children.Load(v.Backend())
				if c.(*child).stopped.Load() {
					t.Error("a visit with a stopped child")
				}
				served.Add(1)
				v.Leave()
			}
		})
	}
	for i := range 200 {
		next := launch()
		for before := served.Load(); served.Load() < before+50; { // so that there is something to drain
			runtime.Gosched()
		}
		if i%2 == 0 {
			g.Hold()
		} else {
			g.Trial(next.Backend)
			g.Serve(next.Backend)
		}
		if err := current.Drained(ctx); err != nil {
			t.Fatal(err)
		}
		current.stopped.Store(true)
		g.Serve(next.Backend)
		current = next
	}
	stop()
	load.Wait()
	if served.Load() == 0 || current.Visits().Total() != 0 {
		t.Errorf("%d served, %v left", served.Load(), current.Visits())
	}
}

func TestGate_TryEnterDoesNotAllocate(t *testing.T) {
	g := New(bounds)
	g.Serve(g.NewBackend("a"))
	if n := testing.AllocsPerRun(100, func() {
		v, _ := g.TryEnter(Ask{})
		v.Leave()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkGate_TryEnterLeave(b *testing.B) {
	g := New(bounds)
	g.Serve(g.NewBackend("a"))
	b.ReportAllocs()
	for b.Loop() {
		v, _ := g.TryEnter(Ask{})
		v.Leave()
	}
}

// Helpers

func mustTryEnter(t *testing.T, g *Gate, a Ask) Visit {
	t.Helper()
	v, ok := g.TryEnter(a)
	if !ok {
		t.Fatal("TryEnter: has to wait")
	}
	return v
}
