package child

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// groupPoll is how often the end of a group is looked for once its leader has gone; the kernel tells nobody.
const groupPoll = 5 * time.Millisecond

// Child is one running process of the app, and what it has started.
type Child struct {
	spec Spec
	cmd  *exec.Cmd

	exited chan struct{} // closed once exit is set
	exit   Exit
	empty  atomic.Bool // the group was seen empty: its number may soon be another's
}

func startProcess(spec Spec) (*Child, error) {
	if err := CheckPort(spec.Port); err != nil {
		return nil, err
	}
	path, err := LookPath(spec.Command[0], spec.Dir, spec.Env)
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: path, Args: spec.Command, Dir: spec.Dir, Env: spec.Env,
		Stdout: spec.Stdout, Stderr: spec.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s in %s: %w", spec.Command[0], spec.Dir, err)
	}
	c := &Child{spec: spec, cmd: cmd, exited: make(chan struct{})}
	go c.wait()
	return c, nil
}

// LookPath finds the program as execvp would: a name with a slash is relative to dir, any other is looked up in the PATH of env.
func LookPath(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return exec.LookPath(name)
	}
	for _, d := range filepath.SplitList(pathOf(env)) {
		if !filepath.IsAbs(d) {
			d = filepath.Join(dir, d)
		}
		if path, err := exec.LookPath(filepath.Join(d, name)); err == nil {
			return path, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

func pathOf(env []string) string {
	for _, kv := range slices.Backward(env) {
		if path, ok := strings.CutPrefix(kv, "PATH="); ok {
			return path
		}
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

func (c *Child) wait() {
	_ = c.cmd.Wait() // the state tells all
	c.exit = exitOf(c.cmd.ProcessState)
	close(c.exited)
}

// Pid is the process's id.
func (c *Child) Pid() int { return c.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (c *Child) Exited() <-chan struct{} { return c.exited }

// Exit is how the process ended. It may be asked once Exited is closed.
func (c *Child) Exit() Exit { return c.exit }

// Stop sends SIGTERM, waits until the whole group is gone, and sends SIGKILL to it when ctx ends first. It
// returns how long that took and whether it had to kill. Once all is gone it does nothing.
func (c *Child) Stop(ctx context.Context) (took time.Duration, killed bool) {
	start := time.Now()
	if c.empty.Load() {
		return 0, false
	}
	c.terminate()
	if c.gone(ctx) {
		return time.Since(start), false
	}
	_ = syscall.Kill(-c.Pid(), syscall.SIGKILL)
	// Not even SIGKILL ends a process that sleeps in the kernel, so this wait is bounded too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	c.gone(ctx)
	return time.Since(start), true
}

// terminate asks for a graceful end. A plain Node process gets the signal itself: its workers are its own affair.
// npm and shells do not pass signals on, so behind them the whole group gets it.
func (c *Child) terminate() {
	select {
	case <-c.exited: // what it left behind has nobody else to ask it
		_ = syscall.Kill(-c.Pid(), syscall.SIGTERM)
		return
	default:
	}
	if standsBetween(c.spec.Command[0]) {
		_ = syscall.Kill(-c.Pid(), syscall.SIGTERM)
		return
	}
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
}

// standsBetween says whether a command is a launcher that does not pass signals on to the app behind it.
func standsBetween(command string) bool {
	switch filepath.Base(command) {
	case "npm", "npx", "yarn", "pnpm", "sh", "bash", "dash", "ash":
		return true
	}
	return false
}

// gone waits until the group is empty; false when ctx ends first.
func (c *Child) gone(ctx context.Context) bool {
	select {
	case <-c.exited:
	case <-ctx.Done():
		return false
	}
	tick := time.NewTicker(groupPoll)
	defer tick.Stop()
	for !errors.Is(syscall.Kill(-c.Pid(), 0), syscall.ESRCH) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	c.empty.Store(true)
	return true
}
