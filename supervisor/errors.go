package supervisor

import (
	"errors"
	"fmt"
)

// ErrEnding says that the instance is going away.
var ErrEnding = errors.New("this instance is ending")

// errNotReady is why a start is given up.
var errNotReady = errors.New("not ready in time")

// BusyError says that another reload is under way.
type BusyError struct {
	// Running is the commit that is being reloaded to.
	Running string
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("a reload to %s is under way: wait for it, then ask again", e.Running)
}

// RefusedError says why a reload was not even begun; nothing has changed.
type RefusedError struct {
	Reason string
}

func (e *RefusedError) Error() string { return e.Reason }

// FetchError says why a release could not be had.
type FetchError struct {
	Commit string
	Kind   FetchKind
	Err    error
}

func (e *FetchError) Error() string { return fmt.Sprintf("fetch %s: %v", e.Commit, e.Err) }
func (e *FetchError) Unwrap() error { return e.Err }

// FetchKind is what a caller can do about it.
type FetchKind int

// The kinds of failed fetches.
const (
	// FetchFailed is anything else: a full disk.
	FetchFailed FetchKind = iota
	// FetchNotFound: no such release; publish it, or mend the name.
	FetchNotFound
	// FetchCorrupt: the release is not what its manifest says; publish it again.
	FetchCorrupt
	// FetchUnavailable: the store does not answer; try again.
	FetchUnavailable
)

// Step is a part of a reload.
type Step string

// The steps of a reload, in the order of an in-place swap.
const (
	StepFetch  Step = "fetch"
	StepDrain  Step = "drain"
	StepStop   Step = "stop"
	StepStart  Step = "start"
	StepReady  Step = "ready"
	StepSettle Step = "settle"
)

// StepError says at which step something failed.
type StepError struct {
	Step Step
	Err  error
}

func (e *StepError) Error() string { return fmt.Sprintf("%s: %v", e.Step, e.Err) }
func (e *StepError) Unwrap() error { return e.Err }

// ReloadError says that a reload was begun and did not succeed, and what serves now.
type ReloadError struct {
	Commit string
	Step   Step
	Err    error
	// Serving is the commit that serves now; empty if none does.
	Serving string
}

func (e *ReloadError) Error() string {
	now := "nothing serves now"
	if e.Serving != "" {
		now = e.Serving + " serves"
	}
	return fmt.Sprintf("reload to %s failed at step %q: %v; %s", e.Commit, e.Step, e.Err, now)
}

func (e *ReloadError) Unwrap() error { return e.Err }
