package supervisor

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/child"
	"pitstop/drain"
)

func overlapping(c *Config) { c.Strategy = Auto }

func TestOverlap_NobodyWaitsAndTheOldOneDrainsWithoutTheSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {readyAfter: 5 * time.Second}, "v3": {}}, overlapping)
		slow, _ := w.gate.TryEnter(drain.Ask{})
		reloaded := make(chan Outcome, 1)
		go func() { o, _ := s.Reload(t.Context(), Request{Commit: "v2"}); reloaded <- o }()
		time.Sleep(4 * time.Second)
		if got := enter(t, w, drain.Ask{}); got != "image" {
			t.Errorf("%s serves while the next one starts", got)
		}
		time.Sleep(2 * time.Second)
		if got := enter(t, w, drain.Ask{Replayable: true}); got != "v2" {
			t.Errorf("one that can be sent again went to %s while v2 settles", got)
		}
		if got := enter(t, w, drain.Ask{}); got != "image" {
			t.Errorf("one that cannot be sent again went to %s while v2 settles", got)
		}
		o := <-reloaded
		if o.Strategy != "overlap" || o.Why != "so says the test" || o.Took != 7*time.Second {
			t.Errorf("outcome %+v", o)
		}
		if _, err := s.Reload(t.Context(), Request{Commit: "v3"}); err != nil {
			t.Errorf("a reload while the first one still drains: %v", err)
		}
		synctest.Wait() // v2 has nobody to wait for
		if st := s.Status(); st.Retiring != 1 {
			t.Errorf("%d retire, want the old one", st.Retiring)
		}
		if w.stopped(0) || s.gateHeld() != 0 {
			t.Errorf("stopped %t, %d were held", w.stopped(0), s.gateHeld())
		}
		slow.Leave()
		synctest.Wait()
		if !w.stopped(0) {
			t.Error("the old one is not stopped after its drain")
		}
	})
}

func TestOverlap_AFailedNewcomerChangesNothing(t *testing.T) {
	for name, p := range map[string]part{
		"never ready": {neverReady: true}, "exits": {neverReady: true, exitsAfter: time.Second, exitCode: 3}, "dies soon": {diesAfter: time.Second, exitCode: 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := run(t, map[string]part{"image": {}, "v2": p}, overlapping)
				_, err := s.Reload(t.Context(), Request{Commit: "v2"})
				var failed *ReloadError
				if !errors.As(err, &failed) || failed.Serving != "image" {
					t.Errorf("error %v", err)
				}
				if w.stopped(0) || s.gateHeld() != 0 || len(w.alive) != 1 || s.Status().Bad["v2"] == "" {
					t.Errorf("stopped %t, %d held, alive %v, %+v", w.stopped(0), s.gateHeld(), w.alive, s.Status())
				}
				if got := enter(t, w, drain.Ask{Replayable: true}); got != "image" {
					t.Errorf("%s serves", got)
				}
			})
		})
	}
}

// A crash inside the bake while the old one still drains: the old one is brought back.
func TestOverlap_ACrashInTheBakeBringsTheOldOneBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {diesAfter: 10 * time.Second, exitCode: 3}}, overlapping)
		slow, _ := w.gate.TryEnter(drain.Ask{})
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if st := s.Status(); st.Commit != "image" || st.State != "serving" || st.Bad["v2"] == "" || st.Deaths != 0 {
			t.Errorf("status %+v", st)
		}
		if !w.stopped(1) || len(s.retiring) != 0 {
			t.Errorf("what the crashed one left is not swept up, or %d still retire", len(s.retiring))
		}
		slow.Leave()
		time.Sleep(time.Minute)
		if len(w.launched) != 2 || w.stopped(0) {
			t.Errorf("%d launches, the old one is stopped: %t", len(w.launched), w.stopped(0))
		}
		// It can retire again, and be stopped.
		if _, err := s.Reload(t.Context(), Request{Commit: "image", Relaunch: true}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !w.stopped(0) {
			t.Error("it is not stopped at its second retirement")
		}
	})
}

