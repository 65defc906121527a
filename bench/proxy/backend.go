package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"pitstop/child/preload"
)

// backendVerb makes this program the fast app.
const backendVerb = "backend"

const headerEnd = "\r\n\r\n"

// serveBackend answers as the Node app does, byte for byte where it can, at a tenth of its cost: it looks at no more
// of a request than its method, its path and its length. It returns when it cannot listen.
func serveBackend() error {
	listeners, err := listenLikeNode()
	if err != nil {
		return err
	}
	failed := make(chan error)
	for _, ln := range listeners {
		go func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					failed <- err
					return
				}
				go serveConn(conn)
			}
		}()
	}
	return <-failed
}

// listenLikeNode listens on PORT and SOCKET. Under pitstop it does what the file preloaded into Node does: it listens on
// a socket in the generation's folder instead, and announces that.
func listenLikeNode() (all []net.Listener, err error) {
	if dir := os.Getenv(preload.GenerationDirEnv); dir != "" {
		socket := filepath.Join(dir, "127.0.0.1.sock")
		ln, err := net.Listen("unix", socket)
		if err != nil {
			return nil, err
		}
		events, err := os.OpenFile(filepath.Join(dir, preload.FIFO), os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		defer events.Close()
		_, err = fmt.Fprintf(events, "{\"event\":\"listening\",\"socket\":%q,\"pid\":%d}\n", socket, os.Getpid())
		return []net.Listener{ln}, err
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		return nil, err
	}
	socket := os.Getenv("SOCKET")
	if socket == "" {
		return []net.Listener{tcp}, nil
	}
	unix, err := net.Listen("unix", socket)
	return []net.Listener{tcp, unix}, err
}

var (
	hello = answer([]byte("Hello, World!"))
	large = answer(bytes.Repeat([]byte("x"), mebibyte))
)

func answer(body []byte) []byte {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\n"+
		"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n", len(body))
	return append([]byte(head), body...)
}

// serveConn serves one connection until the client closes it, or does what this server does not know: then it is cut,
// which the load counts as an error.
func serveConn(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 64<<10)
	for n := 0; ; {
		m, err := conn.Read(buf[n:])
		if err != nil {
			return
		}
		n += m
		head, body, whole := bytes.Cut(buf[:n], []byte(headerEnd))
		if !whole {
			continue
		}
		length, known := contentLength(head)
		if !known || !sink(conn, buf, length-len(body)) {
			return
		}
		if _, err := conn.Write(answerTo(head, length)); err != nil {
			return
		}
		n = 0 // nobody here sends a request before the answer to the last
	}
}

func answerTo(head []byte, length int) []byte {
	switch {
	case bytes.HasPrefix(head, []byte("POST ")):
		return answer(strconv.AppendInt(nil, int64(length), 10))
	case bytes.HasPrefix(head, []byte("GET /large ")):
		return large
	default:
		return hello
	}
}

// contentLength is 0 without the field. A chunked body is not known.
func contentLength(head []byte) (n int, known bool) {
	lower := bytes.ToLower(head)
	if bytes.Contains(lower, []byte("\r\ntransfer-encoding:")) {
		return 0, false
	}
	_, value, found := bytes.Cut(lower, []byte("\r\ncontent-length:"))
	if !found {
		return 0, true
	}
	value, _, _ = bytes.Cut(value, []byte("\r\n"))
	n, err := strconv.Atoi(string(bytes.TrimSpace(value)))
	return n, err == nil
}

// sink reads n bytes and forgets them.
func sink(conn net.Conn, buf []byte, n int) bool {
	for n > 0 {
		m, err := conn.Read(buf[:min(n, len(buf))])
		if err != nil {
			return false
		}
		n -= m
	}
	return n == 0
}
