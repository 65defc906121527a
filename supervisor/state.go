package supervisor

import (
	"time"
)

// state is all that decide needs to know. It is a value: decide returns a changed copy.
type state struct {
	Image string // the commit of the image code
	// Want is the commit that should serve: the one that does, or the one to launch again.
	Want string
	// Serving is the number of the generation that serves, 0 while none does.
	Serving int
	// Baked says that it has stayed up for the bake; Good is the commit that last did.
	Baked bool
	Good  string
	// Bad are the commits that crashed or never became ready here, with the reason.
	Bad map[string]string
	// Back is the generation that serves no more and has not been stopped yet, with its commit: the quickest way back
	// while what replaced it bakes. 0 if there is none.
	Back retiree
	// Staged is the commit that was fetched last without being launched.
	Staged string
	// Slot is the act under way, none if it is free.
	Slot act
	// Reload is the reload under way; its phase is idle if there is none.
	Reload reload
	// Deaths are the unasked ends within the restart window.
	Deaths []time.Time
	// Early counts the ends of the wanted commit, one after the other, before it had been up for the bake time.
	Early int
	// Tried are the commits that went past the restart limit since something last baked.
	Tried []string
	// Exit is the exit code of the last child that ended.
	Exit int
	// Terms counts the signals to end.
	Terms int
}

type retiree struct {
	generation int
	commit     string
	baked      bool
}

// act is what holds the slot.
type act string

const (
	none      act = ""
	launching act = "launch"
	swapping  act = "swap"
	ending    act = "end"
)

// reload is what was asked for and how far it is.
type reload struct {
	Request
	Phase phase
}

type phase int

const (
	idle     phase = iota
	fetching       // the release is being fetched; the slot is not needed for it
	fetched        // waits for the slot
	inSlot         // the swap is under way
)

// Request asks for a reload.
type Request struct {
	Commit string
	// Force overrides a bad mark, and a hold that leaves no time for a drain.
	Force bool
	// NoLaunch only fetches the release.
	NoLaunch bool
	// Relaunch replaces the child even if it runs the commit already.
	Relaunch bool
}

// Events. Those with a time carry it, so that decide needs no clock.
type (
	begun      struct{}
	asked      struct{ Request }
	fetchEnded struct{ err error }
	// actEnded says what an act left behind.
	actEnded struct {
		serving int    // the generation that serves, 0 if none
		commit  string // its commit, or the one to launch again
		fault   string // why the new commit is to blame, empty if it is not
		exit    int    // the last child's exit code, if none serves
		retires int    // the generation that served before and now retires, 0 if none does
		err     error  // what the callers of the reload are told
		at      time.Time
	}
	died struct {
		generation int
		exit       int
		at         time.Time
	}
	baked    struct{ generation int }
	retired  struct{ generation int } // it has been stopped, or brought back
	recalled struct {
		ok bool
		at time.Time
	}
	relaunchDue struct{}
	terminated  struct{}
)

// event is one of the above.
type event any

// action is one thing for the loop to do.
type action struct {
	do     verb
	commit string        // fetch, swap, launch
	after  time.Duration // arm
	err    error         // refuse, finish
}

type verb string

const (
	refuse verb = "refuse" // tell the asker err
	same   verb = "same"   // tell the asker that the commit serves already
	join   verb = "join"   // the asker waits for the reload under way
	fetch  verb = "fetch"  // get the release of commit
	swap   verb = "swap"   // lend the slot: replace the child by commit
	launch verb = "launch" // lend the slot: launch commit, where nothing serves
	arm    verb = "arm"    // relaunchDue after a while
	finish verb = "finish" // tell all who wait for the reload
	recall verb = "recall" // serve the retiring generation again
	cancel verb = "cancel" // the act in the slot must come to an end
	end    verb = "end"    // lend the slot: the ending
	hurry  verb = "hurry"  // skip the ending's waits
	giveUp verb = "give-up"
)
