package memory

import "sync/atomic"

// Peak is the most anonymous memory that a child's tree was seen to have. The zero value has seen nothing. It may be
// used by several goroutines.
type Peak struct {
	bytes atomic.Uint64
}

// Sample looks at the child with this process id, its group and all below it. It is meant to be called every few
// seconds: one small read for each process that /proc shows and a second for those of the child. An error leaves the
// peak as it was: os.ErrProcessDone when the tree has gone, others when the kernel does not tell.
func (p *Peak) Sample(pid int) error { return p.sample("/proc", pid) }

func (p *Peak) sample(proc string, pid int) error {
	now, err := anonOf(proc, pid)
	if err != nil {
		return err
	}
	for {
		was := p.bytes.Load()
		if now <= was || p.bytes.CompareAndSwap(was, now) {
			return nil
		}
	}
}

// Bytes is the peak; 0 before the first sample.
func (p *Peak) Bytes() uint64 { return p.bytes.Load() }

// Need is what a second child must be expected to need, in bytes: the peak and a quarter more, for what lies between
// two samples and for what the kernel keeps for a process beside its anonymous memory. 0 before the first sample.
func (p *Peak) Need() uint64 {
	n := p.Bytes()
	return more(n, n/4)
}
