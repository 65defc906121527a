package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// answer is a response as the client got it.
type answer struct {
	status int
	seen   int  // the number that the app gave the request
	last   bool // it says that the connection ends
}

const (
	patience = 10 * time.Second      // in which an answer comes
	quiet    = 40 * time.Millisecond // after which a client has said all and got all, and ends its side
)

// play sends bytes over a connection of their own, in pieces that end at cuts, and returns the answers.
func play(addr string, m meaning, raw []byte, cuts []int) ([]answer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	wrote := make(chan struct{})
	defer func() { _ = conn.Close(); <-wrote }()
	go func() {
		defer close(wrote)
		from := 0
		for _, to := range append(cuts, len(raw)) {
			if _, err := conn.Write(raw[from:to]); err != nil {
				return // it may be refused before it has been read
			}
			from = to
			if to != len(raw) {
				time.Sleep(500 * time.Microsecond) // so that the pieces arrive as such
			}
		}
	}()
	return hear(conn.(*net.TCPConn), bufio.NewReader(conn), m, wrote)
}

// hear reads answers until the connection ends, or until all that must come have come.
func hear(conn *net.TCPConn, r *bufio.Reader, m meaning, wrote <-chan struct{}) (got []answer, err error) {
	for {
		if len(got) >= len(m.whole) {
			if m.stop == "" {
				return got, nil
			}
			<-wrote
			if err := endMySide(conn, r); err != nil {
				return got, err
			}
		}
		if _, err := r.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
			return got, fmt.Errorf("neither answered nor closed after %d answers", len(got))
		} else if err != nil {
			return got, nil // closed, or reset
		}
		a, err := readAnswer(r, m, len(got))
		if err != nil {
			return got, err
		}
		if a.status >= 200 {
			got = append(got, a)
		}
		if a.last {
			return got, nil
		}
	}
}

// endMySide waits for silence, and shuts the writing side down then.
func endMySide(conn *net.TCPConn, r *bufio.Reader) error {
	_ = conn.SetReadDeadline(time.Now().Add(quiet))
	_, err := r.Peek(1)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = conn.CloseWrite()
	}
	return nil
}

func readAnswer(r *bufio.Reader, m meaning, i int) (answer, error) {
	req := &http.Request{Method: http.MethodGet}
	if i < len(m.whole) {
		req.Method = m.whole[i].method
	} else if m.part != nil {
		req.Method = m.part.method
	}
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return answer{}, fmt.Errorf("answer %d is no response: %w", i, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil && resp.StatusCode < 300 {
		return answer{}, fmt.Errorf("answer %d is cut: %w", i, err)
	}
	seen, _ := strconv.Atoi(resp.Header.Get("X-Seen"))
	return answer{resp.StatusCode, seen, resp.Close}, nil
}
