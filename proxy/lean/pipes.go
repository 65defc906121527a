package lean

import "sync"

// pipes keeps some pipes for the next body that is spliced.
type pipes struct {
	mu     sync.Mutex
	kept   []*pipe
	least  int // the fewest that were kept since the last sweep: so many were not needed
	closed bool
}

// get returns an empty pipe; nil if there is none to be had, as when file descriptors are short.
func (p *pipes) get() *pipe {
	p.mu.Lock()
	if n := len(p.kept); n > 0 {
		pipe := p.kept[n-1]
		p.kept = p.kept[:n-1]
		p.least = min(p.least, n-1)
		p.mu.Unlock()
		return pipe
	}
	p.mu.Unlock()
	pipe, err := newPipe()
	if err != nil {
		return nil
	}
	return pipe
}

// put takes a pipe back, empty if it is to be used again.
func (p *pipes) put(pipe *pipe, empty bool) {
	p.mu.Lock()
	keep := empty && !p.closed && len(p.kept) < maxPipes
	if keep {
		p.kept = append(p.kept, pipe)
	}
	p.mu.Unlock()
	if !keep {
		pipe.close()
	}
}

// sweep closes those that were not needed since the last one.
func (p *pipes) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pipe := range p.kept[:p.least] {
		pipe.close()
	}
	p.kept = append(p.kept[:0], p.kept[p.least:]...)
	p.least = len(p.kept)
}

func (p *pipes) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, pipe := range p.kept {
		pipe.close()
	}
	p.kept = nil
}