func TestOverlap_OneThatWasBroughtBackIsLookedAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {diesAfter: 10 * time.Second, exitCode: 3}}, overlapping)
		slow, _ := w.gate.TryEnter(drain.Ask{})
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		w.launched[0].end(child.Exit{Code: 1})
		slow.Leave()
		time.Sleep(time.Second)
		if st := s.Status(); st.State != "serving" || st.Generation != 3 || st.Commit != "image" {
			t.Errorf("after its death: %+v", st)
		}
	})
}

func TestOverlap_OneThatDiedWhileItRetiredIsNotBroughtBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {diesAfter: 10 * time.Second, exitCode: 3}}, overlapping)
		slow, _ := w.gate.TryEnter(drain.Ask{})
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); err != nil {
			t.Fatal(err)
		}
		w.launched[0].end(child.Exit{Code: 1}) // the slow request is still counted
		time.Sleep(9 * time.Second)
		if st := s.Status(); st.Commit != "v2" || st.Generation != 3 || st.Deaths != 1 {
			t.Errorf("%+v", st)
		}
		slow.Leave()
	})
}

func TestOverlap_FailuresDoNotUseUpThePlacesOfThoseThatRetire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := run(t, map[string]part{"image": {}, "v2": {neverReady: true, exitsAfter: time.Second}, "v3": {}}, overlapping)
		for range maxRetiring + 1 {
			if _, err := s.Reload(t.Context(), Request{Commit: "v2", Force: true}); err == nil {
				t.Fatal("no error")
			}
		}
		if o, err := s.Reload(t.Context(), Request{Commit: "v3"}); err != nil || o.Took != 2*time.Second {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

func TestOverlap_WhatRetiresFitsTheEndingsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.parts = map[string]part{"image": {stopTakes: time.Hour}, "v2": {stopTakes: time.Hour}}
		s := w.supervisor(overlapping, func(c *Config) { c.Timing.TaskStop = 10 * time.Second })
		code := make(chan int, 1)
		go func() { code <- s.Run() }()
		synctest.Wait()
		slow, _ := w.gate.TryEnter(drain.Ask{Kind: drain.Tunnel})
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s.Terminate()
		<-code
		if took := time.Since(start); took != 8*time.Second || len(w.alive) > 0 {
			t.Errorf("took %s, alive %v", took, w.alive)
		}
		slow.Leave()
	})
}

func TestReload_AReleaseThatIsUnfitIsRefusedBeforeItsLaunch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {unfit: true}})
		var refused *RefusedError
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); !errors.As(err, &refused) || !strings.Contains(err.Error(), "no server.js") {
			t.Errorf("error %v", err)
		}
		w.parts["image"] = part{unfit: true} // its environment's file has become unreadable, say
		if _, err := s.Reload(t.Context(), Request{Commit: "image", Relaunch: true}); !errors.As(err, &refused) {
			t.Errorf("the image's code: %v", err)
		}
		if len(w.launched) != 1 || w.stopped(0) {
			t.Error("something was done")
		}
	})
}

// What serves dies while a reload is about to be refused: nobody may believe that it serves on.
func TestReload_ADeathInARefusedReloadIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {}}, overlapping, func(c *Config) { c.Timing.Hold = time.Second })
		old := w.launched[0]
		w.crowded = true
		w.looks = func() {
			old.end(child.Exit{Code: 1})
			time.Sleep(time.Second)
		}
		var refused *RefusedError
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); !errors.As(err, &refused) {
			t.Errorf("error %v", err)
		}
		time.Sleep(time.Second)
		if st := s.Status(); st.State != "serving" || st.Generation != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestOverlap_AtMostTwoRetireAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {}, "v3": {}, "v4": {}}, overlapping)
		var slow []drain.Visit
		for _, commit := range []string{"v2", "v3"} {
			v, _ := w.gate.TryEnter(drain.Ask{})
			slow = append(slow, v)
			if _, err := s.Reload(t.Context(), Request{Commit: commit}); err != nil {
				t.Fatal(err)
			}
		}
		time.AfterFunc(time.Minute, slow[0].Leave)
		start := time.Now()
		if _, err := s.Reload(t.Context(), Request{Commit: "v4"}); err != nil || time.Since(start) != time.Minute+2*time.Second {
			t.Errorf("%v after %s, want it to wait for a place", err, time.Since(start))
		}
		slow[1].Leave()
	})
}

