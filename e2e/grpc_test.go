package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// grpcApp makes a folder with a gRPC server, and the flags to run it with. Its modules stay where they are: to publish them
// would take longer than all the rest.
func grpcApp(t *testing.T) (dir string, flags []string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"server.js", "service.js"} {
		write(t, dir, name, read(t, filepath.Join(grpcDir, name)))
	}
	other := t.TempDir()
	write(t, other, "env", "NODE_PATH="+filepath.Join(grpcDir, "node_modules")+"\n")
	return dir, []string{"--commit", "v1", "--app-protocol", "h2c", "--env-file", filepath.Join(other, "env")}
}

// Real grpc-js on both ends: calls of all four kinds, metadata, deadlines, cancellation, compression, and a client that is slow.
func TestGRPC_CallsOfEveryKindPass(t *testing.T) {
	t.Parallel()
	for _, connect := range []string{"unix", "tcp"} {
		t.Run(connect, func(t *testing.T) {
			t.Parallel()
			dir, flags := grpcApp(t)
			in := launch(t, dir, node, append(flags, "--connect", connect)...)
			if addr, _ := in.statusField("app", "address").(string); strings.HasPrefix(addr, "unix:") != (connect == "unix") {
				t.Errorf("the app is reached at %q", addr)
			}
			check := exec.CommandContext(t.Context(), "node", "client.js", in.addr, "check")
			check.Dir = grpcDir
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// Promise 1 for gRPC: with calls and streams of all kinds under way, none is lost, and none has two servers.
func TestGRPC_AReloadLosesNoCallAndNoStream(t *testing.T) {
	t.Parallel()
	for _, strategy := range []string{"overlap", "in-place"} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			dir, flags := grpcApp(t)
			in := launch(t, dir, node, append(flags, "--strategy", strategy, "--settle", "100ms")...)
			in.publish(dir, "v2")
			calls := startCalls(t, in.addr)
			for i := range 4 {
				in.mustReload([]string{"v2", "v1"}[i%2])
			}
			told := calls.end()
			if len(told.Lost) > 0 || told.Mixed > 0 || told.Unary == 0 || told.Streams == 0 || told.Commits["v1"] == 0 || told.Commits["v2"] == 0 {
				t.Errorf("%+v", told)
			}
			t.Logf("%+v", told)
		})
	}
}

func TestGRPC_AReadyPathIsAskedByHTTP2(t *testing.T) {
	t.Parallel()
	dir := scriptApp(t, `
		const server = require('node:http2').createServer()
		server.on('stream', (stream, headers) => {
			stream.respond({':status': headers[':path'] === '/healthz' ? 204 : 200})
			stream.end()
		})
		server.listen(process.env.PORT)`)
	in := launch(t, dir, node, "--app-protocol", "h2c", "--ready-path", "/healthz")
	if status := in.status("/"); status != 200 { // HTTP/1.1 from the client, HTTP/2 to the app
		t.Errorf("%d", status)
	}
}

// calls is a client that calls in all ways at once.
type calls struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

// told is what it says at its end.
type told struct {
	Unary, Streams, Mixed int
	Commits               map[string]int
	Lost                  []string
}

func startCalls(t *testing.T, addr string) *calls {
	t.Helper()
	c := &calls{t: t, cmd: exec.Command("node", "client.js", addr, "load")}
	c.cmd.Dir, c.cmd.Stderr = grpcDir, os.Stderr
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	c.stdin, c.out = stdin, bufio.NewReader(stdout)
	if line, err := c.out.ReadString('\n'); line != "begun\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return c
}

func (c *calls) end() told {
	c.t.Helper()
	_ = c.stdin.Close()
	line, err := c.out.ReadString('\n')
	var answer told
	if err == nil {
		err = json.Unmarshal([]byte(line), &answer)
	}
	if err != nil {
		c.t.Fatalf("%q: %v", line, err)
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Error(err)
	}
	return answer
}
