package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/drain"
)

// engine is what both are.
type engine interface {
	Serve(context.Context, net.Listener) error
	LameDuck()
	Drain(context.Context) error
	ClosePool(*drain.Backend)
}

// both runs a test on both engines; newFront looks at the test's name.
func both(t *testing.T, test func(t *testing.T)) {
	t.Run("lean", test)
	t.Run("std", test)
}

// front is an engine on a listener of its own.
type front struct {
	t       *testing.T
	gate    *drain.Gate
	engine  engine
	std     *Std // the engine, or the one that lean hands over to
	url     string
	addr    string
	healthy atomic.Bool
}

func newFront(t *testing.T, changes ...func(*Config)) *front {
	t.Helper()
	f := &front{t: t, gate: drain.New(drain.Bounds{Timeout: 20 * time.Second, Max: 100, Bytes: 1 << 20})}
	f.healthy.Store(true)
	cfg := Config{
		Gate: f.gate, HealthPath: "/health", ReplayBuffer: 64 << 10, ReplayMemory: 1 << 20, RetryAfter: 2500 * time.Millisecond,
		IdleTimeout: time.Minute, Forwarded: ForwardedAuto,
		Limits: Limits{Head: 64 << 10, Target: 16 << 10, Fields: 200, HeadTime: time.Minute, BodyTime: time.Minute}, Logger: hclog.NewNullLogger(),
		Health: func() error {
			if f.healthy.Load() {
				return nil
			}
			return errors.New("not healthy")
		},
	}
	for _, change := range changes {
		change(&cfg)
	}
	if strings.Contains(t.Name(), "/lean") {
		lean := NewLean(cfg)
		f.engine, f.std = lean, lean.std
	} else {
		f.std = NewStd(cfg)
		f.engine = f.std
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = ln.Addr().String()
	f.url = "http://" + f.addr
	served := make(chan error, 1)
	go func() { served <- f.engine.Serve(t.Context(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = f.engine.Drain(ctx)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return f
}

// backend starts a child that answers with h.
func (f *front) backend(h http.HandlerFunc) *drain.Backend {
	f.t.Helper()
	s := httptest.NewServer(h)
	f.t.Cleanup(s.CloseClientConnections)
	return f.gate.NewBackend(s.Listener.Addr().String())
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = w.Write(body)
}

func (f *front) get(path string) *http.Response {
	f.t.Helper()
	req, _ := http.NewRequest(http.MethodGet, f.url+path, nil)
	return f.do(req)
}

func (f *front) do(req *http.Request) *http.Response {
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		f.t.Error(err)
		return &http.Response{Body: http.NoBody}
	}
	f.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func (f *front) dial() net.Conn {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	f.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// want waits until a backend has these visits.
func (f *front) want(b *drain.Backend, counts drain.Counts) {
	f.t.Helper()
	f.await(fmt.Sprintf("%v with the backend, there is %v", counts, b.Visits()), func() bool { return b.Visits() == counts })
}

func (f *front) gone(b *drain.Backend) <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		for {
			state, changed := b.State()
			if state == drain.Gone {
				close(gone)
				return
			}
			<-changed
		}
	}()
	return gone
}

func (f *front) await(what string, ok func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("waited in vain for: %s", what)
		}
	}
}
