package supervisor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/drain"
)

func TestSupervisor_ReloadsInPlaceAndSaysWhatItDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {readyAfter: time.Second}, "v2": {readyAfter: 3 * time.Second, stopTakes: time.Second}})
		visit, err := w.gate.Enter(t.Context(), drain.Ask{})
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second, visit.Leave)
		outcome, err := s.Reload(t.Context(), Request{Commit: "v2"})
		if err != nil {
			t.Fatal(err)
		}
		if outcome.Commit != "v2" || outcome.Previous != "image" || outcome.Took != 10*time.Second {
			t.Errorf("outcome %+v", outcome)
		}
		want := []StepTook{{StepFetch, 0}, {StepDrain, 5 * time.Second}, {StepStop, 0}, {StepStart, 0}, {StepReady, 3 * time.Second}, {StepSettle, 2 * time.Second}}
		if len(outcome.Steps) != len(want) {
			t.Fatalf("steps %v", outcome.Steps)
		}
		for i, step := range outcome.Steps {
			if step != want[i] {
				t.Errorf("step %v, want %v", step, want[i])
			}
		}
		if st := s.Status(); st.Commit != "v2" || st.State != "serving" || st.Dir != "/releases/v2" || st.Generation != 2 {
			t.Errorf("status %+v", st)
		}
	})
}

// Promise 2: the old child gets SIGTERM only when no request is with it, or when the drain's bound has passed.
func TestSupervisor_TheDrainsBoundCutsOrAborts(t *testing.T) {
	for _, abort := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			bound := 4 * time.Second
			w, s := run(t, map[string]part{"image": {}, "v2": {}}, func(c *Config) {
				c.Timing.Drain, c.AbortLateDrain = &bound, abort
			})
			visit, err := w.gate.Enter(t.Context(), drain.Ask{})
			if err != nil {
				t.Fatal(err)
			}
			defer visit.Leave()
			start := time.Now()
			outcome, err := s.Reload(t.Context(), Request{Commit: "v2"})
			old := w.launched[0]
			if !abort {
				if err != nil || outcome.Cut != "1 request" || !old.stopped {
					t.Errorf("cut: %+v, %v", outcome, err)
				}
				return
			}
			var busy *drain.BusyError
			if !errors.As(err, &busy) || old.stopped || time.Since(start) != bound {
				t.Errorf("abort: %v after %s", err, time.Since(start))
			}
			if _, ok := w.gate.TryEnter(drain.Ask{}); !ok || s.Status().Commit != "image" {
				t.Error("the old one does not serve on")
			}
		})
	}
}

// Promise 3: a release that does not become ready never gets a request; the previous one comes back by itself.
func TestSupervisor_ABrokenReleaseBringsThePreviousOneBack(t *testing.T) {
	for name, tc := range map[string]struct {
		part part
		step Step
		says string
		bad  bool
	}{
		"exits":       {part{neverReady: true, exitsAfter: time.Second, exitCode: 3}, StepReady, "exited with code 3", true},
		"never ready": {part{neverReady: true}, StepReady, "not ready in time", true},
		"dies soon":   {part{diesAfter: time.Second, exitCode: 4}, StepSettle, "exited with code 4", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s := run(t, map[string]part{"image": {}, "v2": tc.part})
				_, err := s.Reload(t.Context(), Request{Commit: "v2"})
				var failed *ReloadError
				if !errors.As(err, &failed) || failed.Step != tc.step || failed.Serving != "image" || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("error %v", err)
				}
				if st := s.Status(); st.Commit != "image" || st.State != "serving" || st.Bad["v2"] == "" {
					t.Errorf("status %+v", st)
				}
				var refused *RefusedError
				if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); !errors.As(err, &refused) {
					t.Errorf("again: %v", err)
				}
				if _, err := s.Reload(t.Context(), Request{Commit: "v2", Force: true}); !errors.As(err, &failed) {
					t.Errorf("forced: %v", err)
				}
			})
		})
	}
}

