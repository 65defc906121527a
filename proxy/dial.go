package proxy

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"

	"pitstop/drain"
)

// BackendIdle is how long an idle connection to the child is kept: less than Node's own five seconds, after which
// it would close the connection into a request that is just being written.
const BackendIdle = 4 * time.Second

// ExpectPatience is what a child has for a 100 before the body goes to it unasked (RFC 9110, 10.1.1).
const ExpectPatience = time.Second

// ErrPoolClosed says that the connections to a backend have been closed, and that no new one may be made.
var ErrPoolClosed = errors.New("the backend's connections are closed")

// DialBackend connects to a child.
func DialBackend(ctx context.Context, b *drain.Backend) (net.Conn, error) {
	// On the same port there may soon listen the next child, which has admitted nobody yet.
	if state, _ := b.State(); state == drain.Gone {
		return nil, ErrPoolClosed
	}
	network, addr := "tcp", b.Addr
	if path, ok := strings.CutPrefix(b.Addr, "unix:"); ok {
		network, addr = "unix", path
	}
	return dialPatiently(ctx, &net.Dialer{Timeout: 10 * time.Second}, network, addr)
}

// dialPatiently dials again while the backlog is full: a unix socket refuses then (EAGAIN, connect(2)) where TCP waits.
func dialPatiently(ctx context.Context, dialer *net.Dialer, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialer.Timeout)
	defer cancel()
	for {
		conn, err := dialer.DialContext(ctx, network, addr)
		if !errors.Is(err, syscall.EAGAIN) {
			return conn, err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return nil, err
		}
	}
}
