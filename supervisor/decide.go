package supervisor

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// decide says what an event makes of the state, and what is to be done. It is pure.
//
// Order of precedence: SIGTERM, the death of the child that serves, a reload.
func decide(cfg Restart, s state, e event) (state, []action) {
	switch e := e.(type) {
	case begun:
		return lendLaunch(s)
	case asked:
		return onAsked(s, e.Request)
	case fetchEnded:
		return onFetchEnded(s, e)
	case actEnded:
		return onActEnded(cfg, s, e)
	case died:
		return onDied(cfg, s, e)
	case recalled:
		return onRecalled(cfg, s, e)
	case retired:
		if s.Back.generation == e.generation {
			s.Back = retiree{}
		}
		return s, nil
	case baked:
		return onBaked(s, e)
	case relaunchDue:
		if s.Slot == none && s.Serving == 0 && s.Terms == 0 {
			return lendLaunch(s)
		}
		return s, nil
	case terminated:
		return onTerminated(s)
	default:
		panic(fmt.Sprintf("supervisor: unknown event %T", e))
	}
}

func onAsked(s state, r Request) (state, []action) {
	switch {
	case s.Terms > 0 || s.Slot == ending:
		return s, []action{{do: refuse, err: ErrEnding}}
	case s.Reload.Phase != idle && s.Reload.Commit != r.Commit:
		return s, []action{{do: refuse, err: &BusyError{Running: s.Reload.Commit}}}
	case s.Reload.Phase == inSlot:
		return s, []action{{do: join}}
	case s.Serving != 0 && s.Want == r.Commit && !r.Relaunch:
		return s, []action{{do: same}}
	case s.Bad[r.Commit] != "" && !r.Force && !r.NoLaunch:
		return s, []action{{do: refuse, err: &RefusedError{Reason: fmt.Sprintf(
			"%s is marked bad on this instance: %s; publish a mended commit, or try it again with force", r.Commit, s.Bad[r.Commit])}}}
	}
	if s.Reload.Phase != idle { // who joins gets what it asked for, and so do all
		s.Reload.NoLaunch = s.Reload.NoLaunch && r.NoLaunch
		s.Reload.Relaunch = s.Reload.Relaunch || r.Relaunch
		s.Reload.Force = s.Reload.Force || r.Force
		return s, []action{{do: join}}
	}
	s.Reload = reload{Request: r, Phase: fetching}
	return s, []action{{do: join}, {do: fetch, commit: r.Commit}}
}

func onFetchEnded(s state, e fetchEnded) (state, []action) {
	if s.Reload.Phase != fetching {
		return s, nil // ended meanwhile
	}
	if e.err != nil || s.Reload.NoLaunch {
		if e.err == nil {
			s.Staged = s.Reload.Commit
		}
		s.Reload = reload{}
		return s, []action{{do: finish, err: e.err}}
	}
	s.Reload.Phase = fetched
	return lendSwap(s)
}

func onActEnded(cfg Restart, s state, e actEnded) (state, []action) {
	was := s.Slot
	s.Slot = none
	switch {
	case e.retires != 0:
		s.Back = retiree{e.retires, s.Want, s.Baked}
	case e.serving != s.Serving:
		s.Back = retiree{}
	}
	s.Serving, s.Want, s.Baked = e.serving, e.commit, e.serving != 0 && e.serving == s.Serving && s.Baked
	if e.serving == 0 {
		s.Exit = e.exit
	}
	var actions []action
	if was == swapping {
		if e.fault != "" {
			s = mark(s, s.Reload.Commit, e.fault)
		} else if e.err == nil {
			s = unmark(s, s.Reload.Commit)
			s.Deaths, s.Early = nil, 0 // they were the previous one's
		}
		if s.Staged == s.Reload.Commit {
			s.Staged = ""
		}
		s.Reload = reload{}
		actions = append(actions, action{do: finish, err: e.err})
	} else if e.fault != "" {
		s = mark(s, s.Want, e.fault)
	}
	var more []action
	switch {
	case s.Terms > 0:
		s, more = lendEnd(s)
	case s.Serving == 0:
		s, more = afterDeath(cfg, s, e.at)
	default:
		s, more = lendSwap(s)
	}
	return s, append(actions, more...)
}

func onDied(cfg Restart, s state, e died) (state, []action) {
	// While an act holds the slot, the children are its own affair, and it tells what serves at its end.
	if e.generation != s.Serving || s.Slot != none {
		return s, nil
	}
	early := !s.Baked
	s.Serving, s.Baked, s.Exit = 0, false, e.exit
	if cfg.RelaunchCode != 0 && e.exit == cfg.RelaunchCode {
		return onRelaunchAsked(cfg, s, e.at)
	}
	if early {
		s.Early++
		s = mark(s, s.Want, fmt.Sprintf("it ended with code %d before it had been up for the bake time", e.exit))
	}
	if early && s.Back.generation != 0 {
		return s, []action{{do: recall}}
	}
	return afterDeath(cfg, s, e.at)
}

