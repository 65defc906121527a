package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// As pitstop's own loop does it: PID 1 gets the signal and hands it on.
func TestSignal_EveryForwardedOneReachesTheApp(t *testing.T) {
	t.Parallel()
	if !inside(t, anInit) {
		return
	}
	l := NewLauncher()
	reap(t, l)
	c, out := startPart(t, l, "listener")
	received := make(chan os.Signal, 1)
	signal.Notify(received, Forwarded()...)
	defer signal.Stop(received)
	for _, sig := range Forwarded() {
		if err := syscall.Kill(1, sig.(syscall.Signal)); err != nil {
			t.Fatal(err)
		}
		if err := c.Signal(<-received); err != nil {
			t.Errorf("%v: %v", sig, err)
		}
		eventually(t, fmt.Sprintf("the app heard %v", sig), func() bool {
			return slices.Contains(strings.Split(read(t, out), "\n"), sig.String())
		})
	}
	if c.hasExited() {
		t.Errorf("it %v", c.Exit())
	}
}

func TestForwarded_LeavesOutWhatHasAMeaningHere(t *testing.T) {
	for _, sig := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGCONT, syscall.SIGWINCH, 35, 64,
	} {
		if !slices.Contains(Forwarded(), os.Signal(sig)) {
			t.Errorf("%v is not forwarded", sig)
		}
	}
	for _, sig := range []syscall.Signal{
		syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGCHLD, syscall.SIGPIPE, syscall.SIGURG, syscall.SIGPROF,
		syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGSEGV, syscall.SIGKILL, syscall.SIGSTOP, 32, 33, 34,
	} {
		if slices.Contains(Forwarded(), os.Signal(sig)) {
			t.Errorf("%v is forwarded", sig)
		}
	}
}

func TestSignal_GoesToTheAppBehindNpmOnce(t *testing.T) {
	t.Parallel()
	needs(t, "npm")
	c, out := startApp(t, []string{"npm", "start"})
	if err := c.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the app heard it", func() bool { return strings.Contains(read(t, out), "HUP") })
	ctx, cancel := context.WithTimeout(t.Context(), deadlineFor)
	defer cancel()
	if c.Stop(ctx); c.Exit().Code != 7 {
		t.Errorf("%v: npm has heard it too", c.Exit())
	}
	if heard := strings.Count(read(t, out), "HUP"); heard != 1 {
		t.Errorf("heard %d times", heard)
	}
}

func TestSignal_TheLaunchersGoesToAllThatLive(t *testing.T) {
	l := NewLauncher()
	ended := start(t, l, "exit")
	_, one := startPart(t, l, "listener")
	_, two := startPart(t, l, "listener")
	<-ended.Exited()
	if err := l.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both heard it", func() bool {
		return strings.Contains(read(t, one), "hangup") && strings.Contains(read(t, two), "hangup")
	})
}

func TestSignal_AnEndedAppIsTold(t *testing.T) {
	c := start(t, NewLauncher(), "exit")
	<-c.Exited()
	if err := c.Signal(syscall.SIGHUP); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Signal returned %v", err)
	}
}

func TestSignal_WithoutProcTheGroupBehindAShellGetsIt(t *testing.T) {
	c, _ := startSpec(t, NewLauncher(), Spec{Command: []string{"sh", "-c", "sleep 1000; exit 3"}})
	eventually(t, "the shell's child runs", func() bool {
		apps := c.apps()
		return len(apps) == 1 && slices.Equal(commandLine(apps[0].pid), []string{"sleep", "1000"})
	})
	if err := c.signalUnseen(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-c.Exited()
	eventually(t, "the shell's child has got it too", c.gone)
}
