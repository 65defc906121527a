package e2e

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// politeApp says which commit it is, and ends by a code of its own.
const politeApp = `
	require('node:http').createServer((req, res) => res.end(JSON.stringify({commit: process.env.PITSTOP_COMMIT}))).listen(process.env.PORT)
	process.on('SIGTERM', () => process.exit(7))`

// endAtOnce keeps the race detector from letting goroutines run on for a second after the end.
const endAtOnce = "GORACE=atexit_sleep_ms=0"

func TestLog_AReaderThatIsStuckStallsNothing(t *testing.T) {
	t.Parallel()
	in, _ := withFullStderr(t)
	began := time.Now()
	if code := in.terminate(); code != 7 {
		t.Errorf("exit code %d, want the app's own 7", code)
	}
	if took := time.Since(began); took > 8*time.Second { // the lame duck, the app's end, two seconds for the log, a busy machine
		t.Errorf("the end took %v", took)
	}
}

func TestLog_AReaderThatWakesUpGetsAllUntilTheLastLine(t *testing.T) {
	t.Parallel()
	in, pipe := withFullStderr(t)
	_ = in.cmd.Process.Signal(syscall.SIGTERM)
	in.await("all is over but the log", func() bool {
		conn, err := net.Dial("tcp", in.control)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	select {
	case <-in.exited:
		t.Error("it did not wait for its log")
	case <-time.After(500 * time.Millisecond): // well within what it waits
	}
	all, _ := io.ReadAll(pipe)
	if code := in.wait(); code != 7 {
		t.Errorf("exit code %d, want the app's own 7", code)
	}
	log, from := string(all), 0
	for _, line := range []string{"starting", "commit=v2", "asked to end", "ended: exit_code=7\n"} {
		at := strings.Index(log[from:], line)
		if at < 0 {
			t.Fatalf("%q is not in its place in\n%s", line, log)
		}
		from += at
	}
}

func TestLog_EndsWithItsLastLine(t *testing.T) {
	t.Parallel()
	in := prepare(t, scriptApp(t, politeApp), node, "--commit", "v1")
	in.cmd.Env = append(os.Environ(), endAtOnce)
	in.begin()
	in.await("healthy", func() bool { return in.status("/_pitstop/ready") == http.StatusOK })
	in.terminate()
	if log := read(t, in.stderr); !strings.HasSuffix(log, "ended: exit_code=7\n") {
		t.Errorf("the log's end is\n%s", tail(log, 5))
	}
}

// withFullStderr starts pitstop with a small pipe as stderr that has no room from the beginning, and reloads it.
func withFullStderr(t *testing.T) (in *instance, pipe *os.File) {
	t.Helper()
	app := scriptApp(t, politeApp)
	in = prepare(t, app, node, "--commit", "v1", "--settle", "100ms", "--log-level", "trace")
	in.publish(app, "v2")
	pipe, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pipe.Close() })
	size, err := unix.FcntlInt(stderr.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stderr.WriteString(strings.Repeat("x", size)); err != nil {
		t.Fatal(err)
	}
	in.cmd.Stderr, in.cmd.Env = stderr, append(os.Environ(), endAtOnce)
	in.begin()
	_ = stderr.Close()
	in.await("healthy", func() bool { return in.status("/_pitstop/ready") == http.StatusOK })
	in.mustReload("v2")
	if commit := in.commit(); commit != "v2" {
		t.Errorf("%q serves", commit)
	}
	return in, pipe
}
