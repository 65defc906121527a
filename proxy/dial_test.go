package proxy

import (
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"pitstop/drain"
)

func TestDialBackend_DialsNobodyWhoIsGone(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // as the next child might, on the same port
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	gate := drain.New(drain.Bounds{})
	b := gate.NewBackend(ln.Addr().String())
	gate.Remove(b)
	if _, err := DialBackend(t.Context(), b); !errors.Is(err, ErrPoolClosed) {
		t.Errorf("dialled: %v", err)
	}
}

// A backlog that is full for a moment is no failure.
func TestDialBackend_DialsAgainWhileTheBacklogIsFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	backend := drain.New(drain.Bounds{}).NewBackend("unix:" + path)
	first, err := DialBackend(t.Context(), backend) // the one that the backlog takes
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second := make(chan error, 1)
	go func() {
		conn, err := DialBackend(t.Context(), backend)
		if err == nil {
			_ = conn.Close()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatalf("the second was not made to wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	accepted, _, err := syscall.Accept(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(accepted)
	if err := <-second; err != nil {
		t.Error(err)
	}
}
