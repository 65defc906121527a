package lean

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// upstream is one connection of the engine to a child.
type upstream struct {
	net.Conn
	wire wire
	pool *upstreams
	// used says that it has carried a request before, so that the child may have closed it meanwhile.
	used bool
	// idleTicks is how long it may be idle, since the tick idleFrom.
	idleTicks, idleFrom int64
}

// errLoud is a connection that was closed while it was idle, or in which there lies what nobody asked for.
var errLoud = errors.New("the connection was closed, or had an answer without a question")

// Write implements io.Writer.
func (u *upstream) Write(p []byte) (int, error) { return u.wire.Write(p) }

// read reads from the child. A deadline that has passed is met by stop, if it is for this phase, else taken back.
func (u *upstream) read(p []byte, stop func() error) (int, error) {
	for {
		n, err := u.wire.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if err := u.takeBack(stop); err != nil {
			return 0, err
		}
	}
}

// takeBack takes a deadline back that was not for this phase.
func (u *upstream) takeBack(stop func() error) error {
	if err := stop(); err != nil {
		return err
	}
	_ = u.SetReadDeadline(time.Time{})
	return stop() // it may have been set while it was taken back
}

// ask sends a request that is whole and reads the first bytes of its response. It fails with errLoud before anything is
// sent, with *notAnswered, or with what stop says.
func (u *upstream) ask(request, p []byte, stop func() error) (int, error) {
	n, rest, loud, err := u.wire.ask(request, p)
	for errors.Is(err, os.ErrDeadlineExceeded) && len(rest) == len(request) { // not sent
		if err := u.takeBack(stop); err != nil {
			return 0, err
		}
		n, rest, loud, err = u.wire.ask(request, p)
	}
	switch {
	case n > 0:
		return n, nil
	case loud:
		return 0, errLoud
	case err != nil && len(rest) == len(request):
		return 0, &notAnswered{err: err}
	case err == nil && len(rest) > 0: // the socket is full, or the child closes it: then there may be an answer all the same
		_, _ = u.wire.Write(rest)
		n, err = u.read(p, stop)
	case errors.Is(err, os.ErrDeadlineExceeded):
		n, err = u.read(p, stop)
	}
	if n > 0 || errors.Is(err, proxy.ErrNoResponse) || errors.Is(err, proxy.ErrClientGone) {
		return n, err
	}
	return 0, &notAnswered{err: err, sent: true}
}

// upstreams are the connections to one backend, and gone with it.
type upstreams struct {
	run     context.Context // of the engine: its end ends dialling
	backend *drain.Backend
	clock   *clock

	mu      sync.Mutex
	idle    []*upstream // the one used last at the end
	closed  bool
	endless map[*endless]struct{} // streams and tunnels
}

// take returns an idle connection, or a new one.
func (p *upstreams) take(fresh bool) (*upstream, error) {
	for !fresh {
		u, err := p.pop()
		if err != nil {
			return nil, err
		}
		if u == nil {
			break
		}
		if p.clock.now.Load()-u.idleFrom < u.idleTicks {
			return u, nil
		}
		_ = u.Close()
	}
	return p.dial()
}

func (p *upstreams) pop() (*upstream, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		if state, _ := p.backend.State(); state != drain.Serving {
			return nil, proxy.ErrPoolClosed
		}
		p.closed = false // brought back
	}
	n := len(p.idle)
	if n == 0 {
		return nil, nil
	}
	u := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return u, nil
}

func (p *upstreams) dial() (*upstream, error) {
	conn, err := proxy.DialBackend(p.run, p.backend)
	if err != nil {
		return nil, err
	}
	u := &upstream{Conn: conn, pool: p}
	if err := u.wire.init(conn.(syscall.Conn)); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return u, nil
}

// put keeps a connection for the next request, for at most that long.
func (p *upstreams) put(u *upstream, idle time.Duration) {
	u.used, u.idleTicks, u.idleFrom = true, int64(idle/tick), p.clock.now.Load()
	p.mu.Lock()
	keep := !p.closed && u.idleTicks > 0
	if keep {
		p.idle = append(p.idle, u)
	}
	p.mu.Unlock()
	if !keep {
		_ = u.Close()
	}
}

// close closes the idle connections; those in use are closed by who uses them.
func (p *upstreams) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, u := range idle {
		_ = u.Close()
	}
}

// sweep closes those that have been idle for too long.
func (p *upstreams) sweep(now int64) {
	var old []*upstream
	p.mu.Lock()
	kept := p.idle[:0]
	for _, u := range p.idle {
		if now-u.idleFrom >= u.idleTicks {
			old = append(old, u)
		} else {
			kept = append(kept, u)
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	p.mu.Unlock()
	for _, u := range old {
		_ = u.Close()
	}
}

// keepIdle is how long an idle connection may be kept: less than the child does, or it would close it into a request.
func keepIdle(seconds int) time.Duration {
	if seconds < 0 {
		return proxy.BackendIdle
	}
	says := time.Duration(seconds) * time.Second
	return max(says-time.Second, says/2)
}

// notAnswered is a failure of a connection to the child before the first byte of a response.
type notAnswered struct {
	err error
	// sent is false when nothing of the request can have reached the child.
	sent bool
}

func (e *notAnswered) Error() string { return "no answer from the app: " + e.err.Error() }
func (e *notAnswered) Unwrap() error { return e.err }

// cutShort makes of the end of a stream where more had to come what it is.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