// Promise 4: one reload at a time.
func TestSupervisor_OneReloadAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {readyAfter: 5 * time.Second}, "v3": {}})
		w.fetch = func(context.Context, string) error { time.Sleep(time.Second); return nil }
		type result struct {
			Outcome
			error
		}
		results := make(chan result, 3)
		ask := func(ctx context.Context, r Request) {
			go func() { o, err := s.Reload(ctx, r); results <- result{o, err} }()
			synctest.Wait()
		}
		ask(t.Context(), Request{Commit: "v2", NoLaunch: true})
		ask(t.Context(), Request{Commit: "v2"}) // joins, and wants it launched
		var busy *BusyError
		if _, err := s.Reload(t.Context(), Request{Commit: "v3"}); !errors.As(err, &busy) || busy.Running != "v2" {
			t.Errorf("another commit: %v", err)
		}
		gone, hangUp := context.WithCancel(t.Context())
		ask(gone, Request{Commit: "v2"})
		time.Sleep(2 * time.Second)
		hangUp()
		if r := <-results; !errors.Is(r.error, context.Canceled) {
			t.Errorf("the caller that hung up: %v", r.error)
		}
		for range 2 {
			if r := <-results; r.error != nil || r.Commit != "v2" {
				t.Errorf("a caller that joined: %+v", r)
			}
		}
		if len(w.launched) != 2 {
			t.Errorf("%d launches, want 2", len(w.launched))
		}
		if o, err := s.Reload(t.Context(), Request{Commit: "v2"}); err != nil || !o.Unchanged {
			t.Errorf("already serving: %+v, %v", o, err)
		}
		if o, err := s.Reload(t.Context(), Request{Commit: "v2", Relaunch: true}); err != nil || o.Unchanged || len(w.launched) != 3 {
			t.Errorf("relaunch: %+v, %v", o, err)
		}
	})
}

func TestSupervisor_AFailedFetchChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}})
		var fetch *FetchError
		if _, err := s.Reload(t.Context(), Request{Commit: "v9"}); !errors.As(err, &fetch) || fetch.Kind != FetchNotFound {
			t.Errorf("unknown: %v", err)
		}
		if len(w.launched) != 1 || w.launched[0].stopped || len(s.Status().Bad) != 0 {
			t.Error("something was done")
		}
	})
}

func TestSupervisor_StagedReleasesAreNotLaunched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {}})
		o, err := s.Reload(t.Context(), Request{Commit: "v2", NoLaunch: true})
		if err != nil || !o.Staged || o.Commit != "image" || len(w.launched) != 1 {
			t.Errorf("%+v, %v, %d launches", o, err, len(w.launched))
		}
	})
}

func TestSupervisor_RefusesAReloadThatTheHoldLeavesNoTimeFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {readyAfter: 9 * time.Second}, "v2": {}},
			func(c *Config) { c.Timing.Hold = 12 * time.Second })
		var refused *RefusedError
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); !errors.As(err, &refused) || !strings.Contains(err.Error(), "last start 9s") {
			t.Errorf("error %v", err)
		}
		if w.launched[0].stopped {
			t.Error("the old one was stopped")
		}
		if _, err := s.Reload(t.Context(), Request{Commit: "v2", Force: true}); err != nil {
			t.Errorf("forced: %v", err)
		}
	})
}

func TestSupervisor_LaunchesAgainWhatDiesWithinLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.parts = map[string]part{"image": {diesAfter: time.Second, exitCode: 9}}
		s := w.supervisor()
		if code := s.Run(); code != 9 {
			t.Errorf("exit code %d, want the child's 9", code)
		}
		if len(w.launched) != 6 {
			t.Errorf("%d launches, want 1 and 5 again", len(w.launched))
		}
	})
}

// Promise 6, where the last children never served.
func TestSupervisor_TheExitCodeIsThatOfTheLastChildThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.parts = map[string]part{"image": {}}
		s := w.supervisor()
		code := make(chan int, 1)
		go func() { code <- s.Run() }()
		synctest.Wait()
		w.mu.Lock()
		w.parts["image"] = part{neverReady: true, exitsAfter: time.Second, exitCode: 7}
		w.mu.Unlock()
		if _, err := s.Reload(t.Context(), Request{Commit: "image", Relaunch: true}); err == nil {
			t.Error("no error")
		}
		if got := <-code; got != 7 {
			t.Errorf("exit code %d, want that of the crash loop", got)
		}
	})
}

func TestSupervisor_FallsBackToTheImageCodePastTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {diesAfter: 3 * time.Second, exitCode: 9}})
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if st := s.Status(); st.Commit != "image" || st.State != "serving" || st.Bad["v2"] == "" {
			t.Errorf("status %+v after %d launches", st, len(w.launched))
		}
	})
}

func TestSupervisor_ACleanEndIsNotAFailure(t *testing.T) {
	for policy, launches := range map[RestartPolicy]int{RestartOnFailure: 1, RestartAlways: 6, RestartNever: 1} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.parts = map[string]part{"image": {diesAfter: time.Second}}
			s := w.supervisor(func(c *Config) { c.Restart.Policy = policy })
			if code := s.Run(); code != 0 || len(w.launched) != launches {
				t.Errorf("%s: exit code %d after %d launches, want 0 after %d", policy, code, len(w.launched), launches)
			}
		})
	}
}

