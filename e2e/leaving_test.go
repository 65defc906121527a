package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// countingApp answers after ?ms with ?size bytes, and counts whom it has, had and lost at /counts.
const countingApp = `
	const http = require('node:http')
	const counts = { open: 0, done: 0, gone: 0 }
	http.createServer((req, res) => {
		const url = new URL(req.url, 'http://x')
		if (url.pathname === '/counts') return res.end(JSON.stringify(counts))
		counts.open++
		res.on('close', () => { counts.open--; counts[res.writableFinished ? 'done' : 'gone']++ })
		req.on('error', () => {})
		req.resume()
		req.on('end', () => setTimeout(() => {
			if (res.destroyed) return
			res.end('x'.repeat(Number(url.searchParams.get('size')) || 10))
		}, Number(url.searchParams.get('ms')) || 0))
	}).listen(process.env.PORT)`

// leaving are the ways to leave.
var leaving = map[string]func(*net.TCPConn){
	"by closing":   func(c *net.TCPConn) { _ = c.Close() },
	"by a reset":   func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
	"half, to end": func(c *net.TCPConn) { _ = c.CloseWrite(); drainConn(c) },
}

func drainConn(c *net.TCPConn) {
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.Copy(io.Discard, c)
	_ = c.Close()
}

// Clients that leave anywhere in a request or a response leave nothing behind: no visit, no connection, and the app hears
// that they are gone.
func TestClients_LeaveNothingBehind(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launch(t, scriptApp(t, countingApp), node, engineFlags(engine)...)
		in.counts()
		before := in.openFiles()
		requests := []string{
			"GET /?ms=20&size=40000 HTTP/1.1\r\nHost: app.example\r\nX-A: 1\r\n\r\n",
			"POST /?ms=20 HTTP/1.1\r\nHost: app.example\r\nContent-Length: 20\r\n\r\n01234567890123456789",
			"POST /?ms=20 HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n5;x=y\r\nabcde\r\n0\r\nX-Sum: 1\r\n\r\n",
			"POST /?ms=20 HTTP/1.1\r\nHost: app.example\r\nContent-Length: 200000\r\n\r\n" + strings.Repeat("x", 100),
		}
		var leavers sync.WaitGroup
		for _, leave := range leaving {
			for _, request := range requests {
				leavers.Go(func() { leaveEverywhere(t, in.addr, request, leave) })
			}
			leavers.Go(func() { leaveResponses(t, in.addr, leave) })
		}
		leavers.Wait()
		in.awaitNobody()
		in.await("the app has nobody", func() bool { return in.counts()["open"] == 0 })
		in.await(fmt.Sprintf("no more open files than %d", before), func() bool { return in.openFiles() <= before+2 })
		t.Logf("the app's counts: %v", in.counts())
	})
}

// leaveEverywhere leaves after each byte of a request.
func leaveEverywhere(t *testing.T, addr, request string, leave func(*net.TCPConn)) {
	for n := range len(request) + 1 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, request[:n])
		leave(conn.(*net.TCPConn))
	}
}

// leaveResponses leaves after each byte of a response's head, and then in larger steps.
func leaveResponses(t *testing.T, addr string, leave func(*net.TCPConn)) {
	step := 1
	for n := 0; n < 3_000_000; n += step {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "GET /?size=3000000 HTTP/1.1\r\nHost: app.example\r\n\r\n")
		_, _ = io.CopyN(io.Discard, conn, int64(n))
		leave(conn.(*net.TCPConn))
		if n > 130 {
			step = 300_007
		}
	}
}

// While the app works, it hears of a client that leaves within a few seconds, and the visit ends.
func TestClients_TheAppHearsThatOneIsGone(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launch(t, scriptApp(t, countingApp), node, engineFlags(engine)...)
		for name, leave := range leaving {
			if strings.HasPrefix(name, "half") {
				continue // that one waits for its answer
			}
			for _, request := range []string{
				"GET /?ms=60000 HTTP/1.1\r\nHost: app.example\r\n\r\n",
				"POST /?ms=60000 HTTP/1.1\r\nHost: app.example\r\nContent-Length: 3\r\n\r\nabc",
				"POST /?ms=60000 HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
				"POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 1000000\r\n\r\nabc",
				"POST / HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
			} {
				conn, err := net.Dial("tcp", in.addr)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.WriteString(conn, request)
				in.await("the app has it", func() bool { return in.counts()["open"] == 1 })
				left := time.Now()
				leave(conn.(*net.TCPConn))
				in.await("the app hears of it: "+name+", "+request, func() bool { return in.counts()["open"] == 0 })
				if took := time.Since(left); took > 5*time.Second {
					t.Errorf("%s: the app heard of it after %s: %q", name, took, request)
				}
			}
		}
		in.awaitNobody()
	})
}

// A client that has ended its side, and only that, gets its answer. To net/http it is gone.
func TestClients_HalfClosedGetTheirAnswer(t *testing.T) {
	t.Parallel()
	in := launch(t, scriptApp(t, countingApp), node, engineFlags(lean)...)
	for _, request := range []string{
		"GET /?ms=300&size=100 HTTP/1.1\r\nHost: app.example\r\n\r\n",
		"POST /?ms=300&size=100 HTTP/1.1\r\nHost: app.example\r\nContent-Length: 3\r\n\r\nabc",
		"POST /?ms=300&size=100 HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	} {
		client, err := dialRaw(in.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		_, _ = io.WriteString(client, request)
		_ = client.Conn.(*net.TCPConn).CloseWrite()
		_ = client.SetDeadline(time.Now().Add(20 * time.Second))
		resp, err := http.ReadResponse(client.r, nil)
		if err != nil {
			t.Errorf("%q: %v", request, err)
			continue
		}
		if got := client.outcome(resp); got != "200 "+strings.Repeat("x", 100) {
			t.Errorf("%q got %q", request, got)
		}
	}
}

// counts asks the app.
func (in *instance) counts() map[string]int {
	in.t.Helper()
	resp, err := http.Get("http://" + in.addr + "/counts")
	if err != nil {
		in.t.Fatal(err)
	}
	defer resp.Body.Close()
	var counts map[string]int
	if err := json.NewDecoder(resp.Body).Decode(&counts); err != nil {
		in.t.Fatal(err)
	}
	return counts
}

// openFiles counts those of pitstop.
func (in *instance) openFiles() int {
	in.t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", in.cmd.Process.Pid))
	if err != nil {
		in.t.Skipf("open files cannot be counted here: %v", err)
	}
	return len(files)
}
