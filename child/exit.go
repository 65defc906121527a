package child

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// Exit is how a process ended.
type Exit struct {
	// Code is the process's exit code, or 128+n if signal n ended it, as a shell would say.
	Code int
	// Signal is the signal that ended it, 0 if none did.
	Signal syscall.Signal
	// At is when pitstop learned of it.
	At time.Time
}

func (e Exit) String() string {
	if e.Signal != 0 {
		return fmt.Sprintf("ended by signal %d (%s)", int(e.Signal), e.Signal)
	}
	return fmt.Sprintf("exited with code %d", e.Code)
}

// exitOf reads a status. One that somebody else has taken counts as a failure.
func exitOf(state *os.ProcessState) Exit {
	if state == nil {
		return Exit{Code: 1, At: time.Now()}
	}
	e := Exit{Code: state.ExitCode(), At: time.Now()}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		e.Signal = ws.Signal()
		e.Code = 128 + int(e.Signal)
	}
	return e
}

// ExitedError says that the process ended when it should have become ready.
type ExitedError struct{ Exit Exit }

func (e *ExitedError) Error() string {
	return "the app " + e.Exit.String() + " (its own output says why)"
}
