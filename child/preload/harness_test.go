package preload

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience bounds what should take a moment; the machine may be busy.
const patience = 60 * time.Second

// node is one version of Node.
type node struct {
	path, version string
	major         int
}

// findNodes finds the machine's own Node, first, and those of testdata/nodes, each version once.
var findNodes = sync.OnceValues(func() (all []node, err error) {
	own, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	paths, _ := filepath.Glob("testdata/nodes/node_modules/*/bin/node")
	for _, path := range append([]string{own}, paths...) {
		path, _ = filepath.Abs(path)
		out, err := exec.Command(path, "--version").Output()
		if err != nil {
			return nil, fmt.Errorf("%s --version: %w", path, err)
		}
		n := node{path: path, version: strings.TrimSpace(string(out))}
		_, _ = fmt.Sscanf(n.version, "v%d.", &n.major)
		if !slices.ContainsFunc(all, func(o node) bool { return o.version == n.version }) {
			all = append(all, n)
		}
	}
	return all, nil
})

// allNodes are the machine's own Node first, and every other version that is installed.
func allNodes(t *testing.T) []node {
	t.Helper()
	needApps(t)
	all, err := findNodes()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func ownNode(t *testing.T) []node { return allNodes(t)[:1] }

// eachNode runs a test on each version, whose names the log then shows.
func eachNode(t *testing.T, nodes []node, test func(t *testing.T, n node)) {
	for _, n := range nodes {
		t.Run(n.version, func(t *testing.T) {
			t.Parallel()
			test(t, n)
		})
	}
}

func needApps(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("testdata/apps/node_modules"); err != nil {
		t.Fatal("testdata/apps/node_modules is missing: run make test, which installs it")
	}
	apps, _ := filepath.Glob("testdata/apps/*.?js")
	for _, app := range apps {
		_, _ = os.ReadFile(app) // so that go test knows that its result depends on them
	}
}

func app(name string) string {
	path, _ := filepath.Abs(filepath.Join("testdata/apps", name))
	return path
}

// generation plays pitstop: it has the folder and reads the FIFO.
type generation struct {
	t    *testing.T
	dir  string
	file string // the preload, as pitstop writes it
	port int
	fifo *os.File

	mu      sync.Mutex
	events  []Event
	changed chan struct{} // closed and made anew at each event
}

func newGeneration(t *testing.T, port int) *generation {
	t.Helper()
	g := newMuteGeneration(t, port)
	g.read()
	return g
}

// newMuteGeneration does not read its FIFO yet.
func newMuteGeneration(t *testing.T, port int) *generation {
	t.Helper()
	dir, err := os.MkdirTemp("", "gen") // t.TempDir would be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(t.TempDir(), "preload.cjs")
	if err := os.WriteFile(file, Source(), 0o600); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, FIFO)
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(fifo, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return &generation{t: t, dir: dir, file: file, port: port, fifo: f, changed: make(chan struct{})}
}

func (g *generation) read() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(g.fifo)
		for lines.Scan() {
			e, err := Parse(lines.Bytes())
			if err != nil {
				g.t.Error(err)
				continue
			}
			g.mu.Lock()
			g.events = append(g.events, e)
			close(g.changed)
			g.changed = make(chan struct{})
			g.mu.Unlock()
		}
	}()
	g.t.Cleanup(func() { _ = g.fifo.Close(); <-done })
}

// await waits for the first event of a kind that matches.
func await[E Event](g *generation, match func(E) bool) E {
	g.t.Helper()
	deadline := time.After(patience)
	for {
		g.mu.Lock()
		events, changed := g.events, g.changed
		g.mu.Unlock()
		for _, e := range events {
			if e, ok := e.(E); ok && match(e) {
				return e
			}
		}
		select {
		case <-changed:
		case <-deadline:
			g.t.Fatalf("no such %T in %+v", *new(E), events)
		}
	}
}

// told lists what has been told of a kind so far.
func told[E Event](g *generation) (all []E) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.events {
		if e, ok := e.(E); ok {
			all = append(all, e)
		}
	}
	return all
}

func by(pid int) func(Listening) bool { return func(e Listening) bool { return e.PID == pid } }

func (g *generation) env() []string {
	return []string{
		"NODE_OPTIONS=--require=" + g.file, "PORT=" + strconv.Itoa(g.port),
		GenerationDirEnv + "=" + g.dir, AppPortEnv + "=" + strconv.Itoa(g.port),
	}
}

// process is a Node process, or one that starts some.
type process struct {
	*exec.Cmd
	out    bytes.Buffer
	exited chan struct{}
}

func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	return startIn(t, "testdata/apps", env, name, args...)
}

func startIn(t *testing.T, dir string, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(name, args...), exited: make(chan struct{})}
	p.Dir = dir
	p.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "npm_config_update_notifier=false"}, env...)
	p.Stdout, p.Stderr = &p.out, &p.out
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.WaitDelay = time.Second
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait()
		close(p.exited)
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
	<-p.exited
}

// end waits until it has exited by itself, and returns what it wrote and its code.
func (p *process) end(t *testing.T) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-p.exited:
		return p.out.String(), p.ProcessState.ExitCode()
	case <-ctx.Done():
		p.kill()
		t.Fatalf("still running after %v, having said:\n%s", patience, p.out.String())
		return "", 0
	}
}

var lastPort atomic.Int32

// freePort is below those that the system gives to clients, which a neighbour's test may have at any moment. Port
// probers try those that follow, so each is twenty from the next.
func freePort(t *testing.T) int {
	t.Helper()
	for range 500 {
		port := 20000 + (os.Getpid()*37+20*int(lastPort.Add(1)))%10000
		if fd, err := bind(port); err == nil {
			_ = syscall.Close(fd)
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// occupy keeps everybody from listening on a TCP port, without answering there itself.
func occupy(t *testing.T, port int) {
	t.Helper()
	fd, err := bind(port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
}

// bind takes a port on all addresses, not even shared with connections that linger as net.Listen would.
func bind(port int) (fd int, err error) {
	fd, err = syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil { // a machine without IPv6
		if fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0); err == nil {
			err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: port})
		}
	} else if err = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0); err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet6{Port: port})
	}
	if err != nil && fd >= 0 {
		_ = syscall.Close(fd)
	}
	return fd, err
}
