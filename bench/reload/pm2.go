package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pm2 is an app under pm2, with a daemon of its own, deployed as users do: a link "current" is pointed at the folder of
// the commit, then `pm2 reload`.
type pm2 struct {
	command, label, mode string
	instances            int
	// killTimeout is what the old process gets to end; 0: pm2's default, 1.6 s.
	killTimeout time.Duration

	dir, home string
	daemon    int
}

func (p *pm2) name() string { return p.label }

func (p *pm2) every() int {
	if p.killTimeout > 0 {
		return 5
	}
	return 1
}

func (p *pm2) start(ctx context.Context, dir, home, addr string) error {
	p.dir, p.home = dir, home
	if err := p.point("v1"); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(addr)
	current := filepath.Join(home, "current")
	app := map[string]any{
		"name": "app", "script": filepath.Join(current, "server.js"), "cwd": current, "exec_mode": p.mode, "instances": p.instances,
		"env": map[string]string{"PORT": port},
	}
	if p.killTimeout > 0 {
		app["kill_timeout"] = p.killTimeout.Milliseconds()
	}
	text, err := json.Marshal(map[string]any{"apps": []any{app}})
	if err != nil {
		return err
	}
	ecosystem := filepath.Join(home, "ecosystem.json")
	if err := os.WriteFile(ecosystem, text, 0o644); err != nil {
		return err
	}
	err = p.call(ctx, "start", ecosystem)
	p.daemon, _ = readPid(filepath.Join(home, "pm2", "pm2.pid"))
	return err
}

// point makes the link lead to a commit, in one step, so that nobody ever finds no link.
func (p *pm2) point(commit string) error {
	next := filepath.Join(p.home, "next")
	if err := os.Symlink(filepath.Join(p.dir, commit), next); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(p.home, "current"))
}

func (p *pm2) reload(ctx context.Context, commit string) error {
	if err := p.point(commit); err != nil {
		return err
	}
	return p.call(ctx, "reload", "app")
}

// call runs a command of pm2. The app ends gracefully on SIGTERM, as most in containers do; pm2 would send SIGINT,
// which would kill it at once, so it is told.
func (p *pm2) call(ctx context.Context, args ...string) error {
	return called(ctx, func(ctx context.Context) *exec.Cmd {
		cmd := launch(ctx, p.home, p.command, args...)
		cmd.Env = append(os.Environ(), "PM2_HOME="+filepath.Join(p.home, "pm2"), "PM2_KILL_SIGNAL=SIGTERM", "PM2_DISABLE_VERSION_CHECK=true")
		return cmd
	})
}

func (p *pm2) supervisor() int { return p.daemon }

// stop asks the daemon to end its apps and itself, and makes sure of both.
func (p *pm2) stop() {
	if p.home == "" {
		return
	}
	pids := []int{p.daemon}
	files, _ := filepath.Glob(filepath.Join(p.home, "pm2", "pids", "*.pid"))
	for _, file := range files {
		if pid, err := readPid(file); err == nil {
			pids = append(pids, pid)
		}
	}
	if err := p.call(context.Background(), "kill"); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	for _, pid := range pids {
		if alive(pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func readPid(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
