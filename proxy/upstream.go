package proxy

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
)

// upstream is one connection of the lean engine to a child.
type upstream struct {
	net.Conn
	pool *upstreams
	raw  syscall.RawConn
	// used says that it has carried a request before, so that the child may have closed it meanwhile.
	used bool
	// idleTicks is how long it may be idle, since the tick idleFrom.
	idleTicks, idleFrom int64

	quiet bool
	look  func(fd uintptr)
}

// isQuiet says whether the connection is open and nothing lies in it: what comes unasked is no answer to the next request.
func (u *upstream) isQuiet() bool {
	u.quiet = false
	return u.raw.Control(u.look) == nil && u.quiet
}

func (u *upstream) lookNow(fd uintptr) {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	u.quiet = err == syscall.EAGAIN
}

// read reads from the child. A deadline that has passed is met by stop, if it is for this phase, else taken back.
func (u *upstream) read(p []byte, stop func() error) (int, error) {
	for {
		n, err := u.Conn.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if err := stop(); err != nil {
			return 0, err
		}
		_ = u.SetReadDeadline(time.Time{})
		if err := stop(); err != nil { // it may have been set while it was taken back
			return 0, err
		}
	}
}

// upstreams are the connections to one backend, and gone with it.
type upstreams struct {
	backend *drain.Backend
	clock   *clock

	mu      sync.Mutex
	idle    []*upstream // the one used last at the end
	closed  bool
	endless map[*endless]struct{} // streams and tunnels
}

// take returns an idle connection that the child has not closed, or a new one.
func (p *upstreams) take(fresh bool) (*upstream, error) {
	for !fresh {
		u, err := p.pop()
		if err != nil {
			return nil, err
		}
		if u == nil {
			break
		}
		if p.clock.now.Load()-u.idleFrom < u.idleTicks && u.isQuiet() {
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
			return nil, errPoolClosed
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
	conn, err := dialBackend(context.Background(), p.backend)
	if err != nil {
		return nil, err
	}
	u := &upstream{Conn: conn, pool: p}
	u.look = u.lookNow
	if u.raw, err = conn.(syscall.Conn).SyscallConn(); err != nil {
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
		return backendIdle
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
