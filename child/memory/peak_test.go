package memory

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

func ownGroup(cmd *exec.Cmd, yes bool) {
	if yes {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
}

// process writes one of a made-up /proc; sizes are in MiB.
func (m *machine) process(pid, parent, group int, anon, swap uint64) {
	dir := filepath.Join(m.proc, strconv.Itoa(pid))
	m.write(dir+"/stat", fmt.Sprintf("%d (a b) ) S 99) S %d %d 1 0 -1 4194304\n", pid, parent, group))
	m.write(dir+"/status", fmt.Sprintf("Name:\tnode\nVmHWM:\t 9999999 kB\nVmRSS:\t 888888 kB\nRssAnon:\t%8d kB\nRssFile:\t 77777 kB\nVmSwap:\t%8d kB\n",
		anon<<10, swap<<10))
}

func TestPeak_IsTheAnonymousAndSwappedMemoryOfTheWholeTree(t *testing.T) {
	m := newMachine(t)
	m.process(1, 0, 1, 5000, 0)   // pitstop
	m.process(10, 1, 10, 1, 0)    // npm
	m.process(11, 10, 10, 20, 4)  // node
	m.process(12, 11, 12, 300, 0) // a worker with a group of its own
	m.process(13, 12, 12, 1000, 0)
	m.process(14, 1, 10, 2000, 0) // one that has lost its parent
	m.process(15, 1, 15, 7000, 0) // another generation
	m.write(m.proc+"/16/stat", "garbage")
	m.write(m.proc+"/17/x", "no stat: it has gone")
	m.write(m.proc+"/18/stat", "18 (gone) Z 11 10 1") // and without status
	m.write(m.proc+"/19/stat", "19 (zombie) Z 11 10 1")
	m.write(m.proc+"/19/status", "Name:\tnode\nState:\tZ (zombie)\n")
	var p Peak
	if err := p.sample(m.proc, 10); err != nil || p.Bytes() != 3325*mebi {
		t.Errorf("%d MiB, %v", p.Bytes()/mebi, err)
	}
}

func TestPeak_NeedIsAQuarterMoreThanTheHighestSample(t *testing.T) {
	m := newMachine(t)
	var p Peak
	if p.Need() != 0 {
		t.Error("a need before the first sample")
	}
	for _, size := range []uint64{80, 100, 40} {
		m.process(10, 1, 10, size, 0)
		if err := p.sample(m.proc, 10); err != nil {
			t.Error(err)
		}
	}
	if p.Bytes() != 100*mebi || p.Need() != 125*mebi {
		t.Error(p.Bytes(), p.Need())
	}
}

func TestPeak_KeepsWhatItHasWhenTheTreeHasGoneOrTheKernelIsMute(t *testing.T) {
	m := newMachine(t)
	m.process(10, 1, 10, 100, 0)
	var p Peak
	if err := p.sample(m.proc, 10); err != nil {
		t.Fatal(err)
	}
	if err := p.sample(m.proc, 11); !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	m.write(m.proc+"/10/status", "VmRSS:\t 5 kB\n")
	if err := p.sample(m.proc, 10); !errors.Is(err, errNoAnon) {
		t.Error(err)
	}
	if err := p.sample(m.proc+"/none", 10); err == nil {
		t.Error("a sample without /proc")
	}
	if p.Bytes() != 100*mebi {
		t.Error(p.Bytes())
	}
}

func TestPeak_OfARealTreeGrowsWithWhatItTouches(t *testing.T) {
	parent := newPlayer(t, "parent", func(cmd *exec.Cmd) { ownGroup(cmd, true) })
	pids := []int{parent.Process.Pid}
	var last uint64
	for i, part := range []string{"eater", "alone eater"} {
		pid, err := strconv.Atoi(parent.tell(part))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
		var p Peak
		if err := p.Sample(parent.Process.Pid); err != nil {
			t.Fatal(err)
		}
		if p.Bytes() < last+32*mebi {
			t.Errorf("%d more MiB after the %d. process took 32", (p.Bytes()-last)/mebi, i+1)
		}
		last = p.Bytes()
	}
	found, err := tree("/proc", parent.Process.Pid)
	slices.Sort(found)
	if slices.Sort(pids); !slices.Equal(found, pids) || err != nil {
		t.Errorf("%v, not %v: %v", found, pids, err)
	}
}
