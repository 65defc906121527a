package child

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// reapTick is how often zombies are looked for unasked: signals of a kind are merged while one is pending.
const reapTick = time.Second

// Reap adopts the orphans among pitstop's descendants and reaps them until ctx ends: no zombie stays, and none is
// taken from a caller of Start or Run. A wait for any child, wait4(-1), would take those too. PID 1 is given orphans
// by the kernel; elsewhere pitstop becomes a subreaper (PR_SET_CHILD_SUBREAPER(2const)), whose failure is the only error.
//
// It belongs in a goroutine of its own from before the first Start, one for the whole program.
func (l *Launcher) Reap(ctx context.Context) error {
	if os.Getpid() != 1 {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("become a subreaper: %w", err)
		}
	}
	died := make(chan os.Signal, 1)
	signal.Notify(died, unix.SIGCHLD)
	defer signal.Stop(died)
	tick := time.NewTicker(reapTick)
	defer tick.Stop()
	for {
		select {
		case <-died:
		case <-l.family.again:
		case <-tick.C:
			l.family.reapHidden()
		case <-ctx.Done():
			return nil
		}
		for l.family.reapFirst() {
		}
	}
}

// reapFirst reaps the first zombie unless somebody waits for it. Then it will be collected soon, and those behind it
// get their turn.
func (f *family) reapFirst() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	pid := zombie()
	return pid != 0 && f.waited[pid] == 0 && collect(pid)
}

// reapHidden reaps the zombies behind one that is not collected at once. The kernel shows only the first of them, so
// these are looked up in /proc.
func (f *family) reapHidden() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waited[zombie()] == 0 {
		return
	}
	all, err := processes()
	if err != nil {
		return // without /proc they wait for the first one's collection
	}
	for _, p := range all {
		if p.zombie && p.parent == os.Getpid() && f.waited[p.pid] == 0 {
			collect(p.pid)
		}
	}
}
