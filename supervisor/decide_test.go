package supervisor

import (
	"errors"
	"slices"
	"testing"
	"time"
)

var restart = Restart{Policy: RestartOnFailure, Max: 2, Window: time.Minute}

// verbs is what an event makes decide say, and the state after it.
func verbs(s state, e event) (state, []verb) {
	next, actions := decide(restart, s, e)
	var vs []verb
	for _, a := range actions {
		vs = append(vs, a.do)
	}
	return next, vs
}

func TestDecide_EventsThatComeTooLateDoNothing(t *testing.T) {
	serving := state{Image: "image", Want: "v1", Serving: 7, Good: "v0"}
	for name, tc := range map[string]struct {
		state state
		event event
	}{
		"a fetch that ends after its reload":    {serving, fetchEnded{errors.New("late")}},
		"a relaunch when something serves":      {serving, relaunchDue{}},
		"a relaunch in the ending":              {state{Want: "v1", Terms: 1, Slot: ending}, relaunchDue{}},
		"a relaunch when the ending comes next": {state{Want: "v1", Terms: 1}, relaunchDue{}},
		"a relaunch when the slot is lent":      {state{Want: "v1", Slot: swapping}, relaunchDue{}},
		"a fetch when the ending comes next":    {state{Want: "v1", Terms: 1, Reload: reload{Phase: fetching}}, fetchEnded{}},
		"a third signal to end":                 {state{Want: "v1", Terms: 2, Slot: swapping}, terminated{}},
		"the death of an older generation":      {serving, died{generation: 6}},
		"the bake of an older generation":       {serving, baked{generation: 6}},
	} {
		t.Run(name, func(t *testing.T) {
			next, vs := verbs(tc.state, tc.event)
			if len(vs) > 0 {
				t.Errorf("does %v", vs)
			}
			if next.Serving != tc.state.Serving || next.Good != tc.state.Good || next.Baked != tc.state.Baked || next.Slot != tc.state.Slot {
				t.Errorf("state %+v", next)
			}
		})
	}
}

func TestDecide_DeathsOutsideTheWindowDoNotCount(t *testing.T) {
	now := time.Now()
	s := state{Image: "image", Want: "image", Serving: 1}
	for i := range 10 {
		s.Serving, s.Baked = i+1, true
		var vs []verb
		s, vs = verbs(s, died{generation: i + 1, exit: 1, at: now.Add(time.Duration(i) * 31 * time.Second)})
		if !slices.Equal(vs, []verb{arm}) {
			t.Fatalf("death %d: %v", i, vs)
		}
	}
	s.Serving, s.Baked = 11, true
	if _, vs := verbs(s, died{generation: 11, exit: 1, at: now.Add(9 * 31 * time.Second)}); !slices.Equal(vs, []verb{giveUp}) {
		t.Errorf("a third death within the window: %v", vs)
	}
}

func TestDecide_FallsBackToTheLastGoodReleaseFirst(t *testing.T) {
	now := time.Now()
	s := state{Image: "image", Want: "v2", Good: "v1", Serving: 1, Deaths: []time.Time{now, now}}
	var want []string
	for i := range 2 {
		next, actions := decide(restart, s, died{generation: s.Serving, exit: 1, at: now})
		if len(actions) != 1 || actions[0].do != launch {
			t.Fatalf("%v", actions)
		}
		want = append(want, actions[0].commit)
		s = next
		s.Slot, s.Serving, s.Deaths = none, 2+i, []time.Time{now, now}
	}
	if !slices.Equal(want, []string{"v1", "image"}) {
		t.Errorf("fell back to %v", want)
	}
	if _, vs := verbs(s, died{generation: s.Serving, exit: 1, at: now}); !slices.Equal(vs, []verb{giveUp}) {
		t.Errorf("at last: %v", vs)
	}
}

func TestDecide_AReloadThatWaitsIsTriedBeforeALaunchOfWhatDied(t *testing.T) {
	s := state{Image: "image", Want: "v1", Slot: launching, Reload: reload{Request: Request{Commit: "v2"}, Phase: fetched}}
	next, vs := verbs(s, actEnded{commit: "v1", exit: 1, at: time.Now()})
	if !slices.Equal(vs, []verb{swap}) || next.Slot != swapping {
		t.Errorf("%v", vs)
	}
}

func TestDecide_WhoAsksInTheEndingIsRefused(t *testing.T) {
	for _, s := range []state{{Terms: 1, Slot: launching}, {Slot: ending}} {
		if _, vs := verbs(s, asked{Request{Commit: "v2"}}); !slices.Equal(vs, []verb{refuse}) {
			t.Errorf("%+v: %v", s, vs)
		}
	}
}

func TestDecide_TheEndingAnswersThoseWhoWaitForAFetch(t *testing.T) {
	for _, p := range []phase{fetching, fetched} {
		s := state{Want: "v1", Serving: 1, Reload: reload{Request: Request{Commit: "v2"}, Phase: p}}
		if _, vs := verbs(s, terminated{}); !slices.Equal(vs, []verb{finish, end}) {
			t.Errorf("%v", vs)
		}
	}
}

