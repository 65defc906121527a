package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"pitstop/drain"
)

// hidden is a request that the bytes of another one bring along.
const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"

// paths are those that an app was asked for.
type paths struct {
	mu   sync.Mutex
	seen []string
}

func (p *paths) saw(r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, r.URL.Path)
}

func (p *paths) has(path string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, seen := range p.seen {
		if seen == path {
			return true
		}
	}
	return false
}

// Where a body has no end that can be found, what follows is no request.
func TestEngines_NothingBehindABodyWithoutAnEndIsARequest(t *testing.T) {
	both(t, func(t *testing.T) {
		for name, app := range map[string]http.HandlerFunc{
			"reads it all": echo,
			"answers before that": func(w http.ResponseWriter, r *http.Request) {
				early(w, "413 Payload Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			},
		} {
			for _, chunks := range []string{
				"x\r\n", "3\r\nabc\r\nx\r\n", "3\r\nab\r\n", "3\r\nabc0\r\n", "0\r\nx\r\n",
				"4\r\nabc\r\n0\r\n\r\n", "2\r\nabc\r\n0\r\n\r\n", "x\r\nabc\r\n0\r\n\r\n", "3\r\nabcXX0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n", "\r\n3\r\nabc\r\n0\r\n\r\n",
				"3\r\nabc\r\n0\r\nX-A\r\n\r\n",
			} {
				for _, fields := range []string{"", "Expect: 100-continue\r\n"} {
					t.Run(fmt.Sprintf("an app that %s, %.20q %s", name, chunks, fields), func(t *testing.T) {
						f, asked := newFront(t), &paths{}
						b := f.backend(func(w http.ResponseWriter, r *http.Request) { asked.saw(r); app(w, r) })
						f.gate.Serve(b)
						conn := f.dial()
						fmt.Fprint(conn, "POST /v HTTP/1.1\r\nHost: x\r\n"+fields+"Transfer-Encoding: chunked\r\n\r\n"+chunks+hidden)
						_, _ = io.Copy(io.Discard, conn) // until it is closed
						if asked.has("/hidden") {
							t.Error("the app saw what is no request")
						}
						f.want(b, drain.Counts{})
					})
				}
			}
		}
	})
}

// early answers without looking at the body, and reads on, as net/http does not.
func early(w http.ResponseWriter, answer string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 "+answer)
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

// net/http would look for the end of such a body by itself, and then panic where the next one is read.
func TestEngines_ARequestBehindOneThatWasAnsweredEarlyHarmsNobody(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		b := f.backend(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/early" {
				early(w, "413 Payload Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			} else {
				echo(w, r)
			}
		})
		f.gate.Serve(b)
		for range 50 {
			conn := f.dial()
			fmt.Fprint(conn, "POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"+
				"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_, _ = io.Copy(io.Discard, io.LimitReader(r, 1))
			_ = conn.Close()
		}
		f.want(b, drain.Counts{})
	})
}

func TestEngines_ARequestWithATargetOfNoFormIsTheLastOfItsConnection(t *testing.T) {
	both(t, func(t *testing.T) {
		for _, line := range []string{"GET *", "GET mailto:a", "GET http:///", "CONNECT a:1", "CONNECT /"} {
			f, asked := newFront(t), &paths{}
			f.gate.Serve(f.backend(func(_ http.ResponseWriter, r *http.Request) { asked.saw(r) }))
			conn := f.dial()
			fmt.Fprint(conn, line+" HTTP/1.1\r\nHost: a:1\r\n\r\n"+hidden)
			_, _ = io.Copy(io.Discard, conn)
			if asked.has("/hidden") {
				t.Errorf("the app saw what is behind %q", line)
			}
		}
	})
}
