package proxy_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

func TestEngines_RefusesWhatIsBeyondItsLimits(t *testing.T) {
	both(t, func(t *testing.T) {
		seen := &observed{}
		f := newFront(t, seen.watch, func(c *proxy.Config) {
			c.Limits = proxy.Limits{Head: 4096, Target: 100, Fields: 20, Body: 1000, HeadTime: 200 * time.Millisecond, BodyTime: 200 * time.Millisecond}
		})
		f.gate.Serve(f.backend(echo))
		for name, tc := range map[string]struct {
			request string
			want    int
		}{
			"fine":                         {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 200},
			"target":                       {"GET /" + strings.Repeat("a", 100) + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
			"head":                         {"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 4096) + "\r\n\r\n", 431},
			"head far beyond":              {"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 20000) + "\r\n\r\n", 431},
			"fields":                       {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 20) + "\r\n", 431},
			"body by its length":           {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413},
			"body as it comes":             {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + strings.Repeat("a", 1001) + "\r\n0\r\n\r\n", 413},
			"slow head":                    {"GET / HTTP/1.1\r\nHost: x\r\n", 408},
			"slow small body":              {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", 408},
			"slow body, unknown length":    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 408},
			"fragment":                     {"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
			"no host":                      {"GET / HTTP/1.1\r\n\r\n", 400},
			"CONNECT":                      {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501},
			"asterisk":                     {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
			"asterisk of OPTIONS":          {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 200},
			"target of no form":            {"GET mailto:a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
			"target of another scheme":     {"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
			"absolute target without host": {"GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
			"nonsense":                     {"nonsense and more\r\n\r\n", 400},
			"HTTP/2.0 by name":             {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
		} {
			t.Run(name, func(t *testing.T) {
				conn := f.dial()
				fmt.Fprint(conn, tc.request)
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				if resp.StatusCode != tc.want {
					t.Fatalf("%s, want %d", resp.Status, tc.want)
				}
				if tc.want != 200 && (len(resp.Header.Get("X-Request-Id")) != 32 || string(body) != http.StatusText(tc.want)+"\n") {
					t.Errorf("%v %q", resp.Header, body)
				}
				f.await("the observer knows", func() bool {
					x := seen.last()
					return x != nil && x.Status == tc.want && (x.Err != nil) == (tc.want != 200) && x.Client == conn.LocalAddr().String() && x.Took >= 0 && x.Took < 10*time.Second
				})
			})
		}
	})
}

func TestEngines_AConnectionThatSaysNothingGetsNothing(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, func(c *proxy.Config) { c.Limits.HeadTime, c.IdleTimeout = 100*time.Millisecond, 100*time.Millisecond })
		f.gate.Serve(f.backend(echo))
		for _, first := range []string{"", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"} {
			conn := f.dial()
			fmt.Fprint(conn, first)
			all, err := io.ReadAll(conn)
			if err != nil || strings.Contains(string(all), "408") {
				t.Errorf("after %q: %q, %v", first, all, err)
			}
		}
		conn := f.dial()
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		r := bufio.NewReader(conn)
		if _, err := http.ReadResponse(r, nil); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "GET / HT")
		if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 408 {
			t.Errorf("half a second head: %v, %v", resp, err)
		}
	})
}

// The bound is on standing still, not on the whole.
func TestEngines_ABodyThatKeepsComingMayTakeItsTime(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, func(c *proxy.Config) { c.Limits.BodyTime = 300 * time.Millisecond })
		f.gate.Serve(f.backend(echo))
		body, feed := io.Pipe()
		go func() {
			for range 8 {
				time.Sleep(100 * time.Millisecond) // it is the time that is tested
				_, _ = feed.Write([]byte("x"))
			}
			_ = feed.Close()
		}()
		req, _ := http.NewRequest(http.MethodPost, f.url, body)
		resp := f.do(req)
		if got, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || len(got) != 8 {
			t.Errorf("%s %q", resp.Status, got)
		}
	})
}

func TestEngines_AClientThatTakesNothingIsCut(t *testing.T) {
	both(t, func(t *testing.T) {
		for name, protocols := range map[string]func(*http.Protocols){
			"HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) },
			"HTTP/2":   func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) },
		} {
			t.Run(name, func(t *testing.T) {
				seen := &observed{}
				f := newFront(t, seen.watch, func(c *proxy.Config) { c.Limits.BodyTime = 200 * time.Millisecond })
				b := f.backend(func(w http.ResponseWriter, r *http.Request) {
					for {
						if _, err := w.Write(make([]byte, 64<<10)); err != nil {
							return
						}
					}
				})
				f.gate.Serve(b)
				p := new(http.Protocols)
				protocols(p)
				client := http.Transport{Protocols: p}
				defer client.CloseIdleConnections()
				req, _ := http.NewRequest(http.MethodGet, f.url, nil)
				resp, err := client.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				f.want(b, drain.Counts{}) // though the client has read nothing
				f.await("the observer knows", func() bool { x := seen.last(); return x != nil && errors.Is(x.Err, proxy.ErrClientGone) })
			})
		}
	})
}

func TestEngines_AChildThatDoesNotAnswerInTimeIs504AndNotAskedAgain(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t, func(c *proxy.Config) { c.Limits.ResponseTime = 100 * time.Millisecond })
		asked := make(chan struct{}, 10)
		b := f.backend(func(w http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			<-r.Context().Done()
		})
		f.gate.Serve(b)
		if resp := f.get("/"); resp.StatusCode != http.StatusGatewayTimeout || len(asked) != 1 {
			t.Errorf("%s, asked %d times", resp.Status, len(asked))
		}
		f.want(b, drain.Counts{})
	})
}

