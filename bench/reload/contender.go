package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// contender is something that keeps an app running and can put another commit in its place.
type contender interface {
	name() string
	// start serves commit v1 of the apps in dir at addr, and keeps what it needs in home.
	start(ctx context.Context, dir, home, addr string) error
	// reload returns when the contender says that it is done.
	reload(ctx context.Context, commit string) error
	// every is 1 if it takes part in all rounds, n if only in every nth, because its reloads take so long.
	every() int
	// supervisor is the process that stays, 0 before the start.
	supervisor() int
	// stop ends all that start has started, also if start has failed.
	stop()
}

// contenders are all who take part. The first one is what the others are compared with.
func contenders(pitstop, pm2 string) []contender {
	if !hasStrategies(pitstop) {
		return append([]contender{&pitstopRun{binary: pitstop, label: "pitstop, in-place"}}, pm2s(pm2)...)
	}
	return append([]contender{
		&pitstopRun{binary: pitstop, label: "pitstop, overlap", flags: []string{"--strategy=overlap"}},
		&pitstopRun{binary: pitstop, label: "pitstop, in-place", flags: []string{"--strategy=in-place"}},
	}, pm2s(pm2)...)
}

func pm2s(command string) []contender {
	return []contender{
		&pm2{command: command, label: "pm2, cluster of 2", mode: "cluster", instances: 2},
		&pm2{command: command, label: "pm2, cluster of 2, kill_timeout 5 s", mode: "cluster", instances: 2, killTimeout: 5 * time.Second},
		&pm2{command: command, label: "pm2, cluster of 1", mode: "cluster", instances: 1},
		&pm2{command: command, label: "pm2, fork", mode: "fork", instances: 1},
	}
}

// hasStrategies says whether this pitstop lets one choose between overlap and in-place.
func hasStrategies(pitstop string) bool {
	help, _ := exec.Command(pitstop, "run", "--help").CombinedOutput()
	return strings.Contains(string(help), "--strategy")
}

// launch prepares a command of its own process group: Ctrl-C is for us, who then end the others in order.
func launch(ctx context.Context, dir, binary string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// called runs a command to its end. An interrupt does not cut it short: a command that is half done leaves things
// behind which nobody knows of.
func called(ctx context.Context, cmd func(ctx context.Context) *exec.Cmd) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	c := cmd(bounded)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, out)
	}
	return context.Cause(ctx)
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, err
}

// alive says whether a process exists.
func alive(pid int) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return pid > 0 && err == nil
}
