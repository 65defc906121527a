package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const mebibyte = 1 << 20

// --strategy=auto goes by the memory that a real cgroup leaves.
func TestAuto_ChoosesByTheRoomInTheCgroup(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		limit int
		want  string
	}{
		"room for two": {1024 * mebibyte, "overlap"},
		"no room":      {300 * mebibyte, "in-place"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := scriptApp(t, echoApp+`; globalThis.ballast = Buffer.alloc(150 << 20, 1)`)
			in := launchInCgroup(t, tc.limit, dir, "--commit", "v1", "--settle", "0s")
			in.publish(dir, "v2")
			resp, err := in.reload(`{"commit":"v2"}`)
			if err != nil {
				t.Fatal(err)
			}
			why := fmt.Sprint(resp["why"])
			if resp["strategy"] != tc.want || !strings.Contains(why, fmt.Sprintf("%d MiB limit", tc.limit/mebibyte)) {
				t.Errorf("%s, because %s", resp["strategy"], why)
			}
		})
	}
}

// A newcomer that eats too much is killed, not the one that serves; the reload fails, and the next one is in-place.
func TestOverlap_TheKernelKillsTheNewcomerAndTheOldOneServesOn(t *testing.T) {
	t.Parallel()
	v1 := exampleApp(t, "v1")
	in := launchInCgroup(t, 512*mebibyte, v1, "--commit", "v1", "--settle", "3s")
	in.publish(scriptApp(t, echoApp+`
		const eaten = []
		setInterval(() => eaten.push(Buffer.alloc(32 << 20, 1)), 50)`), "hungry")
	in.publish(exampleApp(t, "v2"), "v2")
	in.mustFail(`{"commit":"hungry"}`, "FailedPrecondition", "v1 serves")
	if got := in.statusField("app", "generation"); got != float64(2) || in.commit() != "v1" {
		t.Errorf("generation %v serves", got)
	}
	if bad := in.statusField("bad_commits", "hungry"); bad != nil {
		t.Errorf("the commit is blamed: %v", bad)
	}
	for _, tc := range []struct{ commit, strategy string }{{"v2", "in-place"}, {"v1", "overlap"}} {
		resp, err := in.reload(fmt.Sprintf(`{"commit":%q}`, tc.commit))
		if err != nil || resp["strategy"] != tc.strategy {
			t.Errorf("%s: %v, %v, want %s", tc.commit, resp, err, tc.strategy)
		}
	}
}

// launchInCgroup starts pitstop in a cgroup of its own with a limit in bytes, or skips where there can be none.
func launchInCgroup(t *testing.T, limit int, dir string, flags ...string) *instance {
	t.Helper()
	group := newCgroup(t, limit)
	in := launch(t, dir, node, flags...)
	// Moved when it runs already: what it has in memory by then stays charged elsewhere, and the app starts anew in it.
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(in.cmd.Process.Pid)), 0); err != nil {
		t.Skipf("a process cannot be moved into a cgroup here: %v", err)
	}
	if _, err := in.reload(`{"commit":"v1","relaunch":true,"force":true}`); err != nil {
		t.Fatal(err)
	}
	return in
}

// newCgroup makes one with a limit, below this process's own.
func newCgroup(t *testing.T, limit int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a cgroup")
	}
	for _, place := range []struct{ mount, controller, file string }{
		{"/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "", "memory.max"},
	} {
		dir, err := os.MkdirTemp(filepath.Join(place.mount, ownCgroup(place.controller)), "pitstop-e2e-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { removeCgroup(t, dir) })
		if err := os.WriteFile(filepath.Join(dir, place.file), []byte(strconv.Itoa(limit)), 0); err == nil {
			return dir
		}
	}
	t.Skip("no cgroup with a memory limit can be made here")
	return ""
}

// ownCgroup is this process's path in the hierarchy of a v1 controller, or of v2 (proc_pid_cgroup(5)).
func ownCgroup(controller string) string {
	text, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(text)) {
		if parts := strings.SplitN(strings.TrimSpace(line), ":", 3); len(parts) == 3 && parts[1] == controller {
			return parts[2]
		}
	}
	return "/"
}

// removeCgroup waits until the kernel has let the last process go.
func removeCgroup(t *testing.T, dir string) {
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(10 * time.Millisecond) {
		err := syscall.Rmdir(dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			out, _ := exec.Command("cat", filepath.Join(dir, "cgroup.procs")).Output()
			t.Errorf("remove %s: %v, in it are %s", dir, err, out)
			return
		}
	}
}
