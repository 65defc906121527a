package supervisor

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/child"
	"pitstop/drain"
)

// Release is the code of one commit in a directory.
type Release struct {
	Commit string
	// Dir is the child's working directory.
	Dir string
	// Digest is the SHA-256 of the release's tar, in hex; empty for the image code.
	Digest string
	// Env is added to the child's environment.
	Env map[string]string
}

// Child is what the supervisor needs of a process of the app; *child.Child is one.
type Child interface {
	Pid() int
	// Ready waits until the app can be reached and returns the address.
	Ready(ctx context.Context) (addr string, err error)
	// Entry is the real path of the script that runs, as far as it is known.
	Entry() string
	// Private says that the app listens on a socket of its own, so that its port is free.
	Private() bool
	// Overlaps says why a second process cannot run beside this one, nil if one can.
	Overlaps() error
	// Hung returns why the app must be taken for dead although its process lives, or nil when ctx or the process ends.
	Hung(ctx context.Context) error
	// Exited is closed when the process has ended; Exit says how.
	Exited() <-chan struct{}
	Exit() child.Exit
	// Stop asks the process to end and kills it when ctx ends first. It may be called again.
	Stop(ctx context.Context) (took time.Duration, killed bool)
}

// Launcher starts the app's command in a release.
type Launcher interface {
	// Check says what is known to be wrong with a release before it is launched.
	Check(Release) error
	// Launch starts it; beside says that another one serves meanwhile.
	Launch(r Release, beside bool) (Child, error)
}

// Room knows about memory.
type Room interface {
	// Fits says whether a second app like that of pid fits beside it, and the figures of it.
	Fits(ctx context.Context, pid int) (fits bool, why string)
	// Newcomer makes a process the kernel's first choice when memory is short; Settled takes that back.
	Newcomer(pid int)
	Settled(pid int)
	// OOMKills counts the kernel's kills for want of memory in this container.
	OOMKills() uint64
}

// Port is the app's port on loopback, where sidecars expect the app while that listens on a socket of its own.
type Port interface {
	Open()
	Close()
}

// Fetcher finds the release of a commit. Its errors are *FetchError.
type Fetcher interface {
	Fetch(ctx context.Context, commit string) (Release, error)
}

// Front is what stands before the gate: the proxy.
type Front interface {
	// LameDuck turns health red and tells clients to go, while it still serves them.
	LameDuck()
	// Drain stops accepting and waits until the clients have got their answers.
	Drain(ctx context.Context) error
	// ClosePool closes the connections to a backend, which is about to be stopped or has died.
	ClosePool(*drain.Backend)
}

// Config is what a supervisor is made of.
type Config struct {
	// Image is the code that is baked into the container image: the first to run and the last resort.
	Image Release
	// Fetcher finds other releases; nil: there are none.
	Fetcher  Fetcher
	Launcher Launcher
	Gate     *drain.Gate
	Front    Front
	Room     Room
	Port     Port
	Strategy Strategy
	Timing   Timing
	Restart  Restart
	// AbortLateDrain: a drain whose bound has passed aborts the reload, instead of cutting the requests.
	AbortLateDrain bool
	Logger         hclog.Logger
}

// Timing holds the durations of the command line.
type Timing struct {
	// Ready bounds the time from start to ready.
	Ready time.Duration
	// Settle is how long a newcomer gets only requests that could be sent again, after it has become ready.
	Settle time.Duration
	// Bake is how long a child must stay up before its release counts as good.
	Bake time.Duration
	// Drain bounds the drain; nil: what the hold leaves; 0: as long as it takes.
	Drain *time.Duration
	// StreamDrain is what streams and tunnels get of a drain; nil: all of it in an overlap, 5 s in-place.
	StreamDrain *time.Duration
	// Hold is how long a request may wait.
	Hold time.Duration
	// Stop is the time from SIGTERM to SIGKILL.
	Stop time.Duration
	// LameDuck is how long an ending instance serves on with red health.
	LameDuck time.Duration
	// TaskStop is the time that the orchestrator gives from SIGTERM to SIGKILL.
	TaskStop time.Duration
}

// Restart says what happens to a child that ends unasked.
type Restart struct {
	Policy RestartPolicy
	// Max ends within Window are put up with.
	Max    int
	Window time.Duration
	// RelaunchCode is the exit code by which the app itself asks to be launched again, on the commit that was staged
	// last if there is one. It counts as an end all the same. 0: none.
	RelaunchCode int
}

// RestartPolicy says after which ends a child is launched again.
type RestartPolicy string

// The policies, named as Docker names them.
const (
	RestartAlways    RestartPolicy = "always"
	RestartOnFailure RestartPolicy = "on-failure"
	RestartNever     RestartPolicy = "no"
)
