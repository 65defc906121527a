package memory

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const nobody = 65534

// asNobody runs a part as another user where this one has privileges, which would hide the kernel's rule. The binary is
// copied to where that user may run it.
func asNobody(t *testing.T) func(*exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "pitstop-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(dir+"/part", binary, 0o755)); err != nil {
		t.Fatal(err)
	}
	return func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args[0] = dir+"/part", dir+"/part"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

func score(t *testing.T, pid int) int {
	t.Helper()
	n, err := readScore("/proc", strconv.Itoa(pid))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOOMScore_ANewcomersTreeIsRaisedAndPutBack(t *testing.T) {
	ours := score(t, os.Getpid())
	parent := newPlayer(t, "parent", func(cmd *exec.Cmd) { ownGroup(cmd, true) })
	var pids []int
	for _, part := range []string{"eater", "alone eater"} {
		pid, err := strconv.Atoi(parent.tell(part))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	pids = append(pids, parent.Process.Pid)
	for _, delta := range []int{NewcomerOOMScore, NewcomerOOMScore, 0, 0} {
		if err := SetOOMScoreAdj(parent.Process.Pid, delta); err != nil {
			t.Fatal(err)
		}
		for _, pid := range pids {
			if got := score(t, pid); got != min(ours+delta, 1000) {
				t.Errorf("process %d has %d, not %d+%d", pid, got, ours, delta)
			}
		}
	}
	if got := score(t, os.Getpid()); got != ours {
		t.Errorf("our own is %d, no longer %d", got, ours)
	}
}

func TestOOMScore_WhatTheAppHasSetItselfStays(t *testing.T) {
	parent := newPlayer(t, "parent", func(cmd *exec.Cmd) { ownGroup(cmd, true) })
	tab, err := strconv.Atoi(parent.tell("eater"))
	if err != nil {
		t.Fatal(err)
	}
	if err := writeScore("/proc", tab, 777); err != nil {
		t.Fatal(err)
	}
	for _, delta := range []int{NewcomerOOMScore, 0} {
		if err := SetOOMScoreAdj(parent.Process.Pid, delta); err != nil {
			t.Fatal(err)
		}
		if got := score(t, tab); got != 777 {
			t.Errorf("%d after %d", got, delta)
		}
	}
}

func TestOOMScore_ComesBackWithoutPrivilege(t *testing.T) {
	parent := newPlayer(t, "parent", asNobody(t))
	ours := min(score(t, os.Getpid())+100, 1000) // not 0: it is relative
	if err := writeScore("/proc", parent.Process.Pid, ours); err != nil {
		t.Fatal(err)
	}
	newcomer, err := strconv.Atoi(parent.tell("eater"))
	if err != nil {
		t.Fatal(err)
	}
	for _, delta := range []int{NewcomerOOMScore, 0} {
		if answer := parent.tell("score " + strconv.Itoa(delta)); answer != "<nil>" {
			t.Errorf("%d: %s", delta, answer)
		}
		if got := score(t, newcomer); got != min(ours+delta, 1000) {
			t.Errorf("%d, not %d+%d", got, ours, delta)
		}
	}
}

func TestOOMScore_LessThanPrivilegeHasSetIsAClearError(t *testing.T) {
	parent := newPlayer(t, "parent", asNobody(t))
	newcomer, err := strconv.Atoi(parent.tell("eater"))
	if err != nil {
		t.Fatal(err)
	}
	before := score(t, newcomer)
	answer := parent.tell("score -1000")
	if answer == "<nil>" {
		t.Skip("somebody with privilege has set this process to -1000 before, so that it is allowed")
	}
	if want := "to -1000 (less than was last set with CAP_SYS_RESOURCE: needs that capability)"; !strings.Contains(answer, want) {
		t.Error(answer)
	}
	if got := score(t, newcomer); got != before {
		t.Error(got)
	}
}

func TestOOMScore_IsCutToTheKernelsBounds(t *testing.T) {
	idle := newPlayer(t, "eater", func(cmd *exec.Cmd) { ownGroup(cmd, true) })
	if err := SetOOMScoreAdj(idle.Process.Pid, 5000); err != nil || score(t, idle.Process.Pid) != 1000 {
		t.Error(err, score(t, idle.Process.Pid))
	}
}

func TestOOMScore_AProcessThatHasGoneIsSaid(t *testing.T) {
	gone := newPlayer(t, "eater", nil)
	_ = gone.Process.Kill()
	_ = gone.Wait()
	if err := SetOOMScoreAdj(gone.Process.Pid, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
