// Package e2e runs the whole binary against real Node, with real clients.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Set by TestMain, never changed.
var (
	binary  string // pitstop, built with the race detector
	grpcurl string
	h2spec  string
	appDir  string // the example app, with its node_modules
	grpcDir string // a gRPC app and its client, with theirs
)

func TestMain(m *testing.M) {
	if os.Getenv("PLAY_SERVER") != "" {
		playServer()
	}
	os.Exit(runTests(m))
}

// playServer is an app that is no Node: it listens on its port itself.
func playServer() {
	err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"commit":%q}`, os.Getenv("PITSTOP_COMMIT"))
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func runTests(m *testing.M) int {
	root, err := filepath.Abs("..")
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "pitstop-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "pitstop")
	build := exec.Command("go", "build", "-race", "-o", binary, "pitstop")
	build.Dir, build.Stderr = root, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build pitstop:", err)
		return 1
	}
	grpcurl = filepath.Join(root, ".tools", "bin", "grpcurl")
	h2spec = filepath.Join(root, ".tools", "bin", "h2spec")
	appDir = filepath.Join(root, "examples", "node-app")
	grpcDir = filepath.Join(root, "e2e", "testdata", "grpc")
	for _, path := range []string{grpcurl, h2spec, filepath.Join(appDir, "node_modules", "express"), filepath.Join(grpcDir, "node_modules", "@grpc")} {
		if _, err := os.Stat(path); err != nil {
			fmt.Fprintf(os.Stderr, "%s is missing: run the tests with make test, which installs it\n", path)
			return 1
		}
	}
	return m.Run()
}

// instance is a running pitstop.
type instance struct {
	t                      *testing.T
	cmd                    *exec.Cmd
	addr, control, appPort string
	store, releaseDir      string
	stdout, stderr         string // files
	exited                 chan struct{}
}

// launch starts pitstop in dir with a command and flags, and waits until it is healthy.
func launch(t *testing.T, dir string, command []string, flags ...string) *instance {
	t.Helper()
	in := start(t, dir, command, flags...)
	in.await("healthy", func() bool { return in.status("/_pitstop/ready") == http.StatusOK })
	return in
}

// start starts pitstop and waits for nothing.
func start(t *testing.T, dir string, command []string, flags ...string) *instance {
	t.Helper()
	in := prepare(t, dir, command, flags...)
	in.begin()
	return in
}

// prepare makes an instance that begins later.
func prepare(t *testing.T, dir string, command []string, flags ...string) *instance {
	t.Helper()
	tmp := t.TempDir()
	ports := freePorts(t, 3)
	in := &instance{
		t: t, addr: "127.0.0.1:" + ports[0], control: "127.0.0.1:" + ports[1], appPort: ports[2],
		store: filepath.Join(tmp, "store"), releaseDir: filepath.Join(tmp, "releases"),
		stdout: filepath.Join(tmp, "stdout"), stderr: filepath.Join(tmp, "stderr"), exited: make(chan struct{}),
	}
	if err := os.MkdirAll(in.store, 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "--listen", in.addr, "--control", in.control, "--app-port", in.appPort,
		"--releases", in.store, "--release-dir", in.releaseDir, "--lame-duck", "100ms", "--log-format", "text"}
	in.cmd = exec.Command(binary, append(append(append(args, flags...), "--"), command...)...)
	in.cmd.Dir = dir
	in.cmd.Stdout, in.cmd.Stderr = create(t, in.stdout), create(t, in.stderr)
	return in
}

func (in *instance) begin() {
	t := in.t
	t.Helper()
	if err := in.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = in.cmd.Wait(); close(in.exited) }()
	t.Cleanup(func() {
		_ = in.cmd.Process.Kill()
		<-in.exited
		if t.Failed() {
			t.Logf("pitstop's log:\n%s", tail(read(t, in.stderr), 60))
		}
		if races := read(t, in.stderr); strings.Contains(races, "DATA RACE") {
			t.Errorf("data race:\n%s", races)
		}
	})
}

// terminate sends SIGTERM and returns the exit code.
func (in *instance) terminate() int {
	in.t.Helper()
	if err := in.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		in.t.Fatal(err)
	}
	return in.wait()
}

// wait returns the exit code once pitstop has ended.
func (in *instance) wait() int {
	in.t.Helper()
	select {
	case <-in.exited:
	case <-time.After(time.Minute):
		in.t.Fatal("pitstop does not end")
	}
	return in.cmd.ProcessState.ExitCode()
}

// publish stores a folder as a release, with the binary.
func (in *instance) publish(dir, commit string) {
	in.t.Helper()
	if out, code := pitstop(in.t, "publish", dir, "--commit", commit, "--releases", in.store); code != 0 {
		in.t.Fatalf("publish %s: %s", commit, out)
	}
}

// reload calls Reload with grpcurl; the error is what grpcurl says.
func (in *instance) reload(request string) (map[string]any, error) {
	cmd := exec.Command(grpcurl, "-plaintext", "-emit-defaults", "-d", request, in.control, "pitstop.v1.Control/Reload")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New(strings.TrimSpace(stderr.String()))
	}
	var resp map[string]any
	if err := json.Unmarshal(out, &resp); err != nil {
		return nil, fmt.Errorf("grpcurl printed %q: %w", out, err)
	}
	return resp, nil
}

func (in *instance) mustReload(commit string) {
	in.t.Helper()
	if _, err := in.reload(fmt.Sprintf(`{"commit":%q}`, commit)); err != nil {
		in.t.Fatalf("reload to %s: %v", commit, err)
	}
}

// mustFail reloads and checks that the error has this code and says all of these things.
func (in *instance) mustFail(request, code string, says ...string) {
	in.t.Helper()
	_, err := in.reload(request)
	if err == nil {
		in.t.Errorf("reload %s succeeded, want %s", request, code)
		return
	}
	for _, want := range append([]string{"Code: " + code}, says...) {
		if !strings.Contains(err.Error(), want) {
			in.t.Errorf("reload %s says\n%v\nand not %q", request, err, want)
		}
	}
}

// commit asks the app what it runs.
func (in *instance) commit() string {
	in.t.Helper()
	resp, err := http.Get("http://" + in.addr + "/")
	if err != nil {
		in.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Commit string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		in.t.Fatal(err)
	}
	return answer.Commit
}

// statusField is a field of what the Status call answers, asked with grpcurl; nil if it is not there.
func (in *instance) statusField(path ...string) any {
	in.t.Helper()
	out, err := exec.Command(grpcurl, "-plaintext", "-emit-defaults", in.control, "pitstop.v1.Control/Status").Output()
	if err != nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(out, &v); err != nil {
		in.t.Fatalf("status %q: %v", out, err)
	}
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
		if v == nil { // grpcurl writes names as JSON does
			v = m[camel(name)]
		}
	}
	return v
}

func camel(name string) string {
	head, tail, ok := strings.Cut(name, "_")
	if !ok || tail == "" {
		return name
	}
	return head + strings.ToUpper(tail[:1]) + tail[1:]
}

// status asks for a path and returns the status, 0 if there is no answer.
func (in *instance) status(path string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+in.addr+path, nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// await waits for a condition; what it waits for is the world outside, so it asks again and again.
func (in *instance) await(what string, ok func() bool) {
	in.t.Helper()
	in.awaitFor(30*time.Second, what, ok)
}

func (in *instance) awaitFor(patience time.Duration, what string, ok func() bool) {
	in.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		select {
		case <-in.exited:
			in.t.Fatalf("pitstop ended while waiting for: %s\n%s", what, read(in.t, in.stderr))
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			in.t.Fatalf("waited in vain for: %s\n%s", what, read(in.t, in.stderr))
		}
	}
}

// pitstop runs the binary to its end.
func pitstop(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// exampleApp makes a folder with the example app at a commit.
func exampleApp(t *testing.T, commit string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(appDir)); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "commit.txt", commit+"\n")
	return dir
}

// scriptApp makes a folder with a server.js of this content.
func scriptApp(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "server.js", script)
	return dir
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func create(t *testing.T, file string) *os.File {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// freePorts returns ports that were free a moment ago, all different.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		ports = append(ports, port)
	}
	return ports
}
