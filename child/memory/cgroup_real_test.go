package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// account is what a process inside a real cgroup sees, before and after a newcomer that eats too much.
type account struct {
	Limit, InUse  uint64
	Verdict       string
	Before, After uint64 // OOM kills
	Killed        bool
	Err           string
}

// playResident takes MiB to keep and MiB that a newcomer eats, and accounts for both.
func playResident(line string) string {
	var keep, much string
	_, _ = fmt.Sscan(line, &keep, &much)
	var a account
	if err := a.fill(keep, much); err != nil {
		a.Err = err.Error()
	}
	text, _ := json.Marshal(a)
	return string(text)
}

func (a *account) fill(keep, much string) (err error) {
	eat(keep)
	r := New(Config{})
	v := r.Verdict(context.Background(), 10*mebi)
	a.Limit, _ = v.Limit.Bytes()
	a.InUse, _ = v.InUse.Bytes()
	a.Verdict = v.String()
	if a.Before, err = r.OOMKills(); err != nil {
		return err
	}
	newcomer, err := play("eater", func(cmd *exec.Cmd) { ownGroup(cmd, true) })
	if err != nil {
		return err
	}
	if err := SetOOMScoreAdj(newcomer.Process.Pid, NewcomerOOMScore); err != nil {
		return err
	}
	newcomer.tell(much)
	var ended *exec.ExitError
	if errors.As(newcomer.Wait(), &ended) {
		a.Killed = ended.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	}
	a.After, err = r.OOMKills()
	return err
}

// newCgroup makes one below this process's own or a mount, with a limit in bytes.
func newCgroup(t *testing.T, limit uint64) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a cgroup")
	}
	groups, err := ownCgroups("/proc")
	if err != nil {
		t.Skip(err)
	}
	why := "no memory controller is mounted"
	for _, l := range groups {
		dir, err := os.MkdirTemp(l.dir, "pitstop-test-")
		if err != nil {
			why = err.Error()
			continue
		}
		t.Cleanup(func() { removeCgroup(t, dir) })
		name, swap := "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"
		if l.v2 {
			name, swap = "memory.max", "memory.swap.max"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strconv.FormatUint(limit, 10)), 0); err != nil {
			why = err.Error()
			continue
		}
		none := map[bool]string{true: "0", false: strconv.FormatUint(limit, 10)}[l.v2]
		_ = os.WriteFile(filepath.Join(dir, swap), []byte(none), 0) // a machine without swap has no such file
		return dir
	}
	t.Skip("this machine lets nobody make a memory cgroup: " + why)
	return ""
}

// removeCgroup waits until the kernel has let the last process go.
func removeCgroup(t *testing.T, dir string) {
	for end := time.Now().Add(deadlineFor); ; <-time.After(time.Millisecond) {
		err := syscall.Rmdir(dir)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Errorf("remove %s: %v", dir, err)
			return
		}
	}
}

func TestRoom_InARealCgroupSeesItsLimitAndAnOOMKill(t *testing.T) {
	const limit, keep = 256 * mebi, 64
	dir := newCgroup(t, limit)
	resident := newPlayer(t, "resident", nil)
	// it is moved before it has eaten: memory stays charged where it was touched (cgroup-v2.rst, "Memory Ownership")
	pid := strconv.Itoa(resident.Process.Pid)
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(pid), 0); err != nil {
		t.Skipf("this machine lets nobody move a process: %v", err)
	}
	line := resident.tell(strconv.Itoa(keep) + " 1024")
	var a account
	if err := json.Unmarshal([]byte(line), &a); err != nil || a.Err != "" {
		t.Fatalf("%v: %q", err, line)
	}
	t.Log(line)
	if a.Limit != limit || a.InUse < keep*mebi || a.InUse > limit || !strings.HasPrefix(a.Verdict, "overlap: 256 MiB limit (cgroup v") {
		t.Error("not the cgroup's figures")
	}
	if !a.Killed || a.After != a.Before+1 {
		t.Error("the newcomer's OOM kill was not counted")
	}
}
