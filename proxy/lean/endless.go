package lean

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"pitstop/drain"
)

// goodbye is how long a stream or a tunnel may take to come to an end that its client understands, once it must end.
const goodbye = 2 * time.Second

var errEnding = errors.New("it must end")

// endless is an exchange without an end of its own: a stream or a tunnel. It is ended when its backend ends.
type endless struct {
	pool   *upstreams
	up     *upstream
	ending atomic.Bool
	timer  *time.Timer // of the end; guarded by pool.mu
	late   bool        // the time for a goodbye is running
}

// becomeEndless says that the exchange has turned out to be one.
func (x *exchange) becomeEndless(k drain.Kind) {
	x.asked.Kind = k
	x.visit.Become(k)
	x.endless = &endless{pool: x.up.pool, up: x.up}
	x.endless.pool.add(x.endless)
	x.c.become(k)
}

func (l *endless) isEnding() bool { return l != nil && l.ending.Load() }

// over says that it has ended.
func (l *endless) over() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	delete(l.pool.endless, l)
	if l.timer != nil {
		l.timer.Stop()
	}
}

// end wakes who reads from the child.
func (l *endless) end() {
	l.ending.Store(true)
	_ = l.up.SetReadDeadline(past)
}

// last lets it read on for the time of a goodbye; after that, what is read fails for good.
func (l *endless) last(up *upstream) {
	if l.late {
		_ = up.Close()
		return
	}
	l.late = true
	_ = up.SetReadDeadline(time.Now().Add(goodbye))
}

// add takes one in, and ends it soon if it comes late.
func (p *upstreams) add(l *endless) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endless[l] = struct{}{}
	if state, _ := p.backend.State(); state == drain.Ending {
		l.timer = time.AfterFunc(p.soon(), l.end)
	}
}

// watchEnding ends streams and tunnels when the backend's state says so, spread over time: those who are cut off come back
// at once. It returns when the backend is gone.
func (p *upstreams) watchEnding() {
	for {
		state, changed := p.backend.State()
		switch state {
		case drain.Ending:
			p.endAll()
		case drain.Gone:
			p.close()
			return
		}
		<-changed
	}
}

func (p *upstreams) endAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.endless {
		if l.timer != nil {
			continue // it came late, and a second end would cut the first one's goodbye short
		}
		l.timer = time.AfterFunc(p.soon(), l.end)
	}
}

// soon is when one of many ends.
func (p *upstreams) soon() time.Duration {
	return time.Duration(rand.Int64N(int64(p.backend.Spread()) + 1))
}

// eventEnd knows whether a stream of events stands behind one: after an empty line (HTML standard, 9.2.6). Before
// the first byte it does.
type eventEnd struct {
	tail [4]byte
	n    int
}

func (e *eventEnd) saw(p []byte) {
	if len(p) >= len(e.tail) {
		e.n = copy(e.tail[:], p[len(p)-len(e.tail):])
		return
	}
	for _, b := range p {
		if e.n == len(e.tail) {
			copy(e.tail[:], e.tail[1:])
			e.n--
		}
		e.tail[e.n] = b
		e.n++
	}
}

func (e *eventEnd) here() bool {
	if e.n == 0 {
		return true
	}
	for _, end := range [...]string{"\n\n", "\r\r", "\n\r\n", "\r\r\n"} {
		if strings.HasSuffix(string(e.tail[:e.n]), end) {
			return true
		}
	}
	return false
}
