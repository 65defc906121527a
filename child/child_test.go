package child

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// children are the parts that the test binary plays when TEST_CHILD names one.
var children = map[string]func(){
	"exit":   func() { code, _ := strconv.Atoi(os.Getenv("CODE")); os.Exit(code) },
	"killed": func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} },
	"listen": func() { listen(); select {} },
	"idle":   func() { fmt.Println("started"); time.Sleep(time.Hour) },
	"graceful": func() {
		term := make(chan os.Signal, 1)
		signal.Notify(term, syscall.SIGTERM)
		listen()
		<-term
		os.Exit(7)
	},
	"stubborn": func() { signal.Ignore(syscall.SIGTERM); listen(); select {} },
	// dies and leaves one behind that holds the port and does not hear SIGTERM
	"parent": func() {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "TEST_CHILD=stubborn")
		_ = cmd.Start()
		for {
			if conn, err := dialApp(context.Background(), testPort()); err == nil {
				_ = conn.Close()
				os.Exit(0)
			}
			time.Sleep(time.Millisecond)
		}
	},
	// says what it hears and ends on SIGTERM by itself, a while later
	"listener": func() {
		heard := make(chan os.Signal, 200)
		signal.Notify(heard, append(Forwarded(), syscall.SIGTERM)...)
		fmt.Println("started")
		for sig := range heard {
			fmt.Println(sig)
			if sig == syscall.SIGTERM {
				time.AfterFunc(200*time.Millisecond, func() { os.Exit(7) })
			}
		}
	},
	"processes": func() { _, err := processes(); fmt.Println(err) },
	// what pitstop is to the child: a parent that may be killed
	"pitstop": func() {
		spec := Spec{Command: []string{"/proc/self/exe"}, Env: append(os.Environ(), "TEST_CHILD=idle"), Port: testPort(), Stdout: os.Stdout}
		if uid, err := strconv.ParseUint(os.Getenv("TEST_UID"), 10, 32); err == nil {
			spec.User = &User{UID: uint32(uid), GID: uint32(uid)}
		}
		if _, err := NewLauncher().Start(spec); err != nil {
			panic(err)
		}
		select {}
	},
	"init with npm": func() {
		c, err := NewLauncher().Start(Spec{
			Command: []string{"npm", "start", "--silent"}, Dir: "testdata/app", Env: append(os.Environ(), "PORT="+os.Getenv("TEST_PORT")),
			Port: testPort(), Stdout: os.Stdout,
		})
		if err != nil {
			panic(err)
		}
		if _, err := c.Ready(context.Background()); err != nil {
			panic(err)
		}
		fmt.Println("started")
		select {}
	},
	"another user": func() {
		_, err := NewLauncher().Start(Spec{Command: []string{"true"}, User: &User{UID: 54322, GID: 54322}})
		fmt.Println(err)
	},
	"same user": func() { u := &User{UID: 54321, GID: 54321}; fmt.Println(u.credential() == nil) },
}

