package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pitstop/drain"
)

func TestEngines_TheVisitLastsUntilTheResponseHasBeenRead(t *testing.T) {
	both(t, func(t *testing.T) {
		more := make(chan struct{})
		f := newFront(t)
		b := f.backend(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "first ")
			w.(http.Flusher).Flush()
			<-more
			_, _ = io.WriteString(w, "last")
		})
		f.gate.Serve(b)
		resp := f.get("/")
		first := make([]byte, 6)
		if _, err := io.ReadFull(resp.Body, first); err != nil {
			t.Fatal(err) // it is flushed as it comes
		}
		f.want(b, drain.Counts{drain.Request: 1})
		close(more)
		if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "last" {
			t.Errorf("rest %q, %v", rest, err)
		}
		f.want(b, drain.Counts{})
	})
}

func TestEngines_TheVisitLastsUntilTheRequestHasBeenWritten(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		b := f.backend(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).EnableFullDuplex()
			_, _ = io.WriteString(w, "early answer")
			_, _ = io.Copy(io.Discard, r.Body)
		})
		f.gate.Serve(b)
		body, feed := io.Pipe()
		req, _ := http.NewRequest(http.MethodPost, f.url, body)
		go func() { _, _ = feed.Write(make([]byte, 100_000)) }()
		done := make(chan error, 1)
		go func() {
			resp, err := http.DefaultClient.Do(req)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			done <- err
		}()
		f.want(b, drain.Counts{drain.Upload: 1})
		_ = feed.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		f.want(b, drain.Counts{})
	})
}

func TestEngines_ASlowUploaderOfASmallBodyIsNotWithTheChild(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		b := f.backend(echo)
		f.gate.Serve(b)
		conn := f.dial()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
		f.gate.Hold()
		if err := b.Drained(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.gate.Serve(b)
		fmt.Fprintf(conn, "world")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(resp.Body); string(got) != "helloworld" {
			t.Errorf("the child saw %q", got)
		}
	})
}

// One side of a conversation: the app answers before the body has ended, and the client goes on when it hears that.
func TestEngines_ABodyOfUnknownLengthIsPassedOnAsItComes(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		b := f.backend(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).EnableFullDuplex()
			line, _ := bufio.NewReader(r.Body).ReadString('\n')
			_, _ = io.WriteString(w, "heard "+line)
			_ = http.NewResponseController(w).Flush()
			_, _ = io.Copy(io.Discard, r.Body)
		})
		f.gate.Serve(b)
		conn := f.dial()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, len("heard hello\n"))
		if _, err := io.ReadFull(resp.Body, answer); err != nil || string(answer) != "heard hello\n" {
			t.Errorf("%q, %v", answer, err)
		}
		fmt.Fprintf(conn, "0\r\n\r\n")
		f.want(b, drain.Counts{})
	})
}

func TestBudget_BodiesBeyondItAreNotReadAhead(t *testing.T) {
	var b budget
	b.left.Store(100)
	for _, tc := range []struct {
		size  int
		whole bool
	}{{60, true}, {60, false}, {40, true}} {
		req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(make([]byte, tc.size)))
		if got, err := readAhead(req, 64<<10, &b); err != nil || got.whole != tc.whole {
			t.Errorf("%d bytes: whole %t, %v", tc.size, got.whole, err)
		}
	}
	b.give(100)
	if b.left.Load() != 100 {
		t.Errorf("%d left", b.left.Load())
	}
}

