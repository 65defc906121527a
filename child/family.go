package child

import (
	"maps"
	"os/exec"
	"slices"
	"sync"
)

// family is the processes that this program has started and waits for by itself.
type family struct {
	mu sync.Mutex // held from a process's start until it is registered, and while the reaper looks and reaps
	// waited counts by process id. A count, for a number may be given anew before its last owner has been struck off.
	waited map[int]int
	again  chan struct{} // a process was collected: one that stood behind it can be seen now
	living map[*Child]bool
}

func newFamily() *family {
	return &family{waited: make(map[int]int), again: make(chan struct{}, 1), living: make(map[*Child]bool)}
}

// start starts a process that the caller will wait for, and say so with collected.
func (f *family) start(cmd *exec.Cmd) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	f.waited[cmd.Process.Pid]++
	return nil
}

// collected strikes off a process whose status has been taken.
func (f *family) collected(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waited[pid]--; f.waited[pid] == 0 {
		delete(f.waited, pid)
	}
	select {
	case f.again <- struct{}{}:
	default:
	}
}

func (f *family) join(c *Child) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.living[c] = true
}

func (f *family) leave(c *Child) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.living, c)
}

func (f *family) children() []*Child {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.living))
}
