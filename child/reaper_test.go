package child

import (
	"errors"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Orphans of each making.
const (
	doubleFork = `(sh -c 'sleep 0.2; exit 3' &) ; exit 0`
	// a browser: a parent with many, which have their own, dies of a signal
	browser = `for i in 1 2 3 4 5 6 7 8; do sh -c 'sleep 0.2 & sleep 0.2 & wait' & done; kill -9 $$`
	// in a session of its own, lest Child's look at its group reaps them
	storm = `setsid sh -c 'i=0; while [ $i -lt 1000 ]; do (: &) ; i=$((i+1)); done'`
)

func TestReap_NoZombieStays(t *testing.T) {
	t.Parallel()
	if inside(t, anInit) {
		noZombieStays(t)
	}
}

func TestReap_NoZombieStaysWithASubreaperEither(t *testing.T) {
	t.Parallel()
	if inside(t, aSubreaper) {
		noZombieStays(t)
	}
}

func noZombieStays(t *testing.T) {
	l := NewLauncher()
	reap(t, l)
	var children []*Child
	for _, script := range []string{doubleFork, browser, storm, storm} {
		children = append(children, shellChild(t, l, script))
	}
	for _, c := range children {
		<-c.Exited()
	}
	daemon := adopt(t, l) // shows that orphans are adopted at all
	if err := syscall.Kill(daemon, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all orphans are adopted, have ended and are reaped", func() bool {
		living, zombies := own(t)
		return len(living)+len(zombies) == 0
	})
}

func TestReap_NoStatusIsLost(t *testing.T) {
	t.Parallel()
	if !inside(t, anInit) {
		return
	}
	l := NewLauncher()
	reap(t, l)
	storms := []*Child{shellChild(t, l, storm), shellChild(t, l, storm)}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for code := worker; code < 256; code += 4 {
				expectCode(t, l, "exit "+strconv.Itoa(code), code)
			}
			for n := worker + 1; n < 32; n += 4 {
				if fatal(syscall.Signal(n)) {
					expectCode(t, l, "kill -"+strconv.Itoa(n)+" $$", 128+n)
				}
			}
			for range 25 {
				var exit *exec.ExitError
				if err := l.Run(exec.Command("sh", "-c", "exit 5")); !errors.As(err, &exit) || exit.ExitCode() != 5 {
					t.Errorf("Run of exit 5: %v", err)
				}
			}
		})
	}
	all.Wait()
	for _, c := range storms {
		<-c.Exited()
		if c.Exit().Code != 0 {
			t.Errorf("the storm: %v", c.Exit())
		}
	}
}

func expectCode(t *testing.T, l *Launcher, script string, code int) {
	c, err := l.Start(Spec{Command: []string{"sh", "-c", script}})
	if err != nil {
		t.Error(err)
		return
	}
	if <-c.Exited(); c.Exit().Code != code {
		t.Errorf("%s: %v, want code %d", script, c.Exit(), code)
	}
}

// fatal says whether a signal ends a process that does not care.
func fatal(n syscall.Signal) bool {
	switch n {
	case syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGURG, syscall.SIGWINCH,
		syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
		return false
	}
	return true
}

func TestReap_SeesBehindOneThatIsNotCollectedYet(t *testing.T) {
	t.Parallel()
	if !inside(t, anInit) {
		return
	}
	l := NewLauncher()
	first := adopt(t, l) // as the others will be, so that it stands first in the same list of the kernel's
	l.family.waited[first]++
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	reap(t, l)
	<-shellChild(t, l, storm).Exited()
	eventually(t, "only the one that is waited for is left", func() bool {
		living, zombies := own(t)
		return len(living) == 0 && len(zombies) == 1 && zombies[0].pid == first
	})
}

func TestChild_AStatusTakenBySomebodyElseIsAFailure(t *testing.T) {
	if got := exitOf(nil); got.Code != 1 || got.At.IsZero() {
		t.Errorf("%+v", got)
	}
}

func TestProcesses_RefuseTheProcOfAnotherNamespace(t *testing.T) {
	_, why := processes()
	if why != nil {
		t.Fatal(why)
	}
	if _, ok := parseStat("17 (a) b ) R) S 4 5 6"); !ok {
		t.Error("a name with parentheses is not read")
	}
	if p, _ := parseStat("17 (a) b ) R) Z 4 5 6"); p != (process{pid: 17, parent: 4, group: 5, zombie: true}) {
		t.Errorf("read %+v", p)
	}
	// without mounting the new namespace's /proc
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"TEST_CHILD=processes"}
	cmd.SysProcAttr = newNamespace()
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this machine allows no new PID namespace: %v", err)
	}
	if !strings.Contains(string(out), "not of this PID namespace") {
		t.Errorf("said %q, %v", out, err)
	}
}

// adopt makes a daemon, in a session of its own, and waits until it is this process's child.
func adopt(t *testing.T, l *Launcher) (pid int) {
	t.Helper()
	<-shellChild(t, l, `(setsid sleep 1000 &)`).Exited()
	eventually(t, "the daemon is adopted", func() bool {
		living, _ := own(t)
		for _, p := range living {
			if slices.Equal(commandLine(p.pid), []string{"sleep", "1000"}) {
				pid = p.pid
			}
		}
		return pid != 0
	})
	return pid
}

func shellChild(t *testing.T, l *Launcher, script string) *Child {
	t.Helper()
	c, err := l.Start(Spec{Command: []string{"sh", "-c", script}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(c) })
	return c
}