func TestEngines_ARequestWhoseChildDiedIsSentOnceMoreIfItMayBe(t *testing.T) {
	both(t, func(t *testing.T) {
		for _, tc := range []struct {
			method string
			size   int
			again  bool
		}{
			{http.MethodGet, 0, true},
			{http.MethodPut, 1000, true},
			{http.MethodDelete, 0, true},
			{http.MethodPost, 0, false},
			{http.MethodPatch, 10, false},
			{http.MethodPut, 100_000, false}, // no longer in memory
		} {
			t.Run(fmt.Sprint(tc.method, tc.size), func(t *testing.T) {
				f := newFront(t)
				var first *drain.Backend
				first = f.backend(func(http.ResponseWriter, *http.Request) {
					f.gate.Remove(first)
					panic(http.ErrAbortHandler)
				})
				second := f.backend(echo)
				f.gate.Serve(first)
				req, _ := http.NewRequest(tc.method, f.url, bytes.NewReader(make([]byte, tc.size)))
				answered := make(chan *http.Response, 1)
				go func() { answered <- f.do(req) }()
				<-f.gone(first)
				f.gate.Serve(second)
				resp := <-answered
				got, _ := io.ReadAll(resp.Body)
				if tc.again && (resp.StatusCode != http.StatusOK || len(got) != tc.size) {
					t.Errorf("%s with %d bytes", resp.Status, len(got))
				}
				if !tc.again && resp.StatusCode != http.StatusBadGateway {
					t.Errorf("%s", resp.Status)
				}
				f.want(first, drain.Counts{})
				f.want(second, drain.Counts{})
			})
		}
	})
}

func TestEngines_NeverAfterASecondCrash(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		var tries atomic.Int32
		crashing := func() *drain.Backend {
			var b *drain.Backend
			b = f.backend(func(http.ResponseWriter, *http.Request) {
				tries.Add(1)
				f.gate.Remove(b)
				panic(http.ErrAbortHandler)
			})
			return b
		}
		first, second, third := crashing(), crashing(), f.backend(echo)
		f.gate.Serve(first)
		answered := make(chan *http.Response, 1)
		go func() { answered <- f.get("/") }()
		<-f.gone(first)
		f.gate.Serve(second)
		<-f.gone(second)
		f.gate.Serve(third)
		if resp := <-answered; resp.StatusCode != http.StatusBadGateway || tries.Load() != 2 {
			t.Errorf("%s after %d tries", resp.Status, tries.Load())
		}
	})
}

func TestEngines_AnAppThatResetsConnectionsGets502NotANewChild(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		b := f.backend(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		f.gate.Serve(b)
		if resp := f.get("/"); resp.StatusCode != http.StatusBadGateway {
			t.Errorf("%s", resp.Status)
		}
		f.want(b, drain.Counts{})
	})
}

func TestEngines_AHeldRequestPastItsBoundsGets503WithRetryAfter(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		f.gate.Refuse(errors.New("ending"))
		resp := f.get("/")
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "3" {
			t.Errorf("%s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
		}
		if body, _ := io.ReadAll(resp.Body); strings.Contains(string(body), "ending") {
			t.Errorf("the client is told of the inside: %q", body)
		}
	})
}

func TestEngines_AClientThatLeavesWhileItIsHeldIsGoneFromTheCount(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		conn := f.dial()
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		f.await("held", func() bool { return f.gate.Held().Now == 1 })
		_ = conn.Close()
		f.await("gone", func() bool { return f.gate.Held().Now == 0 })
	})
}

func TestEngines_TheHealthPathIsNeverHeld(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		if resp := f.get("/health"); resp.StatusCode != http.StatusOK {
			t.Errorf("held: %s", resp.Status)
		}
		f.healthy.Store(false)
		if resp := f.get("/health"); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("unhealthy: %s", resp.Status)
		}
		f.healthy.Store(true)
		f.engine.LameDuck()
		if resp := f.get("/health"); resp.StatusCode != http.StatusServiceUnavailable || !resp.Close {
			t.Errorf("lame duck: %s, close %t", resp.Status, resp.Close)
		}
	})
}

func TestStd_NoConnectionIsMadeToABackendThatIsGone(t *testing.T) {
	f := newFront(t)
	b := f.backend(echo)
	f.gate.Serve(b)
	_ = f.get("/")
	f.engine.ClosePool(b)
	f.gate.Remove(b)
	if _, err := f.std.pools.get(b); !errors.Is(err, errPoolClosed) {
		t.Errorf("a pool for a backend that is gone: %v", err)
	}
	transport := f.std.pools.open(b)
	if _, err := transport.DialContext(t.Context(), "tcp", b.Addr); !errors.Is(err, errPoolClosed) {
		t.Errorf("dialled a backend that is gone: %v", err)
	}
}

