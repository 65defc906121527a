package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// groupWatch is how often a group that has outlived its leader is looked at when nobody stops it.
const groupWatch = 100 * time.Millisecond

// Child is one running process of the app, and what it has started.
type Child struct {
	spec Spec
	cmd  *exec.Cmd
	own  *group

	sockets *sockets // nil without a Runtime
	addr    string   // set by Ready

	exited chan struct{} // closed once exit is set
	exit   Exit

	ask     sync.Once // SIGTERM is sent once, however often Stop is called
	rest    sync.Once // as is the one to what the asked ones left behind
	mu      sync.Mutex
	asked   []int    // the processes that got it
	outside []*group // groups of the app behind what gives it one of its own: tini, dumb-init, pnpm 12
}

func startProcess(f *family, spec Spec) (*Child, error) {
	if spec.reachableByTCP() {
		if err := CheckPort(spec.Port); err != nil {
			return nil, err
		}
	}
	sockets, err := spec.prepare()
	if err != nil {
		return nil, err
	}
	c, err := startWith(f, spec, sockets)
	if err != nil {
		sockets.close()
	}
	return c, err
}

// prepare makes the folder of the generation's sockets and tells the environment of it; nil if the app is reached over TCP.
func (s *Spec) prepare() (*sockets, error) {
	if s.Runtime == nil || s.Connect == ConnectTCP {
		return nil, nil
	}
	sockets, err := s.Runtime.sockets(s.User)
	if err != nil {
		return nil, fmt.Errorf("make the folder for the app's socket: %w", err)
	}
	s.Env = s.Runtime.environ(sockets, s.Env, s.Port)
	return sockets, nil
}

func startWith(f *family, spec Spec, sockets *sockets) (*Child, error) {
	if _, err := os.Stat(spec.Dir); spec.Dir != "" && err != nil {
		return nil, fmt.Errorf("the release's folder is gone: %w", err)
	}
	path, err := LookPath(spec.Command[0], spec.Dir, spec.Env)
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: path, Args: spec.Command, Dir: spec.Dir, Env: spec.Env,
		Stdout: spec.Stdout, Stderr: spec.Stderr,
		// Go's child sets its parent-death signal after it has changed user, which would clear it, and kills itself if
		// the parent has died before that (syscall/exec_linux.go, forkAndExecInChild1).
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: spec.User.credential()},
	}
	if err := f.start(cmd); err != nil {
		if cmd.SysProcAttr.Credential != nil && errors.Is(err, syscall.EPERM) {
			err = fmt.Errorf("only root may run it as user %d:%d: %w", spec.User.UID, spec.User.GID, err)
		}
		return nil, fmt.Errorf("start %s in %s: %w", spec.Command[0], spec.Dir, err)
	}
	c := &Child{spec: spec, cmd: cmd, own: &group{id: cmd.Process.Pid}, sockets: sockets, exited: make(chan struct{})}
	f.join(c)
	go c.wait(f)
	return c, nil
}

// wait collects the leader and then watches its groups, so that a number that is not ours any more is noticed.
func (c *Child) wait(f *family) {
	awaitEnd(c.Pid())
	c.own.collectLeader(func() { _ = c.cmd.Wait() }) // the state tells all
	f.collected(c.Pid())
	f.leave(c)
	c.exit = exitOf(c.cmd.ProcessState)
	close(c.exited)
	for !c.gone() {
		time.Sleep(groupWatch)
	}
	c.sockets.close()
}

// Pid is the process's id.
func (c *Child) Pid() int { return c.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (c *Child) Exited() <-chan struct{} { return c.exited }

// Exit is how the process ended. It may be asked once Exited is closed.
func (c *Child) Exit() Exit { return c.exit }
