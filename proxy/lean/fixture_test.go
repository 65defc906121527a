package lean

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/drain"
	"pitstop/proxy"
)

// fixture is an engine on a listener of its own.
type fixture struct {
	t    *testing.T
	e    *Engine
	gate *drain.Gate
	addr string
}

func newFixture(t *testing.T, changes ...func(*proxy.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, gate: drain.New(drain.Bounds{Timeout: 20 * time.Second, Max: 100, Bytes: 1 << 20})}
	cfg := proxy.Config{
		Gate: f.gate, ReplayBuffer: 64 << 10, ReplayMemory: 1 << 20, RetryAfter: time.Second, IdleTimeout: time.Minute, Forwarded: proxy.ForwardedAuto,
		Limits: proxy.Limits{Head: 64 << 10, Target: 16 << 10, Fields: 200, HeadTime: time.Minute, BodyTime: time.Minute},
		Logger: hclog.NewNullLogger(), Health: func() error { return nil },
	}
	for _, change := range changes {
		change(&cfg)
	}
	f.e = New(cfg)
	ln := listen(t)
	f.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- f.e.Serve(t.Context(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = f.e.Drain(ctx)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return f
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// app is the child's side of one connection.
type app struct {
	net.Conn
	*bufio.Reader
	n int // how many came before
}

func (a *app) Read(p []byte) (int, error) { return a.Reader.Read(p) }

// head reads a head; empty when the connection has ended.
func (a *app) head() string {
	var b strings.Builder
	for {
		line, err := a.ReadString('\n')
		if err != nil {
			return ""
		}
		b.WriteString(line)
		if line == "\r\n" {
			return b.String()
		}
	}
}

func (a *app) say(s string) { _, _ = io.WriteString(a.Conn, s) }

// backend starts a child, calls serve for each of its connections, and closes that afterwards.
func (f *fixture) backend(serve func(*app)) *drain.Backend {
	ln := listen(f.t)
	b := f.gate.NewBackend(ln.Addr().String())
	f.t.Cleanup(func() { f.gate.Remove(b) })
	go func() {
		for n := 0; ; n++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			f.t.Cleanup(func() { _ = conn.Close() })
			go func() {
				defer conn.Close()
				serve(&app{Conn: conn, Reader: bufio.NewReader(conn), n: n})
			}()
		}
	}()
	return b
}

// hello answers each head.
func hello(a *app) {
	for a.head() != "" {
		a.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	}
}

// client is a client's connection.
type client struct {
	*net.TCPConn
	t *testing.T
	r *bufio.Reader
}

func (f *fixture) dial() *client {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	return newClient(f.t, conn)
}

func newClient(t *testing.T, conn net.Conn) *client {
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { _ = conn.Close() })
	return &client{TCPConn: conn.(*net.TCPConn), t: t, r: bufio.NewReader(conn)}
}

func (c *client) say(format string, args ...any) { fmt.Fprintf(c, format, args...) }

// answer reads a response, interim or not.
func (c *client) answer() *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

// want reads a response and its body.
func (c *client) want(status int, body string) *http.Response {
	c.t.Helper()
	resp := c.answer()
	if got, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != status || body != "" && string(got) != body {
		c.t.Fatalf("%s %q, %v; want %d %q", resp.Status, got, err, status, body)
	}
	return resp
}

// wantEnd reads the end of the connection.
func (c *client) wantEnd() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("%q, %v; want the end", rest, err)
	}
}

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// conn is the engine's side of its only connection.
func (f *fixture) conn() (c *conn) {
	f.t.Helper()
	f.await("one connection", func() bool {
		c = nil
		f.e.each(func(one *conn) { c = one })
		return c != nil
	})
	return c
}

// wantNone waits until no connection is left, and no goroutine of one.
func (f *fixture) wantNone() {
	f.t.Helper()
	f.await("no connection", func() bool {
		f.e.mu.Lock()
		defer f.e.mu.Unlock()
		return f.e.conns.n == 0
	})
	f.await("no goroutine", func() bool { return serving() == 0 })
}

// serving counts the goroutines that serve connections.
func serving() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "lean.(*conn).serve(")
}

// ticks waits until the engine's clock has moved on.
func (f *fixture) ticks(n int64) {
	f.t.Helper()
	until := f.e.clock.now.Load() + n
	f.await("the clock", func() bool { return f.e.clock.now.Load() >= until })
}

func (f *fixture) await(what string, ok func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// wait waits for what a child says.
func (f *fixture) wait(said <-chan struct{}) {
	f.t.Helper()
	select {
	case <-said:
	case <-time.After(10 * time.Second):
		f.t.Fatal("waited in vain")
	}
}
