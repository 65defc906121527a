package lean

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// summing answers each request with the hash of its body and its trailers; slowly reads it in small pieces.
func (f *fixture) summing(slowly bool) *drain.Backend {
	return f.backend(func(a *app) {
		if slowly {
			_ = a.Conn.(*net.TCPConn).SetReadBuffer(64 << 10)
		}
		for {
			req, err := http.ReadRequest(a.Reader)
			if err != nil {
				return
			}
			h := sha256.New()
			if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{req.Body}, make([]byte, 1000)); err != nil {
				return
			}
			answer := fmt.Sprintf("%x %v", h.Sum(nil), req.Trailer.Get("Sum"))
			a.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer))
		}
	})
}

func noise(size int) []byte {
	p := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(size)}).Read(p)
	return p
}

func TestUpload_ABodyArrivesWholeAndTheNextRequestBehindIt(t *testing.T) {
	for _, slowly := range []bool{false, true} {
		f := newFixture(t, func(c *proxy.Config) { c.ReplayBuffer = 1000 })
		f.gate.Serve(f.summing(slowly))
		client := f.dial()
		for _, size := range []int{999, 1000, 1001, inBuffer, bodyBuffer, spliceFrom - 1, spliceFrom, spliceFrom + 1, spliceFrom + inBuffer, 1<<20 + 7, 5 << 20} {
			body := noise(size)
			go func() {
				client.say("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s%s", size, body, post)
			}()
			client.want(200, fmt.Sprintf("%x ", sha256.Sum256(body)))
			client.want(200, fmt.Sprintf("%x ", sha256.Sum256([]byte("hi"))))
		}
	}
}

func TestUpload_AChunkedBodyArrivesWholeWithItsTrailers(t *testing.T) {
	f := newFixture(t)
	f.gate.Serve(f.summing(true))
	client := f.dial()
	for _, size := range []int{1, 1000, 100_000, 1 << 20} {
		body := noise(size)
		go func() {
			client.say("POST / HTTP/1.1\r\nHost: x\r\nTrailer: Sum\r\nTransfer-Encoding: chunked\r\n\r\n")
			for rest := body; len(rest) > 0; {
				n := min(len(rest), 10_000)
				client.say("%x\r\n%s\r\n", n, rest[:n])
				rest = rest[n:]
			}
			client.say("0\r\nSum: it\r\n\r\n%s", post)
		}()
		client.want(200, fmt.Sprintf("%x it", sha256.Sum256(body)))
		client.want(200, fmt.Sprintf("%x ", sha256.Sum256([]byte("hi"))))
	}
}

func TestUpload_ABodyThatItsClientCutsIsNeverWholeForTheChild(t *testing.T) {
	for name, said := range map[string]string{
		"copied":  "Content-Length: 100000\r\n\r\n" + strings.Repeat("a", 99_999),
		"spliced": "Content-Length: 1000000\r\n\r\n" + strings.Repeat("a", 999_999),
		"chunked": "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			var whole atomic.Bool
			ended := make(chan struct{})
			b := f.backend(func(a *app) {
				defer close(ended)
				req, err := http.ReadRequest(a.Reader)
				if err == nil {
					_, err = io.Copy(io.Discard, req.Body)
				}
				whole.Store(err == nil)
			})
			f.gate.Serve(b)
			client := f.dial()
			client.say("POST / HTTP/1.1\r\nHost: x\r\n%s", said)
			_ = client.CloseWrite()
			f.wait(ended)
			if whole.Load() {
				t.Error("the child saw a whole body")
			}
			f.want(b, drain.Counts{})
			f.wantNone()
		})
	}
}

func TestUpload_TheChildIsAskedWhetherToGoOn(t *testing.T) {
	f := newFixture(t)
	f.gate.Serve(f.backend(func(a *app) {
		if !strings.Contains(a.head(), "100-continue") {
			return
		}
		a.say("HTTP/1.1 100 Continue\r\n\r\n")
		body := make([]byte, 100_000)
		_, _ = io.ReadFull(a, body)
		a.say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + string(body[99_999:]))
	}))
	client := f.dial()
	client.say("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
	client.wantBytes("HTTP/1.1 100 Continue\r\n\r\n")
	client.say("%s", bytes.Repeat([]byte("z"), 100_000))
	client.want(200, "z")
}

// It has answered, keeps the connection, and does not take the rest of the body.
func TestUpload_AChildThatHasAnsweredAndTakesNoMoreIsGivenUp(t *testing.T) {
	for _, framing := range []string{"Content-Length: 100000000", "Transfer-Encoding: chunked"} {
		f := newFixture(t)
		stay := make(chan struct{})
		t.Cleanup(func() { close(stay) })
		b := f.backend(func(a *app) {
			a.head()
			a.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
			<-stay
		})
		f.gate.Serve(b)
		client := f.dial()
		client.say("POST / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", framing)
		go func() {
			for err := error(nil); err == nil; {
				_, err = fmt.Fprintf(client, "%x\r\n%s\r\n", 1<<20, strings.Repeat("a", 1<<20))
			}
		}()
		client.want(200, "hello")
		f.await("given up", func() bool { return b.Visits() == drain.Counts{} })
	}
}

func TestUpload_TheChildsTimeForAResponseBeginsWhenItHasTheRequestWhole(t *testing.T) {
	f := newFixture(t, func(c *proxy.Config) { c.Limits.ResponseTime = 300 * time.Millisecond })
	f.gate.Serve(f.backend(func(a *app) {
		if req, err := http.ReadRequest(a.Reader); err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
			if req.URL.Path == "/" {
				a.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
			}
			_, _ = io.Copy(io.Discard, a)
		}
	}))
	client := f.dial()
	client.say("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
	f.ticks(8)
	client.say("0\r\n\r\n")
	client.want(200, "hello")
	client.say("POST /silent HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
	f.ticks(1)
	client.say("0\r\n\r\n")
	client.want(504, "")
}