func TestMain(m *testing.M) {
	if name := os.Getenv("TEST_CHILD"); name != "" {
		children[name]()
		os.Exit(0)
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // under -race each played child would take a second to end
	_ = os.Setenv("PATH", filepath.Join(runners, ".bin")+":"+os.Getenv("PATH"))
	os.Exit(m.Run())
}

func TestChild_ExitCodeIsPassedOnExactly(t *testing.T) {
	l := NewLauncher()
	for code := range 256 {
		c := start(t, l, "exit", "CODE="+strconv.Itoa(code))
		<-c.Exited()
		if got := c.Exit().Code; got != code {
			t.Fatalf("exit code %d, want %d", got, code)
		}
	}
	c := start(t, l, "killed")
	<-c.Exited()
	if e := c.Exit(); e.Code != 137 || e.Signal != syscall.SIGKILL {
		t.Errorf("killed: %+v", e)
	}
}

func TestChild_ReadyWhenItListens(t *testing.T) {
	c := start(t, NewLauncher(), "listen")
	addr, err := c.Ready(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestChild_ExitBeforeReadyIsAnError(t *testing.T) {
	c := start(t, NewLauncher(), "exit", "CODE=3")
	_, err := c.Ready(t.Context())
	var exited *ExitedError
	if !errors.As(err, &exited) || exited.Exit.Code != 3 {
		t.Errorf("Ready returned %v", err)
	}
}

func TestChild_NotReadyInTimeSaysWhatIsMissing(t *testing.T) {
	c := start(t, NewLauncher(), "idle")
	cause := errors.New("not ready in time")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, cause)
	defer cancel()
	_, err := c.Ready(ctx)
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "does not listen on port") {
		t.Errorf("Ready returned %v", err)
	}
}

func TestChild_PortTakenIsToldBeforeTheStart(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	port := ln.Addr().(*net.TCPAddr).Port
	_, err = NewLauncher().Start(Spec{Command: []string{os.Args[0]}, Port: port})
	var taken *PortTakenError
	if !errors.As(err, &taken) || taken.Port != port {
		t.Errorf("Start returned %v", err)
	}
}

func TestChild_StopLetsItEndGracefully(t *testing.T) {
	c := start(t, NewLauncher(), "graceful")
	if _, err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, killed := c.Stop(t.Context()); killed {
		t.Error("had to kill")
	}
	if got := c.Exit().Code; got != 7 {
		t.Errorf("exit code %d, want its own 7", got)
	}
}

func TestChild_StopKillsAfterTheBound(t *testing.T) {
	c := start(t, NewLauncher(), "stubborn")
	if _, err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, killed := c.Stop(ctx); !killed {
		t.Error("did not have to kill")
	}
	if got := c.Exit().Code; got != 137 {
		t.Errorf("exit code %d, want 137", got)
	}
}

func TestChild_StoppedMeansThatTheGroupIsEmpty(t *testing.T) {
	t.Parallel()
	c := start(t, NewLauncher(), "parent")
	<-c.Exited()
	if conn, err := dialApp(context.Background(), c.spec.Port); err != nil {
		t.Fatal("the grandchild should still hold the port")
	} else {
		_ = conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c.Stop(ctx)
	if conn, err := dialApp(context.Background(), c.spec.Port); err == nil {
		_ = conn.Close()
		t.Error("the port is still held after Stop")
	}
}

func TestEnviron_IsMadeAnew(t *testing.T) {
	env := Environ(
		[]string{"PATH=/bin", "PITSTOP_CONTROL_TOKEN=secret", "PORT=80", "A=base", "B=base"},
		map[string]string{"A": "file", "C": "file"},
		map[string]string{"C": "manifest"},
		map[string]string{"PORT": "3000", "PITSTOP_COMMIT": "v1"},
	)
	slices.Sort(env)
	want := []string{"A=file", "B=base", "C=manifest", "PATH=/bin", "PITSTOP_COMMIT=v1", "PORT=3000"}
	if !slices.Equal(env, want) {
		t.Errorf("environment %q, want %q", env, want)
	}
}

func TestLookPath_SearchesTheChildsOwnPath(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "bin", "tool")
	_ = os.Mkdir(filepath.Dir(program), 0o755)
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, path string }{
		{"tool", "PATH=/nowhere:" + filepath.Dir(program)},
		{"tool", "PATH=bin"}, // relative to the release
		{"./bin/tool", "PATH="},
		{program, "PATH="},
	} {
		if got, err := LookPath(tc.name, dir, []string{tc.path}); err != nil || got != program {
			t.Errorf("%s with %s: %s, %v", tc.name, tc.path, got, err)
		}
	}
	if _, err := LookPath("tool", dir, []string{"PATH=/nowhere"}); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("a tool that is not there: %v", err)
	}
}

func TestLookPath_ARelativeDirectoryIsOurOwn(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("tool", []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	here, _ := os.Getwd()
	for dir, name := range map[string]string{"": "./tool", ".": "./tool", "..": filepath.Join(".", filepath.Base(here), "tool")} {
		if got, err := LookPath(name, dir, nil); err != nil || got != filepath.Join(here, "tool") {
			t.Errorf("%s in %q: %s, %v", name, dir, got, err)
		}
	}
}

// Helpers

func start(t *testing.T, l *Launcher, part string, env ...string) *Child {
	t.Helper()
	port := freePort(t)
	c, err := l.Start(Spec{
		Command: []string{os.Args[0]}, Port: port,
		Env: append(os.Environ(), append(env, "TEST_CHILD="+part, "TEST_PORT="+strconv.Itoa(port))...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(c) })
	return c
}

// nextPort keeps the ports of tests that run at once apart, and out of the range that connections take theirs from.
var nextPort atomic.Int64

func freePort(t *testing.T) int {
	t.Helper()
	for {
		port := 10000 + int(int64(os.Getpid()*97)+nextPort.Add(1))%20000
		ln, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		_ = ln.Close()
		return port
	}
}

func testPort() int {
	port, _ := strconv.Atoi(os.Getenv("TEST_PORT"))
	return port
}

func listen() net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("TEST_PORT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return ln
}