// A backlog that is full for a moment is no failure.
func TestPool_DialsAgainWhileTheBacklogIsFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	f := newFront(t)
	dial := f.std.pools.open(f.gate.NewBackend("unix:" + path)).DialContext
	first, err := dial(t.Context(), "", "") // the one that the backlog takes
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second := make(chan error, 1)
	go func() {
		conn, err := dial(t.Context(), "", "")
		if err == nil {
			_ = conn.Close()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatalf("the second was not made to wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	accepted, _, err := syscall.Accept(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(accepted)
	if err := <-second; err != nil {
		t.Error(err)
	}
}

func TestEngines_AnUpgradeThatFailsLeaksNoVisit(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		b := f.backend(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "another-protocol")
			w.WriteHeader(http.StatusSwitchingProtocols)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.ReadAll(conn) // until the proxy closes it
				_ = conn.Close()
			}
		})
		f.gate.Serve(b)
		req, _ := http.NewRequest(http.MethodGet, f.url, nil)
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "websocket")
		if resp := f.do(req); resp.StatusCode != http.StatusBadGateway {
			t.Errorf("%s", resp.Status)
		}
		f.want(b, drain.Counts{})
	})
}

func TestEngines_ABodyCutShortByItsClientNeverReachesTheChildWhole(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		var reached atomic.Int32
		b := f.backend(func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err == nil {
				reached.Add(1)
			}
		})
		f.gate.Serve(b)
		conn := f.dial()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode < 400 || reached.Load() != 0 {
			t.Errorf("%s, the child saw %d whole", resp.Status, reached.Load())
		}
	})
}

func TestStatusOf_IsATable(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{context.Canceled, 499},
		{&refusal{context.Canceled}, 499},
		{fmt.Errorf("%w: odd chunk", errBadBody), 400},
		{errSlowBody, 408},
		{&refusal{drain.ErrHeldTooLong}, 503},
		{&refusal{drain.ErrHoldFull}, 503},
		{&refusal{errors.New("ending")}, 503},
		{&refusal{drain.ErrAlive}, 502},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, 502},
		{io.ErrUnexpectedEOF, 502},
		{&net.DNSError{IsTimeout: true}, 504},
	} {
		if got := statusOf(tc.err); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.err, got, tc.want)
		}
	}
}

func TestForward_PassesWhatALoadBalancerSaysAndSetsTheRest(t *testing.T) {
	for name, tc := range map[string]struct {
		peer string
		in   http.Header
		want http.Header
	}{
		"load balancer": {"10.0.0.7:1", http.Header{"X-Forwarded-For": {"1.2.3.4", "5.6.7.8"}, "X-Forwarded-Proto": {"https"}},
			http.Header{"X-Forwarded-For": {"1.2.3.4", "5.6.7.8"}, "X-Forwarded-Proto": {"https"}}},
		"nothing said":  {"10.0.0.7:1", nil, http.Header{"X-Forwarded-For": {"10.0.0.7"}, "X-Forwarded-Proto": {"http"}}},
		"a stranger":    {"203.0.113.5:1", http.Header{"X-Forwarded-For": {"1.2.3.4"}, "Forwarded": {"for=1.2.3.4"}}, http.Header{"X-Forwarded-For": {"203.0.113.5"}, "X-Forwarded-Proto": {"http"}}},
		"mapped":        {"[::ffff:10.0.0.7]:1", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, http.Header{"X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Proto": {"http"}}},
		"a cloud's own": {"100.64.3.4:1", http.Header{"Forwarded": {"for=1.2.3.4"}}, http.Header{"Forwarded": {"for=1.2.3.4"}, "X-Forwarded-For": {"100.64.3.4"}, "X-Forwarded-Proto": {"http"}}},
	} {
		in := httptest.NewRequest(http.MethodGet, "/", nil)
		in.RemoteAddr, in.Header = tc.peer, tc.in
		out := http.Header{}
		ForwardedAuto.apply(out, in)
		for _, field := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"} {
			if got, want := fmt.Sprint(out[field]), fmt.Sprint(tc.want[field]); got != want {
				t.Errorf("%s: %s is %s, want %s", name, field, got, want)
			}
		}
	}
}
