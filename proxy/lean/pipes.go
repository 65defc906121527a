package lean

import "sync"

// pipes keeps some pipes for the next body that is spliced.
type pipes struct {
	mu     sync.Mutex
	kept   []*pipe
	closed bool
}

// get returns an empty pipe; nil if there is none to be had, as when file descriptors are short.
func (p *pipes) get() *pipe {
	p.mu.Lock()
	if n := len(p.kept); n > 0 {
		pipe := p.kept[n-1]
		p.kept = p.kept[:n-1]
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

func (p *pipes) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, pipe := range p.kept {
		pipe.close()
	}
	p.kept = nil
}
