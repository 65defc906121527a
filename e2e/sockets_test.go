package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// launchSockets starts an app with ws.
func launchSockets(t *testing.T, engine string, flags ...string) *instance {
	t.Helper()
	dir := exampleApp(t, "v1")
	write(t, dir, "server.js", read(t, "testdata/sockets-app.js"))
	return launch(t, dir, node, engineFlags(engine, append(flags, "--commit", "v1")...)...)
}

// socketsClient is the other end, in Node.
func socketsClient(t *testing.T, addr string, args ...string) *exec.Cmd {
	t.Helper()
	script := filepath.Join("testdata", "sockets-client.js")
	return exec.CommandContext(t.Context(), "node", append([]string{script, filepath.Join(appDir, "node_modules"), "ws://" + addr + "/"}, args...)...)
}

// A WebSocket through pitstop is as without it: sizes, fragments, pings, compression, and how it is closed.
func TestSockets_AreAsWithoutPitstop(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launchSockets(t, engine)
		if out, err := socketsClient(t, in.addr, "check").CombinedOutput(); err != nil || !strings.Contains(string(out), `"checks":10`) {
			t.Errorf("%v\n%s", err, out)
		}
		in.awaitNobody()
	})
}

// socketEnd is how a socket of the client ended.
type socketEnd struct {
	Socket int
	Errors []string
	Heard  int
	Code   int
	Reason string
	At     float64 // ms
}

// A reload ends the open WebSockets, in the middle of their talk: lean with a close frame of code 1012 (service restart)
// between two frames, and not all at once; std cuts them.
func TestSockets_AReloadClosesThem(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, strategy := range []string{"in-place", "overlap"} {
			t.Run(strategy, func(t *testing.T) {
				in := launchSockets(t, engine, "--strategy", strategy, "--stream-drain-timeout", "1s", "--settle", "0s")
				in.publish(in.cmd.Dir, "v2")
				const many = 100
				client := socketsClient(t, in.addr, "hold", "100")
				ends := holdSockets(t, client)
				in.mustReload("v2")
				got := <-ends
				if len(got) != many {
					t.Fatalf("%d sockets, want %d", len(got), many)
				}
				checkEnds(t, engine, got)
				in.awaitNobody()
			})
		}
	})
}

// holdSockets waits until all are open, and returns how they end.
func holdSockets(t *testing.T, client *exec.Cmd) <-chan []socketEnd {
	t.Helper()
	stdout, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	client.Stderr = create(t, filepath.Join(t.TempDir(), "stderr"))
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("the client says %q, %v", line, err)
	}
	ends := make(chan []socketEnd, 1)
	go func() {
		defer close(ends)
		var got []socketEnd
		rest, _ := io.ReadAll(lines)
		_ = client.Wait()
		if err := json.Unmarshal(rest, &got); err != nil {
			t.Errorf("the client says %q: %v", rest, err)
		}
		ends <- got
	}()
	return ends
}

func checkEnds(t *testing.T, engine string, ends []socketEnd) {
	t.Helper()
	want := 1012
	if engine == std {
		want = 1006 // no close frame
	}
	var at []float64
	for _, e := range ends {
		if e.Code != want || e.Heard == 0 || len(e.Errors) > 0 && engine == lean {
			t.Errorf("socket %d ended with %d %q after %d messages, errors %v", e.Socket, e.Code, e.Reason, e.Heard, e.Errors)
		}
		at = append(at, e.At)
	}
	spread := time.Duration((slices.Max(at) - slices.Min(at)) * float64(time.Millisecond))
	t.Logf("%d sockets ended within %s", len(ends), spread)
	if engine == lean && spread < 20*time.Millisecond {
		t.Errorf("they all ended within %s", spread)
	}
}
