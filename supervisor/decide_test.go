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
		s.Serving = i + 1
		var vs []verb
		s, vs = verbs(s, died{generation: i + 1, exit: 1, at: now.Add(time.Duration(i) * 31 * time.Second)})
		if !slices.Equal(vs, []verb{arm}) {
			t.Fatalf("death %d: %v", i, vs)
		}
	}
	s.Serving = 11
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
