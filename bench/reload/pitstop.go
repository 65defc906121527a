package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// pitstopRun is `pitstop run`, reloaded by `pitstop reload`.
type pitstopRun struct {
	binary, label string
	flags         []string

	dir, control string
	cmd          *exec.Cmd
	ended        chan struct{}
}

func (p *pitstopRun) name() string { return p.label }
func (p *pitstopRun) every() int   { return 1 }

func (p *pitstopRun) start(ctx context.Context, dir, home, addr string) error {
	p.dir = dir
	store := filepath.Join(home, "store")
	for _, commit := range commits {
		err := called(ctx, func(ctx context.Context) *exec.Cmd {
			return launch(ctx, dir, p.binary, "publish", filepath.Join(dir, commit), "--commit", commit, "--releases", store)
		})
		if err != nil {
			return err
		}
	}
	control, err := freePort()
	if err != nil {
		return err
	}
	appPort, err := freePort()
	if err != nil {
		return err
	}
	p.control = "127.0.0.1:" + control
	return p.run(home, append([]string{"run", "--listen", addr, "--control", p.control, "--app-port", appPort, "--commit", "v1",
		"--releases", store, "--release-dir", filepath.Join(home, "releases"), "--lame-duck", "0s"}, p.flags...))
}

func (p *pitstopRun) run(home string, args []string) error {
	log, err := os.Create(filepath.Join(home, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	// Its end is asked for in stop, by SIGTERM: the context must not kill it.
	cmd := launch(context.Background(), filepath.Join(p.dir, "v1"), p.binary, append(args, "--", "node", "server.js")...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.ended = cmd, make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	return nil
}

func (p *pitstopRun) reload(ctx context.Context, commit string) error {
	return called(ctx, func(ctx context.Context) *exec.Cmd {
		return launch(ctx, p.dir, p.binary, "reload", commit, "--addr", p.control)
	})
}

func (p *pitstopRun) supervisor() int {
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

func (p *pitstopRun) stop() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(40 * time.Second): // more than --task-stop-timeout
		_ = p.cmd.Process.Kill() // the app dies with it
		<-p.ended
	}
}