func TestEngines_AnAnswerBeforeTheWholeUploadReachesTheClient(t *testing.T) {
	both(t, func(t *testing.T) {
		for name, framing := range map[string]string{"length": "Content-Length: 8388608", "chunked": "Transfer-Encoding: chunked"} {
			t.Run(name, func(t *testing.T) {
				f := newFront(t, func(c *proxy.Config) { c.Limits.BodyTime = 10 * time.Second })
				b := f.gate.NewBackend(hastyApp(t, "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge"))
				f.gate.Serve(b)
				for range 20 {
					conn := f.dial()
					fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", framing)
					go func() { // it sends all before it looks for an answer
						for range 8 {
							if framing[0] == 'T' {
								fmt.Fprintf(conn, "%x\r\n%s\r\n", 1<<20, strings.Repeat("a", 1<<20))
							} else {
								fmt.Fprint(conn, strings.Repeat("a", 1<<20))
							}
						}
						if framing[0] == 'T' {
							fmt.Fprint(conn, "0\r\n\r\n")
						}
					}()
					resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := io.ReadAll(resp.Body); resp.StatusCode != 413 || string(got) != "large" || err != nil {
						t.Fatalf("%s %q, %v", resp.Status, got, err)
					}
					_ = conn.Close()
				}
				f.want(b, drain.Counts{})
			})
		}
	})
}

// hastyApp answers each head and closes, with what it has not read still to come.
func hastyApp(t *testing.T, answer string) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReaderSize(conn, 4096)
			for line := ""; line != "\r\n" && err == nil; line, err = r.ReadString('\n') {
			}
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	}()
	return ln.Addr().String()
}

func TestEngines_KeepsASaneRequestIDAndMakesOneElse(t *testing.T) {
	both(t, func(t *testing.T) {
		seen := &observed{}
		f := newFront(t, seen.watch)
		f.gate.Serve(f.backend(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, strings.Join(r.Header["X-Request-Id"], "|"))
		}))
		made := regexp.MustCompile(`^[0-9a-f]{32}$`)
		for _, tc := range []struct {
			given []string
			kept  bool
		}{
			{[]string{"abc-123"}, true}, {nil, false}, {[]string{""}, false}, {[]string{"a b"}, false}, {[]string{"ä"}, false},
			{[]string{strings.Repeat("a", 128)}, true}, {[]string{strings.Repeat("a", 129)}, false}, {[]string{"a", "b"}, false},
		} {
			req, _ := http.NewRequest(http.MethodGet, f.url, nil)
			req.Header["X-Request-Id"] = tc.given
			got, _ := io.ReadAll(f.do(req).Body)
			if tc.kept != (len(tc.given) == 1 && string(got) == tc.given[0]) || !tc.kept && !made.Match(got) {
				t.Errorf("%q became %q", tc.given, got)
			}
			f.await("the observer knows", func() bool { return string(seen.last().RequestID) == string(got) })
		}
		f.gate.Refuse(errors.New("ending"))
		req, _ := http.NewRequest(http.MethodGet, f.url, nil)
		req.Header.Set("X-Request-Id", "mine")
		req.Header.Set("Accept", "application/json")
		resp := f.do(req)
		body, _ := io.ReadAll(resp.Body)
		if resp.Header.Get("X-Request-Id") != "mine" || string(body) != `{"status":503,"error":"Service Unavailable"}`+"\n" {
			t.Errorf("%v %q", resp.Header, body)
		}
	})
}

func TestEngines_TheObserverLearnsAllFigures(t *testing.T) {
	both(t, func(t *testing.T) {
		seen := &observed{}
		f := newFront(t, seen.watch)
		b := f.backend(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, "four")
		})
		go func() {
			<-time.After(100 * time.Millisecond) // the time that it is held is told
			f.gate.Serve(b)
		}()
		req, _ := http.NewRequest(http.MethodPost, f.url+"/p?q", strings.NewReader("three"))
		req.Host = "www.example.org"
		_, _ = io.ReadAll(f.do(req).Body)
		f.await("told", func() bool { return seen.last() != nil })
		x := seen.last()
		if string(x.Method) != "POST" || string(x.Target) != "/p?q" || string(x.Host) != "www.example.org" || x.Proto != "HTTP/1.1" ||
			x.Status != 418 || x.Received != 5 || x.Sent != 4 || x.Kind != drain.Request || x.Backend != b.Addr || x.Replayed || x.Err != nil ||
			x.Held < 50*time.Millisecond || x.Took < x.Held || time.Since(x.Start) > 10*time.Second || !strings.HasPrefix(x.Client, "127.0.0.1:") {
			t.Errorf("%+v", x)
		}
		_ = f.get("/health")
		_ = f.get("/after")
		f.await("told", func() bool { return string(seen.last().Target) == "/after" })
		if n := seen.count(); n != 2 {
			t.Errorf("%d exchanges: the health path is none", n)
		}
	})
}

// observed keeps what an observer is told.
type observed struct {
	mu  sync.Mutex
	all []proxy.Exchange
}

func (o *observed) watch(c *proxy.Config) { c.Observer = o }

// Done implements proxy.Observer.
func (o *observed) Done(x *proxy.Exchange) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := *x
	for _, p := range []*[]byte{&kept.Method, &kept.Target, &kept.Host, &kept.RequestID} {
		*p = bytes.Clone(*p)
	}
	o.all = append(o.all, kept)
}

func (o *observed) last() *proxy.Exchange {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.all) == 0 {
		return nil
	}
	return &o.all[len(o.all)-1]
}

func (o *observed) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.all)
}