// onRelaunchAsked is the way on when the app itself asked for it by its exit code: at once, on the newest wanted commit.
func onRelaunchAsked(cfg Restart, s state, at time.Time) (state, []action) {
	s = count(cfg, s, at)
	switch {
	case len(s.Deaths) > cfg.Max:
		return pastTheLimit(s)
	case s.Reload.Phase == idle && s.Staged != "" && s.Staged != s.Want && s.Bad[s.Staged] == "":
		s.Reload = reload{Request: Request{Commit: s.Staged}, Phase: fetched}
	}
	if s.Reload.Phase == fetched {
		return lendSwap(s)
	}
	return s, []action{{do: arm, after: backoff(len(s.Deaths))}}
}

// onRecalled goes on after the retiring generation was to be brought back.
func onRecalled(cfg Restart, s state, e recalled) (state, []action) {
	back := s.Back
	s.Back = retiree{}
	if !e.ok {
		return afterDeath(cfg, s, e.at)
	}
	s.Serving, s.Want, s.Baked = back.generation, back.commit, back.baked
	return lendSwap(s)
}

// afterDeath is the way on when nothing serves and nothing is under way: again, within limits.
func afterDeath(cfg Restart, s state, at time.Time) (state, []action) {
	// An app that ends well at once, when it came by a reload, has not done its work: it is as bad as one that crashes.
	failed := s.Exit != 0 || s.Early > 0 && s.Want != s.Image
	if cfg.Policy == RestartNever || cfg.Policy == RestartOnFailure && !failed {
		return giveUpOn(s)
	}
	s = count(cfg, s, at)
	if s.Reload.Phase == fetched {
		return lendSwap(s) // what is asked for may be the mend
	}
	if len(s.Deaths) <= cfg.Max && s.Early <= cfg.Max {
		return s, []action{{do: arm, after: backoff(len(s.Deaths))}}
	}
	return pastTheLimit(s)
}

// count notes an end, and forgets those outside the window.
func count(cfg Restart, s state, at time.Time) state {
	s.Deaths = slices.DeleteFunc(slices.Clone(s.Deaths), func(d time.Time) bool { return at.Sub(d) >= cfg.Window })
	s.Deaths = append(s.Deaths, at)
	return s
}

// pastTheLimit is the way on when a release has ended too often: another one that may do better, or the end.
func pastTheLimit(s state) (state, []action) {
	s.Tried = append(slices.Clone(s.Tried), s.Want)
	for _, commit := range []string{s.Good, s.Image} {
		if commit != "" && !slices.Contains(s.Tried, commit) {
			s.Want, s.Deaths, s.Early = commit, nil, 0
			return lendLaunch(s)
		}
	}
	return giveUpOn(s)
}

// backoff is the wait before the nth launch in a window: none at first, since requests are held meanwhile.
func backoff(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	return min(250*time.Millisecond<<min(n-2, 5), 5*time.Second) // beyond, it would overflow
}

func onBaked(s state, e baked) (state, []action) {
	if e.generation == s.Serving {
		s.Baked, s.Good, s.Deaths, s.Early, s.Tried = true, s.Want, nil, 0, nil
		s = unmark(s, s.Want)
	}
	if e.generation == s.Back.generation { // it may be brought back
		s.Back.baked = true
	}
	return s, nil
}

func onTerminated(s state) (state, []action) {
	s.Terms++
	switch {
	case s.Terms == 2:
		return s, []action{{do: hurry}}
	case s.Terms > 2:
		return s, nil
	}
	var actions []action
	if s.Reload.Phase == fetching || s.Reload.Phase == fetched {
		s.Reload = reload{}
		actions = append(actions, action{do: finish, err: ErrEnding})
	}
	switch s.Slot {
	case none:
		var more []action
		s, more = lendEnd(s)
		return s, append(actions, more...)
	case ending:
		return s, actions
	default:
		return s, append(actions, action{do: cancel}) // the ending follows the act's end
	}
}

func giveUpOn(s state) (state, []action) {
	var actions []action
	if s.Reload.Phase != idle {
		s.Reload = reload{}
		actions = append(actions, action{do: finish, err: ErrEnding})
	}
	s.Slot = ending
	return s, append(actions, action{do: giveUp})
}

func lendLaunch(s state) (state, []action) {
	s.Slot = launching
	return s, []action{{do: launch, commit: s.Want}}
}

func lendEnd(s state) (state, []action) {
	s.Slot = ending
	return s, []action{{do: end}}
}

// lendSwap begins the reload that waits for the slot, if there is one and the slot is free.
func lendSwap(s state) (state, []action) {
	if s.Reload.Phase != fetched || s.Slot != none || s.Terms > 0 {
		return s, nil
	}
	s.Reload.Phase, s.Slot = inSlot, swapping
	return s, []action{{do: swap, commit: s.Reload.Commit}}
}

func mark(s state, commit, reason string) state {
	s.Bad = maps.Clone(s.Bad)
	if s.Bad == nil {
		s.Bad = make(map[string]string)
	}
	s.Bad[commit] = reason
	return s
}

func unmark(s state, commit string) state {
	s.Bad = maps.Clone(s.Bad)
	delete(s.Bad, commit)
	return s
}