// Promise 6: the container ends with the child's own exit code.
func TestSupervisor_EndsInOrderWithTheChildsExitCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.parts = map[string]part{"image": {stopTakes: time.Second, exitCode: 42}}
		s := w.supervisor()
		code := make(chan int, 1)
		go func() { code <- s.Run() }()
		synctest.Wait()
		time.Sleep(time.Second)
		w.accept()
		visit, _ := w.gate.TryEnter(drain.Ask{})
		start := time.Now()
		s.Terminate()
		synctest.Wait()
		if s.Health() == nil {
			t.Error("health is green while it ends")
		}
		time.Sleep(4 * time.Second)
		select {
		case <-w.closed:
			t.Error("refuses before the lame duck is over")
		default:
		}
		time.Sleep(4 * time.Second)
		if w.launched[0].stopped {
			t.Error("SIGTERM while a request is with the child")
		}
		visit.Leave()
		w.answered()
		if got := <-code; got != 42 || time.Since(start) != 9*time.Second {
			t.Errorf("exit code %d after %s", got, time.Since(start))
		}
	})
}

func TestSupervisor_TheEndingFitsItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := newWorld(t), (*Supervisor)(nil)
		w.parts = map[string]part{"image": {stopTakes: time.Hour}}
		s = w.supervisor()
		code := make(chan int, 1)
		go func() { code <- s.Run() }()
		synctest.Wait()
		w.accept()
		visit, _ := w.gate.TryEnter(drain.Ask{Kind: drain.Tunnel})
		start := time.Now()
		s.Terminate()
		if got := <-code; got != 137 || time.Since(start) != 28*time.Second {
			t.Errorf("exit code %d after %s, want 137 after 28s", got, time.Since(start))
		}
		visit.Leave()
		w.answered()
	})
}

func TestSupervisor_ASecondSignalSkipsTheWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.parts = map[string]part{"image": {}}
		s := w.supervisor()
		code := make(chan int, 1)
		go func() { code <- s.Run() }()
		synctest.Wait()
		w.accept()
		visit, _ := w.gate.TryEnter(drain.Ask{})
		start := time.Now()
		s.Terminate()
		time.Sleep(time.Second)
		s.Terminate()
		s.Terminate()
		if <-code; time.Since(start) != time.Second {
			t.Errorf("took %s", time.Since(start))
		}
		visit.Leave()
		w.answered()
	})
}

func TestEnding_FitsAnyBudget(t *testing.T) {
	for _, tc := range []struct {
		task time.Duration
		want Ending // in milliseconds
	}{
		{30 * time.Second, Ending{LameDuck: 5000, Drain: 13000, Stop: 10000}},
		{10 * time.Second, Ending{LameDuck: 0, Drain: 0, Stop: 8000}},
		{15 * time.Second, Ending{LameDuck: 1500, Drain: 1500, Stop: 10000}},
		{time.Second, Ending{}},
	} {
		b := Timing{TaskStop: tc.task, Stop: 10 * time.Second, LameDuck: 5 * time.Second}.Ending()
		want := Ending{tc.want.LameDuck * time.Millisecond, tc.want.Drain * time.Millisecond, tc.want.Stop * time.Millisecond}
		if b != want {
			t.Errorf("%s: %+v, want %+v", tc.task, b, want)
		}
	}
}

func TestSupervisor_TerminatedWhileItReloads(t *testing.T) {
	for name, after := range map[string]time.Duration{"draining": time.Second, "starting": 4 * time.Second, "settling": 9 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.parts = map[string]part{"image": {exitCode: 1}, "v2": {readyAfter: 5 * time.Second, exitCode: 2}}
				s := w.supervisor()
				code := make(chan int, 1)
				go func() { code <- s.Run() }()
				synctest.Wait()
				visit, _ := w.gate.TryEnter(drain.Ask{})
				time.AfterFunc(3*time.Second, visit.Leave)
				left := time.Now().Add(3 * time.Second)
				reloaded := make(chan error, 1)
				go func() { _, err := s.Reload(t.Context(), Request{Commit: "v2"}); reloaded <- err }()
				time.Sleep(after)
				s.Terminate()
				err, got := <-reloaded, <-code
				switch name {
				case "draining": // the old one was brought back, and ended
					if !errors.Is(err, ErrEnding) || got != 1 {
						t.Errorf("%v, exit code %d", err, got)
					}
				case "starting": // the newcomer was killed
					if !errors.Is(err, ErrEnding) || got != 1 {
						t.Errorf("%v, exit code %d", err, got)
					}
				case "settling": // it serves the ending
					if err != nil || got != 2 {
						t.Errorf("%v, exit code %d", err, got)
					}
				}
				if len(w.alive) > 0 {
					t.Errorf("%v is left", w.alive)
				}
				if w.launched[0].stoppedAt.Before(left) {
					t.Error("the old one was stopped with a request inside")
				}
				if want := map[string]int{"draining": 1, "starting": 2, "settling": 2}[name]; len(w.launched) != want {
					t.Errorf("%d launches, want %d", len(w.launched), want)
				}
			})
		})
	}
}