func TestDecide_TheWayBackIsKnownWhileItIsThere(t *testing.T) {
	s := state{Want: "v1", Serving: 1, Slot: swapping, Reload: reload{Request: Request{Commit: "v2"}, Phase: inSlot}}
	s, _ = verbs(s, actEnded{serving: 2, commit: "v2", retires: 1})
	if want := (retiree{1, "v1", false}); s.Back != want {
		t.Fatalf("the way back is %+v, want %+v", s.Back, want)
	}
	if next, _ := verbs(s, retired{7}); next.Back != s.Back {
		t.Error("forgotten when another generation has retired")
	}
	if next, _ := verbs(s, retired{1}); next.Back != (retiree{}) {
		t.Error("not forgotten when it is gone")
	}
	s.Slot = swapping
	if next, _ := verbs(s, actEnded{serving: 3, commit: "v3"}); next.Back != (retiree{}) {
		t.Error("not forgotten when an in-place reload has replaced what followed it")
	}
}

func TestDecide_OnlyAnEarlyDeathBringsBack(t *testing.T) {
	now := time.Now()
	s := state{Want: "v2", Serving: 2, Back: retiree{1, "v1", true}}
	early, vs := verbs(s, died{generation: 2, exit: 1, at: now})
	if !slices.Equal(vs, []verb{recall}) {
		t.Fatalf("an early death: %v", vs)
	}
	s.Baked = true
	if _, vs := verbs(s, died{generation: 2, exit: 1, at: now}); !slices.Equal(vs, []verb{arm}) {
		t.Errorf("a late death: %v", vs)
	}
	if next, vs := verbs(early, recalled{ok: false, at: now}); !slices.Equal(vs, []verb{arm}) || next.Serving != 0 || next.Want != "v2" {
		t.Errorf("when it cannot be brought back: %v, %+v", vs, next)
	}
	early.Reload = reload{Request: Request{Commit: "v3"}, Phase: fetched}
	next, vs := verbs(early, recalled{ok: true, at: now})
	if !slices.Equal(vs, []verb{swap}) || next.Serving != 1 || next.Want != "v1" || !next.Baked {
		t.Errorf("brought back while a reload waits: %v, %+v", vs, next)
	}
}

func TestDecide_AStagedCommitIsWantedUntilItServesOrFails(t *testing.T) {
	now := time.Now()
	asking := restart
	asking.RelaunchCode = 88
	s := state{Want: "v1", Serving: 1, Staged: "v2"}
	next, actions := decide(asking, s, died{generation: 1, exit: 88, at: now})
	if len(actions) != 1 || actions[0].do != swap || actions[0].commit != "v2" {
		t.Fatalf("%v", actions)
	}
	if done, _ := decide(asking, next, actEnded{serving: 2, commit: "v2", at: now}); done.Staged != "" {
		t.Error("still wanted once it serves")
	}
	s.Bad = map[string]string{"v2": "it failed"}
	if _, actions := decide(asking, s, died{generation: 1, exit: 88, at: now}); len(actions) != 1 || actions[0].do != arm {
		t.Errorf("one that failed here is tried again: %v", actions)
	}
}

func TestDecide_AReleaseThatNeverBakesIsGivenUpHoweverSlowlyItDies(t *testing.T) {
	s := state{Image: "image", Want: "v2", Good: "image", Serving: 1}
	now := time.Now()
	for n := 1; ; n++ {
		next, actions := decide(restart, s, died{generation: n, exit: 3, at: now.Add(time.Duration(n) * time.Hour)})
		if actions[0].do == launch {
			if n != restart.Max+1 || next.Want != "image" || next.Early != 0 {
				t.Errorf("after %d deaths: %+v", n, next)
			}
			return
		}
		if n > 10 {
			t.Fatal("it flaps for ever")
		}
		s = next
		s.Serving = n + 1
	}
}

func TestDecide_ACleanEndSoonAfterAReloadIsAFailure(t *testing.T) {
	for _, tc := range []struct {
		state state
		want  verb
	}{
		{state{Image: "image", Want: "v2", Serving: 1}, arm},
		{state{Image: "image", Want: "v2", Serving: 1, Baked: true}, giveUp},
		{state{Image: "image", Want: "image", Serving: 1}, giveUp}, // a job that has done its work
	} {
		if _, vs := verbs(tc.state, died{generation: 1, at: time.Now()}); !slices.Equal(vs, []verb{tc.want}) {
			t.Errorf("%+v: %v, want %s", tc.state, vs, tc.want)
		}
	}
}

func TestDecide_WhoJoinsABadCommitMustForceIt(t *testing.T) {
	s := state{Want: "v1", Serving: 1, Bad: map[string]string{"v2": "it failed"}, Reload: reload{Request: Request{Commit: "v2", NoLaunch: true}, Phase: fetching}}
	if _, vs := verbs(s, asked{Request{Commit: "v2"}}); !slices.Equal(vs, []verb{refuse}) {
		t.Errorf("without force: %v", vs)
	}
	next, vs := verbs(s, asked{Request{Commit: "v2", Force: true, Relaunch: true}})
	if !slices.Equal(vs, []verb{join}) || next.Reload.NoLaunch || !next.Reload.Force || !next.Reload.Relaunch {
		t.Errorf("forced: %v, %+v", vs, next.Reload)
	}
}

