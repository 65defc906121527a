// Package load keeps a steady load on an instance and accounts for every request.
//
//   - Each worker has one connection and one request at a time, written and read by hand: a client library would send
//     a lost request again and hide it.
//   - A request counts as answered when its response is 200, whole, and right: for an upload, the digest of what was sent.
package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Kind is a sort of request.
type Kind string

// The sorts of requests, all known to the example app.
const (
	Get      Kind = "GET /"
	Upload   Kind = "POST /upload"
	Slow     Kind = "GET /slow"
	SlowPost Kind = "POST /slow"
)

// Config says what load to make.
type Config struct {
	// Addr is the instance's "host:port".
	Addr string
	// Workers is how many connections there are.
	Workers int
	// Mix is drawn from at random, so that one that stands there twice comes twice as often.
	Mix []Kind
	// SlowTime is how long slow requests take in the app.
	SlowTime time.Duration
	// Bodies are the sizes that uploads have.
	Bodies []int
	// Pause is the wait after each request.
	Pause time.Duration
	// LooksFirst makes a client look, before it sends, whether the server has closed the connection while it was idle, as
	// it may; without, such a request counts as lost.
	LooksFirst bool
	// Patience bounds one request; after it, it counts as lost.
	Patience time.Duration
}

// Record is what became of one request.
type Record struct {
	ID         string
	Kind       Kind
	Start, End time.Time
	// Commit is what the app said it ran.
	Commit string
	// Err says why the request counts as lost; nil if it was answered.
	Err error
}

// Totals sums up a load.
type Totals struct {
	Sent, Answered, Lost int
	// Longest is the longest time from sending to the whole answer, of the requests that are not slow by design.
	Longest  time.Duration
	ByCommit map[string]int
}

// Load is a running load.
type Load struct {
	cfg     Config
	stop    context.CancelFunc
	workers sync.WaitGroup

	mu      sync.Mutex
	records []Record
	totals  Totals
}

// Start starts the load.
func Start(cfg Config) *Load {
	ctx, stop := context.WithCancel(context.Background())
	l := &Load{cfg: cfg, stop: stop, totals: Totals{ByCommit: map[string]int{}}}
	for n := range cfg.Workers {
		l.workers.Go(func() { l.work(ctx, n) })
	}
	return l
}

// Stop lets the requests under way end and returns what became of all.
func (l *Load) Stop() []Record {
	l.stop()
	l.workers.Wait()
	return l.records
}

// Totals returns the sums so far.
func (l *Load) Totals() Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.totals
	t.ByCommit = maps.Clone(t.ByCommit)
	return t
}

// ResetLongest begins a new measurement of the longest wait and returns the one so far.
func (l *Load) ResetLongest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	longest := l.totals.Longest
	l.totals.Longest = 0
	return longest
}

func (l *Load) work(ctx context.Context, n int) {
	var c *conn
	for i := 0; ctx.Err() == nil; i++ {
		r := Record{ID: fmt.Sprintf("w%d-%d", n, i), Kind: l.cfg.Mix[rand.IntN(len(l.cfg.Mix))], Start: time.Now()}
		l.mu.Lock()
		l.totals.Sent++
		l.mu.Unlock()
		if l.cfg.LooksFirst && c != nil && c.ended() {
			_ = c.Close()
			c = nil
		}
		if c == nil {
			c, r.Err = dial(l.cfg)
		}
		if r.Err == nil {
			r.Commit, r.Err = c.do(l.cfg, r)
		}
		r.End = time.Now()
		l.note(r)
		if c != nil && (r.Err != nil || c.closing) {
			_ = c.Close()
			c = nil
		}
		time.Sleep(l.cfg.Pause)
	}
	if c != nil {
		_ = c.Close()
	}
}

func (l *Load) note(r Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, r)
	if r.Err != nil {
		l.totals.Lost++
		return
	}
	l.totals.Answered++
	l.totals.ByCommit[r.Commit]++
	if r.Kind == Get || r.Kind == Upload {
		l.totals.Longest = max(l.totals.Longest, r.End.Sub(r.Start))
	}
}

// conn is one keep-alive connection.
type conn struct {
	net.Conn
	r       *bufio.Reader
	closing bool // the server said that it closes
}

func dial(cfg Config) (*conn, error) {
	nc, err := net.DialTimeout("tcp", cfg.Addr, cfg.Patience)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: nc, r: bufio.NewReader(nc)}, nil
}

// ended says whether the server has closed the connection.
func (c *conn) ended() bool {
	raw, err := c.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return true
	}
	ended := true
	_ = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		ended = err != syscall.EAGAIN
		return true
	})
	return ended
}

// do sends one request and checks its answer.
func (c *conn) do(cfg Config, r Record) (commit string, err error) {
	req, want := request(cfg, r)
	_ = c.SetDeadline(time.Now().Add(cfg.Patience))
	if err := req.Write(c); err != nil {
		return "", fmt.Errorf("write: %w", err)
	}
	resp, err := http.ReadResponse(c.r, req)
	if err != nil {
		return "", fmt.Errorf("read the head: %w", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("read the body: %w", err)
	}
	c.closing = resp.Close
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s: %.100s", resp.Status, body)
	}
	var answer struct{ Commit, SHA256 string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("answer %.100q: %w", body, err)
	}
	if answer.SHA256 != want {
		return "", fmt.Errorf("the app saw a body of digest %q, sent was %q", answer.SHA256, want)
	}
	return answer.Commit, nil
}

// request makes a request, and for an upload the digest that the app should answer.
func request(cfg Config, r Record) (req *http.Request, digest string) {
	url := "http://" + cfg.Addr
	var body []byte
	switch r.Kind {
	case Get:
		req, _ = http.NewRequest(http.MethodGet, url+"/", nil)
	case Slow, SlowPost:
		method := http.MethodGet
		if r.Kind == SlowPost {
			method = http.MethodPost
		}
		req, _ = http.NewRequest(method, fmt.Sprintf("%s/slow?ms=%d", url, cfg.SlowTime.Milliseconds()), nil)
	case Upload:
		body = make([]byte, cfg.Bodies[rand.IntN(len(cfg.Bodies))])
		for i := range body {
			body[i] = byte(rand.Uint32())
		}
		sum := sha256.Sum256(body)
		digest = hex.EncodeToString(sum[:])
		req, _ = http.NewRequest(http.MethodPost, url+"/upload", bytes.NewReader(body))
		if rand.IntN(2) == 0 {
			req.ContentLength = -1 // chunked
		}
	}
	req.Header.Set("X-Request-Id", r.ID)
	return req, digest
}
