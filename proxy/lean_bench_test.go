package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/drain"
)

// One small GET over a connection that is kept, through the whole engine and real sockets. Client and app are made to
// allocate nothing, so that what is allocated is the engine's.
func BenchmarkLean_SmallGET(b *testing.B) {
	gate := drain.New(drain.Bounds{Timeout: time.Minute, Max: 1000, Bytes: 1 << 20})
	e := NewLean(Config{
		Gate: gate, Health: func() error { return nil }, Forwarded: ForwardedAuto, IdleTimeout: time.Minute, Logger: hclog.NewNullLogger(),
		Limits: Limits{Head: 64 << 10, Target: 16 << 10, Fields: 200, HeadTime: time.Minute, BodyTime: time.Minute}, ReplayBuffer: 64 << 10, ReplayMemory: 1 << 20,
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = e.Serve(b.Context(), ln) }()
	gate.Serve(gate.NewBackend("unix:" + answering(b)))
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	request := []byte("GET /hello?x=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n\r\n")
	buf := make([]byte, 4096)
	exchange := func() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if n, err := conn.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("hello world")) {
			b.Fatalf("%q, %v", buf[:n], err)
		}
	}
	exchange()
	b.ReportAllocs()
	for b.Loop() {
		exchange()
	}
}

// answering is an app that answers each head with the same bytes; it returns its socket's path.
func answering(b *testing.B) string {
	dir, err := os.MkdirTemp("", "lean")
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ln.Close(); _ = os.RemoveAll(dir) })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go answer(conn)
		}
	}()
	return path
}

func answer(conn net.Conn) {
	r := bufio.NewReaderSize(conn, 8192)
	response := []byte("HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 23:32:28 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 11\r\n\r\nhello world")
	for {
		line, err := r.ReadSlice('\n')
		if err == io.EOF || err != nil {
			return
		}
		if len(line) == 2 {
			if _, err := conn.Write(response); err != nil {
				return
			}
		}
	}
}