func TestOverlap_TheDrainsBoundCutsWhatRetires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {}}, overlapping)
		slow, _ := w.gate.TryEnter(drain.Ask{})
		defer slow.Leave()
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Minute - time.Second)
		if w.stopped(0) {
			t.Error("stopped before the bound")
		}
		time.Sleep(2 * time.Second)
		if !w.stopped(0) {
			t.Error("not stopped after the bound")
		}
	})
}

func TestOverlap_TheEndingTakesTheRetiringOnesAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.parts = map[string]part{"image": {stopTakes: time.Hour}, "v2": {exitCode: 5}}
		s := w.supervisor(overlapping)
		code := make(chan int, 1)
		go func() { code <- s.Run() }()
		synctest.Wait()
		w.accept()
		slow, _ := w.gate.TryEnter(drain.Ask{Kind: drain.Tunnel})
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s.Terminate()
		if got := <-code; got != 5 || len(w.alive) > 0 || time.Since(start) != 28*time.Second {
			t.Errorf("exit code %d after %s, alive %v", got, time.Since(start), w.alive)
		}
		slow.Leave()
		w.answered()
	})
}

func TestStrategy_IsChosenByWhatIsPossibleAndSaysWhy(t *testing.T) {
	for name, tc := range map[string]struct {
		set     Strategy
		public  bool
		crowded bool
		force   bool
		want    string // "refused" or the strategy
		says    string
	}{
		"auto with room":        {set: Auto, want: "overlap", says: "so says the test"},
		"auto without room":     {set: Auto, crowded: true, want: "in-place", says: "so says the test"},
		"auto on the port":      {set: Auto, public: true, want: "in-place", says: "listens on its port itself"},
		"overlap, no room":      {set: Overlap, crowded: true, want: "overlap", says: "as set"},
		"overlap on the port":   {set: Overlap, public: true, want: "refused", says: "listens on its port itself"},
		"overlap, forced":       {set: Overlap, public: true, force: true, want: "in-place", says: "listens on its port itself"},
		"in-place":              {set: InPlace, want: "in-place", says: "as set"},
		"in-place, no relation": {set: InPlace, public: true, want: "in-place", says: "as set"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := run(t, map[string]part{"image": {public: tc.public}, "v2": {}}, func(c *Config) { c.Strategy = tc.set })
				w.crowded = tc.crowded
				o, err := s.Reload(t.Context(), Request{Commit: "v2", Force: tc.force})
				got, why := o.Strategy, o.Why
				var refused *RefusedError
				if errors.As(err, &refused) {
					got, why = "refused", err.Error()
				} else if err != nil {
					t.Fatal(err)
				}
				if got != tc.want || !strings.Contains(why, tc.says) {
					t.Errorf("%s, because %s", got, why)
				}
			})
		})
	}
}

func TestStrategy_AKillForWantOfMemoryMakesTheNextReloadInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {diesAfter: time.Second, ooms: true}}, overlapping)
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); err == nil {
			t.Fatal("it was killed and that was no error")
		}
		if bad := s.Status().Bad["v2"]; bad != "" {
			t.Errorf("the commit is blamed: %s", bad)
		}
		w.mu.Lock()
		w.parts["v2"] = part{}
		w.mu.Unlock()
		for _, want := range []string{"in-place", "overlap"} {
			o, err := s.Reload(t.Context(), Request{Commit: "v2", Relaunch: true})
			if err != nil || o.Strategy != want {
				t.Errorf("%+v, %v, want %s", o, err, want)
			}
		}
	})
}

func TestSupervisor_AnAppThatHangsIsEndedAndLaunchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {hangsAfter: 20 * time.Second, stopTakes: 5 * time.Second}}, overlapping)
		time.Sleep(22 * time.Second)
		if got := enter(t, w, drain.Ask{}); got != "nobody" || s.Status().State != "down" {
			t.Errorf("%s got a request while it hangs, state %s", got, s.Status().State)
		}
		time.Sleep(4 * time.Second)
		if st := s.Status(); st.State != "serving" || st.Generation != 2 || st.Deaths != 1 || !w.stopped(0) {
			t.Errorf("status %+v", st)
		}
	})
}

