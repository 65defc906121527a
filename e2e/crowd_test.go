package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// crowdApp answers at once, and at /large with 8 MiB.
const crowdApp = `
	const http = require('node:http')
	const large = Buffer.alloc(8 << 20, 'x')
	http.createServer((req, res) => {
		req.resume()
		req.on('error', () => {})
		if (req.url === '/large') return res.end(large)
		req.on('end', () => res.end('ok'))
	}).listen(process.env.PORT)`

// Thousands of clients that are slow in every way cost some memory and nobody's answer.
func TestCrowd_SlowClientsDoNotHurtOthers(t *testing.T) {
	needFiles(t, 10_000)
	enginesInTurn(t, func(t *testing.T, engine string) {
		in := launchPlain(t, engine)
		crowd := &crowd{addr: in.addr}
		defer crowd.leave()
		crowd.join(t, 2000, "GET /", " HTTP/1.1\r\nHost: app.example\r\nX-Slow: "+strings.Repeat("x", 100))
		crowd.join(t, 1000, "POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 100000\r\n\r\n", strings.Repeat("x", 100))
		crowd.join(t, 300, "GET /large HTTP/1.1\r\nHost: app.example\r\n\r\n", "")
		slow, worst := serveOthers(t, in.addr, 50, 5*time.Second)
		t.Logf("%s: among %d slow clients %d requests of others, the slowest %s; resident %d MiB", engine, 3300, slow, worst, in.resident()>>20)
		if got := in.resident(); got > 250*mebibyte {
			t.Errorf("resident %d MiB", got>>20)
		}
		if worst > 10*time.Second {
			t.Errorf("one of the others waited %s", worst)
		}
		crowd.leave()
		in.awaitNobody()
	})
}

// An idle connection costs next to nothing.
func TestCrowd_TenThousandIdleConnections(t *testing.T) {
	const many = 10_000
	needFiles(t, many+2000)
	enginesInTurn(t, func(t *testing.T, engine string) {
		in := launchPlain(t, engine)
		serveOthers(t, in.addr, 50, time.Second) // so that it is warm
		before := in.resident()
		conns := make([]net.Conn, many)
		defer func() {
			for _, c := range conns {
				if c != nil {
					_ = c.Close()
				}
			}
		}()
		for i := range conns {
			client, err := dialRaw(in.addr)
			if err != nil {
				t.Fatal(err)
			}
			conns[i] = client.Conn
			if got := client.ask("GET", "/", "", ""); got != "200 ok" {
				t.Fatalf("connection %d got %q", i, got)
			}
		}
		limit := 60
		if engine == std {
			limit = 400 // two buffers and a goroutine or two each
		}
		grown := 0
		in.awaitFor(20*time.Second, fmt.Sprintf("at most %d MiB more", limit), func() bool {
			grown = in.resident() - before
			return grown <= limit*mebibyte
		})
		t.Logf("%s: %d idle connections: resident %d MiB before, %d MiB more", engine, many, before>>20, grown>>20)
	})
}

// crowd are clients that send a byte a second, and read nothing.
type crowd struct {
	addr  string
	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func (c *crowd) join(t *testing.T, n int, first, slowly string) {
	t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.Dial("tcp", c.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.(*net.TCPConn).SetReadBuffer(4096)
		_, _ = io.WriteString(conn, first)
		conns[i] = conn
	}
	c.mu.Lock()
	c.conns = append(c.conns, conns...)
	c.mu.Unlock()
	c.wg.Go(func() {
		for _, b := range []byte(slowly) {
			for _, conn := range conns {
				if _, err := conn.Write([]byte{b}); err != nil && conn == conns[0] {
					return
				}
			}
			time.Sleep(time.Second)
		}
	})
}

func (c *crowd) leave() {
	c.mu.Lock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.mu.Unlock()
	c.wg.Wait()
}

// serveOthers lets n clients ask for a while, one request after the other, and returns how many there were and the
// longest wait.
func serveOthers(t *testing.T, addr string, n int, during time.Duration) (requests int, worst time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	end := time.Now().Add(during)
	for range n {
		wg.Go(func() {
			client, err := dialRaw(addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer client.Close()
			for time.Now().Before(end) {
				began := time.Now()
				if got := client.ask("GET", "/", "", ""); got != "200 ok" {
					t.Errorf("a decent client got %q", got)
					return
				}
				mu.Lock()
				requests, worst = requests+1, max(worst, time.Since(began))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return requests, worst
}

// launchPlain starts a pitstop without the race detector, whose memory is worth measuring.
func launchPlain(t *testing.T, engine string) *instance {
	t.Helper()
	in := prepare(t, scriptApp(t, crowdApp), node, engineFlags(engine)...)
	in.cmd.Path = plainBinary()
	in.begin()
	in.await("healthy", func() bool { return in.status("/_pitstop/ready") == http.StatusOK })
	return in
}

var plainBinary = sync.OnceValue(func() string {
	path := filepath.Join(filepath.Dir(binary), "pitstop-plain")
	build := exec.Command("go", "build", "-o", path, "pitstop")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	return path
})

// needFiles skips where so many files cannot be open.
func needFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
	if limit.Cur < n { // Go has raised it to the hard one already
		t.Skipf("%d files may be open, this takes %d", limit.Cur, n)
	}
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is pitstop's resident memory in bytes.
func (in *instance) resident() int {
	in.t.Helper()
	match := residentLine.FindStringSubmatch(read(in.t, fmt.Sprintf("/proc/%d/status", in.cmd.Process.Pid)))
	if match == nil {
		in.t.Skip("no VmRSS here")
	}
	kib, _ := strconv.Atoi(match[1])
	return kib << 10
}
