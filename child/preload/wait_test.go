package preload

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// order names all but beats in the order of their coming.
func order(g *generation) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var names []string
	for _, e := range g.events {
		if _, ok := e.(Beat); !ok {
			names = append(names, strings.TrimPrefix(fmt.Sprintf("%T", e), "preload."))
		}
	}
	return strings.Join(names, " ")
}

// get asks over a unix socket, as pitstop does, and wants 200.

func get(t *testing.T, socket, path string) string {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://app"+path, nil)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return string(body)
}

func staysTCP(t *testing.T, g *generation, env []string) {
	t.Helper()
	start(t, env, "node", "listen.cjs", strconv.Itoa(g.port))
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(g.port))
	waitFor(t, func() bool { return answers("tcp", addr) })
	if all := told[Listening](g); len(all) > 0 {
		t.Errorf("told %+v", all)
	}
}

func answers(network, addr string) bool {
	conn, err := net.Dial(network, addr)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// waitFor polls what nobody tells.

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it never came")
		}
	}
}

// fill writes lines into the FIFO until no more go in.

func fill(t *testing.T, g *generation) {
	t.Helper()
	line := append(bytes.Repeat([]byte(" "), 900), `{"event":"beat","lag_ms":0,"pid":1}`+"\n"...)
	fd, err := syscall.Open(filepath.Join(g.dir, FIFO), syscall.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	for err == nil {
		_, err = syscall.Write(fd, line)
	}
	for err = nil; err == nil; {
		_, err = syscall.Write(fd, []byte(" ")) // the last line's rest: a short line of the app would still fit
	}
}
