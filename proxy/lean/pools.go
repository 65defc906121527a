package lean

import (
	"context"
	"sync"

	"pitstop/drain"
)

// poolsOf are the lean engine's connections, by backend.
type poolsOf struct {
	mu  sync.Mutex
	all map[*drain.Backend]*upstreams
}

// of returns the pool of a backend, which is made at its first request. That of one that is gone dials nobody.
func (p *poolsOf) of(run context.Context, b *drain.Backend, clock *clock) *upstreams {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.all[b]; u != nil {
		return u
	}
	u := &upstreams{run: run, backend: b, clock: clock, endless: make(map[*endless]struct{})}
	if state, _ := b.State(); state == drain.Gone {
		u.closed = true
		return u
	}
	if p.all == nil {
		p.all = make(map[*drain.Backend]*upstreams)
	}
	p.all[b] = u
	go u.watchEnding()
	return u
}

// close closes the pool of a backend, and forgets it when that is gone.
func (p *poolsOf) close(b *drain.Backend) {
	p.mu.Lock()
	u := p.all[b]
	if state, _ := b.State(); state == drain.Gone {
		delete(p.all, b)
	}
	p.mu.Unlock()
	if u != nil {
		u.close()
	}
}

func (p *poolsOf) each(f func(*upstreams)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.all {
		f(u)
	}
}
