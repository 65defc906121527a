package child

import (
	"errors"
	"sync"
	"syscall"
)

// group is a process group. Its number is the leader's process id and stays taken while a member or the uncollected
// leader is there; after that the kernel may give it away. So the leader is collected and the group looked at under the
// lock that every signal takes, and a group once seen empty is never signalled again. (The other way, to leave the leader
// a zombie until the others are gone, hides them: a zombie counts as a member for kill(2), and waitid(2) shows it first.)
// What is left is a group that outlives its leader and empties between two looks. Numbers are given out in a circle, so
// one would have to be used up, thousands of processes, in that time.
type group struct {
	id int

	mu         sync.Mutex
	leaderless bool // the leader has been collected: what else is ours in the group are orphans
	empty      bool
}

// signal sends a signal to all members; os.ErrProcessDone's equal, ESRCH, when there are none.
func (g *group) signal(sig syscall.Signal) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty {
		return syscall.ESRCH
	}
	return syscall.Kill(-g.id, sig)
}

// collectLeader takes the leader's status and looks at once whether it was alone.
func (g *group) collectLeader(wait func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait()
	g.leaderless = true
	g.lookLocked()
}

// gone says whether the group is empty.
func (g *group) gone() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lookLocked()
	return g.empty
}

// lookLocked reaps the members that pitstop has adopted, for kill(2) counts a zombie as a member.
func (g *group) lookLocked() {
	if g.empty || !g.leaderless {
		return
	}
	for collect(-g.id) {
	}
	g.empty = errors.Is(syscall.Kill(-g.id, 0), syscall.ESRCH)
}
