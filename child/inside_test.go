package child

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a test may need to be, to have the children of a whole program for itself.
const (
	anInit      = "init"      // PID 1 of a PID namespace of its own
	aSubreaper  = "subreaper" // another process: the kernel's property is the whole process's
	deadlineFor = 20 * time.Second
)

// inside runs the calling test once more, as another process, and returns true there. The caller returns on false.
func inside(t *testing.T, as string) bool {
	t.Helper()
	if os.Getenv("TEST_AS") != "" {
		if as == anInit {
			mountProc(t)
		}
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.timeout=60s", "-test.v")
	cmd.Env = append(os.Environ(), "TEST_AS="+as)
	cmd.WaitDelay = deadlineFor // what the test left behind may hold the pipe
	if as == anInit {
		cmd.SysProcAttr = newNamespace()
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this machine allows no new PID namespace: %v", err)
	}
	if _, why, skipped := strings.Cut(string(out), "--- SKIP: "+t.Name()); skipped {
		t.Skip(why)
	}
	if err != nil {
		t.Errorf("as %s: %v\n%s", as, err, out)
	}
	return false
}

func newNamespace() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

func mountProc(t *testing.T) {
	t.Helper()
	if pid := os.Getpid(); pid != 1 {
		t.Fatalf("process %d of the new namespace", pid)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Skipf("this machine allows no mounts: %v", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		t.Skipf("this machine allows no /proc of the new namespace: %v", err)
	}
}

// reap runs Reap until the test ends.
func reap(t *testing.T, l *Launcher) {
	t.Helper()
	done := make(chan error, 1)
	ctx := t.Context()
	go func() { done <- l.Reap(ctx) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(deadlineFor); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", deadlineFor, what)
		}
		<-time.After(time.Millisecond)
	}
}

// own lists this process's children.
func own(t *testing.T) (living, zombies []process) {
	t.Helper()
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		switch {
		case p.parent != os.Getpid():
		case p.zombie:
			zombies = append(zombies, p)
		default:
			living = append(living, p)
		}
	}
	return living, zombies
}