func TestSupervisor_TheAppsOwnExitCodeAsksForTheStagedCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {diesAfter: 20 * time.Second, exitCode: 88}, "v2": {}}, func(c *Config) {
			c.Restart.Policy = RestartNever
		})
		time.Sleep(21 * time.Second)
		if st := s.Status(); st.Commit != "image" || st.Generation != 2 || len(st.Bad) > 0 {
			t.Errorf("with nothing staged: %+v", st)
		}
		if _, err := s.Reload(t.Context(), Request{Commit: "v2", NoLaunch: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(25 * time.Second)
		if st := s.Status(); st.Commit != "v2" || st.Generation != 3 || st.Deaths != 0 {
			t.Errorf("with v2 staged: %+v after %d launches", st, len(w.launched))
		}
	})
}

func TestSupervisor_TheAppsOwnExitCodeCountsInTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.parts = map[string]part{"image": {diesAfter: time.Second, exitCode: 88}}
		s := w.supervisor()
		if code := s.Run(); code != 88 || len(w.launched) != 6 {
			t.Errorf("exit code %d after %d launches", code, len(w.launched))
		}
	})
}

// The port is ours only while the app listens on a socket of its own.
func TestSupervisor_HoldsThePortForSidecarsOnlyWhileItIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {public: true}}, func(c *Config) { c.Strategy = InPlace })
		if !w.portOpen {
			t.Error("not held for a private app")
		}
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); err != nil {
			t.Fatal(err)
		}
		if w.portOpen {
			t.Error("held although the app listens there itself")
		}
	})
}

// Nothing serves any more while a reload waits for a place among those that retire: then it need not wait.
func TestOverlap_ADeathWhileAReloadWaitsForAPlaceEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {}, "v3": {}, "v4": {}}, overlapping)
		var slow []drain.Visit
		for _, commit := range []string{"v2", "v3"} {
			v, _ := w.gate.TryEnter(drain.Ask{})
			slow = append(slow, v)
			if _, err := s.Reload(t.Context(), Request{Commit: commit}); err != nil {
				t.Fatal(err)
			}
		}
		reloaded := make(chan error, 1)
		var o Outcome
		go func() {
			var err error
			o, err = s.Reload(t.Context(), Request{Commit: "v4"})
			reloaded <- err
		}()
		time.Sleep(time.Second)
		w.launched[2].end(child.Exit{Code: 1})
		time.Sleep(3 * time.Second)
		if err := <-reloaded; err != nil || enter(t, w, drain.Ask{}) != "v4" {
			t.Errorf("%v, %s serves", err, enter(t, w, drain.Ask{}))
		}
		if o.Strategy != "in-place" || o.Why != "nothing served" {
			t.Errorf("it says %s, because %s", o.Strategy, o.Why)
		}
		for _, v := range slow {
			v.Leave()
		}
	})
}

func TestOverlap_AFailureSaysTheTruthAboutWhatServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := run(t, map[string]part{"image": {}, "v2": {neverReady: true, exitsAfter: 5 * time.Second, exitCode: 3}}, overlapping)
		old := w.launched[0]
		time.AfterFunc(time.Second, func() { old.end(child.Exit{Code: 1}) })
		var failed *ReloadError
		if _, err := s.Reload(t.Context(), Request{Commit: "v2"}); !errors.As(err, &failed) || failed.Serving != "" {
			t.Errorf("error %v", err)
		}
		time.Sleep(time.Second)
		if st := s.Status(); st.State != "serving" || st.Commit != "image" {
			t.Errorf("afterwards %+v", st)
		}
	})
}

// Helpers

// enter sends a request through the gate and returns the commit of the child that it was with.
func enter(t *testing.T, w *world, a drain.Ask) string {
	t.Helper()
	v, ok := w.gate.TryEnter(a)
	if !ok {
		return "nobody"
	}
	defer v.Leave()
	return w.child(v.Backend()).commit
}

// stopped says whether the nth child was asked to end.
func (w *world) stopped(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.launched[n].stopped
}

// gateHeld is how many requests have ever waited.
func (s *Supervisor) gateHeld() uint64 { return s.cfg.Gate.Held().Total }
