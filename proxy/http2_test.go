package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
	"pitstop/proxy/std"
)

// client is one of the ways to speak to the front.
func (f *front) client(h2, secure bool) *http.Client {
	p := new(http.Protocols)
	p.SetHTTP1(!h2)
	p.SetHTTP2(h2 && secure)
	p.SetUnencryptedHTTP2(h2 && !secure)
	transport := &http.Transport{Protocols: p, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	f.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// withTLS lends the front the certificate of httptest.
func withTLS(c *proxy.Config) {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	c.TLS = &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}
}

func TestEngines_SpeaksFourWaysOnOneListener(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, withTLS)
		f.gate.Serve(f.backend(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, r.Proto, " ", r.Header.Get("X-Forwarded-Proto"), " ", len(body), " ", r.Header["Cookie"])
		}))
		for name, tc := range map[string]struct {
			h2, secure bool
			proto      string
		}{
			"HTTP/1.1": {false, false, "HTTP/1.1"}, "h2c": {true, false, "HTTP/2.0"},
			"HTTP/1.1 over TLS": {false, true, "HTTP/1.1"}, "h2 over TLS": {true, true, "HTTP/2.0"},
		} {
			t.Run(name, func(t *testing.T) {
				scheme := map[bool]string{false: "http", true: "https"}[tc.secure]
				for range 2 {
					resp, err := f.client(tc.h2, tc.secure).Post(scheme+"://"+f.addr, "text/plain", strings.NewReader("hello"))
					if err != nil {
						t.Fatal(err)
					}
					got, _ := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if resp.Proto != tc.proto || string(got) != "HTTP/1.1 "+scheme+" 5 []" {
						t.Errorf("%s %q", resp.Proto, got)
					}
				}
			})
		}
	})
}

// A client that says nothing must not keep others from being accepted.
func TestEngines_ASilentClientKeepsNobodyWaiting(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, withTLS, func(c *proxy.Config) { c.Limits.HeadTime = 3 * time.Second })
		f.gate.Serve(f.backend(echo))
		silent, half := f.dial(), f.dial()
		_, _ = half.Write([]byte{proxy.RecordHandshake, 3, 1})
		began := time.Now()
		if resp := f.get("/"); resp.StatusCode != http.StatusOK || time.Since(began) > 2*time.Second {
			t.Errorf("%s after %s", resp.Status, time.Since(began))
		}
		for _, conn := range []net.Conn{silent, half} {
			if _, err := io.ReadAll(conn); err != nil {
				t.Errorf("it is not let go of: %v", err)
			}
		}
	})
}

func TestStd_ServesConnectionsAcceptedElsewhere(t *testing.T) {
	f := newFront(t, withTLS)
	f.gate.Serve(f.backend(echo))
	for _, secure := range []bool{false, true} {
		ours, theirs := net.Pipe()
		f.engine.(*std.Engine).ServeConn(ours, nil)
		if secure {
			theirs = tls.Client(theirs, &tls.Config{InsecureSkipVerify: true})
		}
		fmt.Fprint(theirs, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
		resp, err := http.ReadResponse(bufio.NewReader(theirs), nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("TLS %t: %v, %v", secure, resp, err)
		}
		_ = theirs.Close()
	}
	if err := f.engine.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	ours, theirs := net.Pipe()
	f.engine.(*std.Engine).ServeConn(ours, nil)
	if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the drain: %v", err)
	}
}

