package supervisor

import (
	"errors"
	"maps"
	"time"

	"pitstop/drain"
)

// Status is what the instance is doing.
type Status struct {
	// State is "starting", "serving", "reloading", "down" or "ending".
	State string
	// Commit serves, or is being launched again; Image is that of the container image, Good the last that baked.
	Commit, Image, Good string
	// Baked says that Commit has stayed up for the bake.
	Baked bool
	// Dir and Digest are of the release that serves, Entry the real path of the script that its process runs.
	Dir, Digest, Entry string
	// Pid, Generation, Addr and Ready are of the child that serves; zero if none does.
	Pid, Generation int
	Addr            string
	Ready           time.Time
	// Visits are with that child now.
	Visits drain.Counts
	// Held are those who wait.
	Held drain.Held
	// Reloading is the commit of the reload under way, Step what it is at; empty if there is none.
	Reloading string
	Step      Step
	// Bad are the commits that failed here, with the reason.
	Bad map[string]string
	// Retiring counts the older generations that still drain.
	Retiring int
	// Deaths counts the unasked ends within the restart window.
	Deaths int

	backend *drain.Backend
}

// publish makes the loop's state readable.
func (s *Supervisor) publish() {
	st := &Status{
		Commit: s.state.Want, Image: s.state.Image, Good: s.state.Good, Baked: s.state.Baked,
		Reloading: s.state.Reload.Commit, Bad: maps.Clone(s.state.Bad), Deaths: len(s.state.Deaths), Retiring: len(s.retirees),
	}
	if g := s.newest; g != nil && s.state.Serving == g.number {
		st.Dir, st.Digest = g.release.Dir, g.release.Digest
		st.Pid, st.Generation, st.Addr, st.Ready = g.child.Pid(), g.number, g.backend.Addr, g.ready
		st.Entry, st.backend = g.child.Entry(), g.backend
	}
	st.State = s.stateName()
	s.status.Store(st)
}

func (s *Supervisor) stateName() string {
	switch st := s.state; {
	case st.Terms > 0 || st.Slot == ending:
		return "ending"
	case st.Slot == swapping:
		return "reloading"
	case st.Serving != 0:
		return "serving"
	case s.number.Load() == 0:
		return "starting"
	default:
		return "down"
	}
}

// Status returns what the instance is doing now.
func (s *Supervisor) Status() Status {
	st := *s.status.Load()
	st.Held = s.cfg.Gate.Held()
	if st.State == "serving" && !st.Held.Since.IsZero() {
		st.State = "down" // it hangs or has died, and the loop is about to learn of it
	}
	if st.backend != nil {
		if state, _ := st.backend.State(); state == drain.Gone {
			st.Pid, st.Generation, st.Addr, st.Ready, st.backend = 0, 0, "", time.Time{}, nil
		}
	}
	if st.backend != nil {
		st.Visits = st.backend.Visits()
	}
	if step := s.step.Load(); step != nil {
		st.Step = *step
	}
	return st
}

// Health says why a load balancer should not send requests here, nil if it should. It is good also while requests are
// held within their bounds: a red answer then would have the orchestrator replace the container.
func (s *Supervisor) Health() error {
	st := s.Status()
	switch {
	case st.State == "ending":
		return ErrEnding
	case s.number.Load() == 0:
		return errors.New("starting: the app has not been ready yet")
	case !st.Held.Since.IsZero() && time.Since(st.Held.Since) > s.cfg.Timing.Hold:
		return errors.New("the app is down for longer than requests can be held")
	}
	return nil
}
