package std

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// pools holds the connections of each backend. A pool is gone with its generation, so that no request ever goes
// over a connection that was made to another child.
type pools struct {
	protocol     proxy.AppProtocol
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
		return nil, proxy.ErrPoolClosed
	}
	if p.of == nil {
		p.of = make(map[*drain.Backend]*http.Transport)
	}
	p.of[b] = p.open(b)
	return p.of[b], nil
}

func (p *pools) open(b *drain.Backend) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(p.protocol != proxy.H2C)
	protocols.SetUnencryptedHTTP2(p.protocol == proxy.H2C)
	return &http.Transport{
		Protocols: protocols,
		// A window is what a child can write ahead of a client that takes nothing, for each stream.
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 256 << 10, MaxReceiveBufferPerConnection: 16 << 20},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := proxy.DialBackend(ctx, b)
			if err != nil || p.protocol == proxy.H2C {
				return conn, err
			}
			return &childConn{Conn: conn}, nil
		},
		ResponseHeaderTimeout: p.responseTime,
		ExpectContinueTimeout: proxy.ExpectPatience,
		DisableCompression:    true, // the client's own Accept-Encoding passes
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       proxy.BackendIdle,
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