// The drain waits for HTTP/2 streams as for requests, and tells their clients to go.
func TestEngines_TheDrainWaitsForStreamsOfHTTP2(t *testing.T) {
	both(t, func(t *testing.T) {
		for _, secure := range []bool{false, true} {
			f := newFront(t, withTLS)
			arrived, more := make(chan struct{}), make(chan struct{})
			f.gate.Serve(f.backend(func(w http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-more
				_, _ = io.WriteString(w, "whole")
			}))
			scheme := map[bool]string{false: "http", true: "https"}[secure]
			answer := make(chan string, 1)
			go func() {
				resp, err := f.client(true, secure).Get(scheme + "://" + f.addr)
				if err != nil {
					answer <- err.Error()
					return
				}
				body, _ := io.ReadAll(resp.Body)
				answer <- string(body)
			}()
			<-arrived
			drained := make(chan error, 1)
			go func() { drained <- f.engine.Drain(t.Context()) }()
			f.await("nobody is accepted", func() bool {
				conn, err := net.Dial("tcp", f.addr)
				if err == nil {
					_ = conn.Close()
				}
				return err != nil
			})
			close(more)
			if got := <-answer; got != "whole" {
				t.Errorf("TLS %t: %q", secure, got)
			}
			if err := <-drained; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestEngines_ALameDuckTellsClientsOfHTTP2ToGo(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		f.gate.Serve(f.backend(echo))
		f.engine.LameDuck()
		conn := f.dial()
		// The preface, empty SETTINGS, and HEADERS of GET / on stream 1 with END_STREAM (RFC 9113, 3.4 and 6; RFC 7541, appendix A).
		block := []byte{0x82, 0x86, 0x84, 0x41, 1, 'x'}
		_, _ = conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
		_, _ = conn.Write(append([]byte{0, 0, byte(len(block)), 1, 5, 0, 0, 0, 1}, block...))
		awaitFrame(t, conn, 7) // GOAWAY
	})
}

// awaitFrame reads until a frame of a type comes (RFC 9113, 4.1).
func awaitFrame(t *testing.T, conn net.Conn, kind byte) {
	t.Helper()
	for r := bufio.NewReader(conn); ; {
		var head [9]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			t.Fatalf("no frame of type %d: %v", kind, err)
		}
		if head[3] == kind {
			return
		}
		_, _ = r.Discard(int(head[0])<<16 | int(head[1])<<8 | int(head[2]))
	}
}

// h2cChild starts a child that speaks HTTP/2 by prior knowledge only.
func (f *front) h2cChild(h http.HandlerFunc) *drain.Backend {
	f.t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	f.t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return f.gate.NewBackend(s.Listener.Addr().String())
}

func h2cApp(c *proxy.Config) { c.AppProtocol = proxy.H2C }

func TestEngines_AChildOfHTTP2HasConversations(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, h2cApp)
		b := f.h2cChild(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Grpc-Status")
			for line := bufio.NewScanner(r.Body); line.Scan(); {
				fmt.Fprintln(w, r.Proto, r.Host, line.Text())
				_ = http.NewResponseController(w).Flush()
			}
			w.Header().Set("Grpc-Status", "0")
		})
		f.gate.Serve(b)
		body, feed := io.Pipe()
		req, _ := http.NewRequest(http.MethodPost, f.url, body)
		req.Header.Set("Content-Type", "application/grpc")
		req.Host = "example.org"
		go func() { fmt.Fprintln(feed, "one") }()
		resp, err := f.client(true, false).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		f.want(b, drain.Counts{drain.Request: 1}) // a conversation ends by itself
		lines := bufio.NewReader(resp.Body)
		for _, word := range []string{"one", "two", "three"} {
			if line, err := lines.ReadString('\n'); line != "HTTP/2.0 example.org "+word+"\n" {
				t.Fatalf("%q, %v", line, err)
			}
			if word == "three" {
				_ = feed.Close()
			} else {
				fmt.Fprintln(feed, map[string]string{"one": "two", "two": "three"}[word])
			}
		}
		if _, err := io.ReadAll(lines); err != nil || resp.Trailer.Get("Grpc-Status") != "0" {
			t.Errorf("%v, trailer %v", err, resp.Trailer)
		}
		f.want(b, drain.Counts{})
	})
}

func TestEngines_ARequestForADeadChildOfHTTP2GoesToTheNext(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, h2cApp)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = ln.Close()
		dead := f.gate.NewBackend(ln.Addr().String())
		alive := f.h2cChild(echo)
		answer := make(chan string, 1)
		body, feed := io.Pipe()
		go func() { _, _ = feed.Write([]byte("message")); _ = feed.Close() }()
		go func() {
			req, _ := http.NewRequest(http.MethodPost, f.url, body) // of unknown length, and nothing of it was read
			resp, err := f.client(true, false).Do(req)
			if err != nil {
				answer <- err.Error()
				return
			}
			got, _ := io.ReadAll(resp.Body)
			answer <- resp.Status + " " + string(got)
		}()
		f.await("held", func() bool { return f.gate.Held().Now == 1 })
		f.gate.Serve(dead)
		f.gate.Remove(dead)
		f.gate.Serve(alive)
		if got := <-answer; got != "200 OK message" {
			t.Error(got)
		}
	})
}

func TestEngines_ACancelledStreamIsCancelledAtTheChild(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, h2cApp)
		cancelled := make(chan struct{})
		b := f.h2cChild(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			close(cancelled)
		})
		f.gate.Serve(b)
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
		resp, err := f.client(true, false).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		cancel()
		<-cancelled
		f.want(b, drain.Counts{})
	})
}