func TestDecide_OneThatBakesWhileItRetiresHasBaked(t *testing.T) {
	s := state{Want: "v2", Serving: 2, Back: retiree{1, "v1", false}}
	if next, _ := verbs(s, baked{1}); !next.Back.baked || next.Good != "" {
		t.Errorf("%+v", next)
	}
}

func TestDecide_ABadCommitMayBeFetched(t *testing.T) {
	s := state{Want: "v1", Serving: 1, Bad: map[string]string{"v2": "it failed"}}
	if _, vs := verbs(s, asked{Request{Commit: "v2", NoLaunch: true}}); !slices.Equal(vs, []verb{join, fetch}) {
		t.Errorf("%v", vs)
	}
}

func TestDecide_WhatDoesNotServeCanBeAskedFor(t *testing.T) {
	s := state{Want: "v1"}
	if _, vs := verbs(s, asked{Request{Commit: "v1"}}); !slices.Equal(vs, []verb{join, fetch}) {
		t.Errorf("%v", vs)
	}
}

func TestDecide_ANewcomerHasNotBaked(t *testing.T) {
	s := state{Want: "v1", Serving: 1, Baked: true, Slot: swapping, Reload: reload{Request: Request{Commit: "v2"}, Phase: inSlot}}
	if next, _ := verbs(s, actEnded{serving: 2, commit: "v2"}); next.Baked {
		t.Error("it has what its predecessor had")
	}
	if next, _ := verbs(s, actEnded{serving: 1, commit: "v1", err: errors.New("not ready")}); !next.Baked {
		t.Error("the one that serves on has lost it")
	}
}

func TestDecide_ALaunchThatFailsMarksItsCommit(t *testing.T) {
	s := state{Image: "image", Want: "v2", Slot: launching}
	if next, _ := verbs(s, actEnded{commit: "v2", fault: "never ready", exit: 1}); next.Bad["v2"] != "never ready" {
		t.Errorf("%+v", next)
	}
}

func TestDecide_ABakeForgetsWhatWasHeldAgainstIt(t *testing.T) {
	s := state{Want: "v2", Serving: 2, Bad: map[string]string{"v2": "it failed", "v3": "it failed"}, Tried: []string{"v2"}, Early: 1, Deaths: []time.Time{time.Now()}}
	next, _ := verbs(s, baked{2})
	if len(next.Bad) != 1 || next.Bad["v3"] == "" || next.Tried != nil || next.Early != 0 || next.Deaths != nil || next.Good != "v2" {
		t.Errorf("%+v", next)
	}
}

func TestDecide_ARelaunchOfTheStagedCommitThatServesIsNoReload(t *testing.T) {
	asking := restart
	asking.RelaunchCode = 88
	s := state{Want: "v1", Serving: 1, Staged: "v1"}
	if _, actions := decide(asking, s, died{generation: 1, exit: 88, at: time.Now()}); len(actions) != 1 || actions[0].do != arm {
		t.Errorf("%v", actions)
	}
}

func TestDecide_GivingUpAnswersThoseWhoWaitForAReload(t *testing.T) {
	s := state{Image: "image", Want: "image", Serving: 1, Baked: true, Reload: reload{Request: Request{Commit: "v2"}, Phase: fetching}}
	next, vs := verbs(s, died{generation: 1, at: time.Now()})
	if !slices.Equal(vs, []verb{finish, giveUp}) || next.Reload.Phase != idle {
		t.Errorf("%v, %+v", vs, next.Reload)
	}
}

func TestDecide_TheWaitBeforeALaunchGrowsToFiveSeconds(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 0, 2: 250 * time.Millisecond, 3: 500 * time.Millisecond, 7: 5 * time.Second, 100: 5 * time.Second} {
		if got := backoff(n); got != want {
			t.Errorf("before launch %d: %v, want %v", n, got, want)
		}
	}
}

func TestDecide_ADeathCountsForLessThanTheWindow(t *testing.T) {
	now := time.Now()
	for ago, want := range map[time.Duration]int{restart.Window: 1, restart.Window - 1: 2} {
		if got := len(count(restart, state{Deaths: []time.Time{now.Add(-ago)}}, now).Deaths); got != want {
			t.Errorf("with one %v ago %d count, want %d", ago, got, want)
		}
	}
}

func TestDecide_AnAppThatAsksForEverIsPastTheLimitToo(t *testing.T) {
	asking := restart
	asking.RelaunchCode = 88
	now := time.Now()
	s := state{Image: "image", Want: "v2", Good: "v1", Serving: 1, Baked: true, Deaths: []time.Time{now, now}}
	if next, actions := decide(asking, s, died{generation: 1, exit: 88, at: now}); len(actions) != 1 || actions[0].do != launch || next.Want != "v1" {
		t.Errorf("%v", actions)
	}
}
