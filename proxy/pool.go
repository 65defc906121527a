package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"pitstop/drain"
)

// backendIdle is how long an idle connection to the child is kept: less than Node's own five seconds, after which
// it would close the connection into a request that is just being written.
const backendIdle = 4 * time.Second

// expectPatience is what a child has for a 100 before the body goes to it unasked (RFC 9110, 10.1.1).
const expectPatience = time.Second

var errPoolClosed = errors.New("the backend's connections are closed")

// pools holds the connections of each backend. A pool is gone with its generation, so that no request ever goes
// over a connection that was made to another child.
type pools struct {
	protocol     AppProtocol
	responseTime time.Duration // Limits.ResponseTime

	mu sync.Mutex
	of map[*drain.Backend]*http.Transport
}

// get returns the backend's transport, which is made at its first request. It fails once the backend is gone.
func (p *pools) get(b *drain.Backend) (*http.Transport, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, closed := p.of[b]
	if t != nil {
		return t, nil
	}
	if state, _ := b.State(); state == drain.Gone || closed && state != drain.Serving {
		return nil, errPoolClosed
	}
	if p.of == nil {
		p.of = make(map[*drain.Backend]*http.Transport)
	}
	p.of[b] = p.open(b)
	return p.of[b], nil
}

func (p *pools) open(b *drain.Backend) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(p.protocol != H2C)
	protocols.SetUnencryptedHTTP2(p.protocol == H2C)
	return &http.Transport{
		Protocols: protocols,
		// A window is what a child can write ahead of a client that takes nothing, for each stream.
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 256 << 10, MaxReceiveBufferPerConnection: 16 << 20},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := dialBackend(ctx, b)
			if err != nil || p.protocol == H2C {
				return conn, err
			}
			return &childConn{Conn: conn}, nil
		},
		ResponseHeaderTimeout: p.responseTime,
		ExpectContinueTimeout: expectPatience,
		DisableCompression:    true, // the client's own Accept-Encoding passes
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       backendIdle,
	}
}

// dialBackend connects to a child.
func dialBackend(ctx context.Context, b *drain.Backend) (net.Conn, error) {
	// On the same port there may soon listen the next child, which has admitted nobody yet.
	if state, _ := b.State(); state == drain.Gone {
		return nil, errPoolClosed
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

func (p *pools) close(b *drain.Backend) {
	p.mu.Lock()
	t, known := p.of[b]
	if state, _ := b.State(); state == drain.Gone {
		delete(p.of, b)
	} else if known {
		p.of[b] = nil // until it is gone, or served again
	}
	p.mu.Unlock()
	if t != nil {
		t.CloseIdleConnections()
	}
}

// bufferPool lends the buffers that bodies are copied through.
type bufferPool struct{ pool sync.Pool }

const copyBuffer = 32 << 10

// Get implements httputil.BufferPool.
func (p *bufferPool) Get() []byte {
	if b, ok := p.pool.Get().(*[copyBuffer]byte); ok {
		return b[:]
	}
	return new([copyBuffer]byte)[:]
}

// Put implements httputil.BufferPool.
func (p *bufferPool) Put(b []byte) { p.pool.Put((*[copyBuffer]byte)(b)) }