// What the child can write ahead of its client is bounded.
func TestEngines_AStreamThatNobodyReadsHoldsItsChildBack(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, h2cApp)
		var written atomic.Int64
		b := f.h2cChild(func(w http.ResponseWriter, r *http.Request) {
			for chunk := bytes.Repeat([]byte("x"), 16<<10); ; {
				n, err := w.Write(chunk)
				if written.Add(int64(n)); err != nil {
					return
				}
			}
		})
		f.gate.Serve(b)
		conn := f.dial()
		block := []byte{0x82, 0x86, 0x84, 0x41, 1, 'x'}
		_, _ = conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
		_, _ = conn.Write(append([]byte{0, 0, byte(len(block)), 1, 5, 0, 0, 0, 1}, block...)) // a window of 64 KiB, never opened further
		last := int64(-1)
		f.await("the child has stopped", func() bool {
			now := written.Load()
			still := now == last && now > 0
			last = now
			<-time.After(100 * time.Millisecond)
			return still
		})
		if got := written.Load(); got > 1<<20 {
			t.Errorf("it wrote %d bytes", got)
		}
		_ = conn.Close()
		f.want(b, drain.Counts{})
	})
}

func TestEngines_LimitsHoldForHTTP2(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, func(c *proxy.Config) {
			c.Limits = proxy.Limits{Head: 4096, Target: 100, Fields: 20, Body: 1000, BodyTime: 200 * time.Millisecond}
		})
		f.gate.Serve(f.backend(echo))
		client := f.client(true, false)
		stuck, _ := io.Pipe()
		for name, tc := range map[string]struct {
			path   string
			header http.Header
			body   io.Reader
			want   int
		}{
			"fine":   {"/", nil, strings.NewReader("x"), 200},
			"target": {"/" + strings.Repeat("a", 100), nil, nil, 414},
			"head":   {"/", http.Header{"A": {strings.Repeat("a", 4000)}}, nil, 431},
			"fields": {"/", http.Header{"A": make([]string, 21)}, nil, 431},
			"length": {"/", nil, bytes.NewReader(make([]byte, 1001)), 413},
			"large":  {"/", nil, io.MultiReader(bytes.NewReader(make([]byte, 1001))), 413},
			"slow":   {"/", nil, stuck, 408},
		} {
			req, _ := http.NewRequest(http.MethodPost, f.url+tc.path, tc.body)
			if tc.header != nil {
				req.Header = tc.header
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if resp.StatusCode != tc.want {
				t.Errorf("%s: %s, want %d", name, resp.Status, tc.want)
			}
			_ = resp.Body.Close()
		}
	})
}

// The transport may still be reading the body when the handler has returned; net/http panics where deadlines are set then.
func TestEngines_ABodyThatOutlivesItsStreamDoesNoHarm(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, func(c *proxy.Config) { c.Limits.BodyTime = time.Minute })
		f.gate.Serve(f.gate.NewBackend(hastyApp(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly")))
		for range 30 {
			conn := f.dial()
			_, _ = conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
			block := []byte{0x83, 0x86, 0x84, 0x41, 1, 'x'} // POST /, with a body to come
			_, _ = conn.Write(append([]byte{0, 0, byte(len(block)), 1, 4, 0, 0, 0, 1}, block...))
			_, _ = conn.Write([]byte{0, 0, 1, 0, 0, 0, 0, 0, 1, 'a'})
			awaitFrame(t, conn, 3) // RST_STREAM: the handler has returned
			_ = conn.Close()
		}
		if resp := f.get("/"); resp.StatusCode != http.StatusOK {
			t.Errorf("%s", resp.Status)
		}
	})
}

// What gRPC calls Trailers-Only: a head that is the whole response. An end in a frame of its own behind it is something else.
func TestEngines_AResponseOfHTTP2ThatEndsWithItsHeadDoesSoForTheClient(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, h2cApp)
		f.gate.Serve(f.h2cChild(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Length"] = nil // as Node's, which says none
			w.Header().Set("Grpc-Status", "5")
		}))
		client := f.client(true, false)
		for i := range 500 {
			resp, err := client.Post(f.url, "application/grpc", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.ContentLength != 0 || resp.Header.Get("Grpc-Status") != "5" { // unknown until the frame that ends it
				t.Fatalf("call %d: %v, length %d", i, resp.Header, resp.ContentLength)
			}
		}
	})
}