func TestSupervisor_ANewcomerThatSettlesGetsOnlyWhatCanBeSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {diesAfter: time.Second, exitCode: 1}})
		go s.Reload(t.Context(), Request{Commit: "v2"})
		synctest.Wait()
		enter := func(a drain.Ask) <-chan string {
			got := make(chan string, 1)
			go func() {
				v, err := w.gate.Enter(t.Context(), a)
				if err != nil {
					got <- err.Error()
					return
				}
				defer v.Leave()
				got <- w.child(v.Backend()).commit
			}()
			return got
		}
		if got := <-enter(drain.Ask{Replayable: true}); got != "v2" {
			t.Errorf("one that can be sent again went to %s", got)
		}
		if got := <-enter(drain.Ask{}); got != "image" {
			t.Errorf("one that cannot be sent again went to %s", got)
		}
	})
}

func TestSupervisor_TheEndingAnswersThoseWhoWaitAtOnce(t *testing.T) {
	enter := func(w *world) <-chan time.Time {
		refused := make(chan time.Time, 1)
		go func() {
			if _, err := w.gate.Enter(context.Background(), drain.Ask{}); !errors.Is(err, ErrEnding) {
				w.t.Errorf("a held request got %v", err)
			}
			refused <- time.Now()
		}()
		synctest.Wait()
		return refused
	}
	t.Run("nothing serves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.parts = map[string]part{"image": {neverReady: true}}
			s := w.supervisor()
			code := make(chan int, 1)
			go func() { code <- s.Run() }()
			w.accept()
			refused := enter(w)
			start := time.Now()
			s.Terminate()
			if at := <-refused; at != start {
				t.Errorf("refused after %s", at.Sub(start))
			}
			w.answered()
			if got := <-code; got != 143 {
				t.Errorf("exit code %d of a child that never was", got)
			}
		})
	})
	t.Run("the child dies in the ending", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.parts = map[string]part{"image": {diesAfter: 8 * time.Second, exitCode: 3}}
			s := w.supervisor()
			code := make(chan int, 1)
			go func() { code <- s.Run() }()
			synctest.Wait()
			start := time.Now()
			w.accept() // a client that is slow to take its answer
			s.Terminate()
			time.Sleep(8 * time.Second)
			synctest.Wait()
			refused := enter(w)
			if at := <-refused; at.Sub(start) != 8*time.Second {
				t.Errorf("refused after %s", at.Sub(start))
			}
			w.answered()
			if got := <-code; got != 3 {
				t.Errorf("exit code %d", got)
			}
		})
	})
	t.Run("at the end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, s := run(t, map[string]part{"image": {}})
			s.Terminate()
			<-s.stopped
			if _, err := w.gate.Enter(t.Context(), drain.Ask{}); !errors.Is(err, ErrEnding) {
				t.Errorf("afterwards: %v", err)
			}
		})
	})
}

func TestSupervisor_HealthIsGreenWhileRequestsAreHeldWithinBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.parts = map[string]part{"image": {readyAfter: time.Second}, "v2": {neverReady: true}}
		s := w.supervisor(func(c *Config) { c.Timing.Ready = time.Hour })
		go s.Run()
		synctest.Wait()
		if s.Health() == nil {
			t.Error("green before the app was ever ready")
		}
		time.Sleep(2 * time.Second)
		if err := s.Health(); err != nil {
			t.Errorf("red while it serves: %v", err)
		}
		go s.Reload(t.Context(), Request{Commit: "v2"})
		time.Sleep(29 * time.Second)
		if err := s.Health(); err != nil {
			t.Errorf("red within the hold: %v", err)
		}
		time.Sleep(2 * time.Second)
		if s.Health() == nil {
			t.Error("green past the hold")
		}
		s.Terminate()
		<-s.stopped
	})
}

// Helpers

// run runs a supervisor whose commits play these parts, until the test ends.
func run(t *testing.T, parts map[string]part, change ...func(*Config)) (*world, *Supervisor) {
	t.Helper()
	w := newWorld(t)
	w.parts = parts
	s := w.supervisor(change...)
	go s.Run()
	t.Cleanup(func() {
		s.Terminate()
		<-s.stopped
		if len(w.alive) > 0 {
			t.Errorf("%v is left", w.alive)
		}
	})
	for s.number.Load() == 0 {
		time.Sleep(time.Second)
	}
	synctest.Wait()
	return w, s
}
