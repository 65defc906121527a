package cli

import (
	"context"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/child"
	"pitstop/child/logs"
	"pitstop/proxy"
	"pitstop/supervisor"
)

const (
	// lastWords is how long the ending waits for logs to be written: what the supervisor reserves at its end.
	lastWords = 2 * time.Second
	// appLastWords is the app's part: then pitstop's own log can still tell that it was cut off.
	appLastWords = 1500 * time.Millisecond
)

// launcher makes a child of a release: the app's command, in its directory, with its environment made anew.
type launcher struct {
	*child.Launcher
	command   []string
	base      []string // the container's environment
	envFile   string
	lastEnv   atomic.Pointer[map[string]string]
	settings  settings
	readyPath string
	h2c       bool           // the app speaks it
	runtime   *child.Runtime // nil: the app is reached over TCP
	stdout    *os.File
	stderr    *os.File
	sink      *logs.Sink // nil: the child writes to stdout and stderr itself
	pipes     sync.WaitGroup
	usr1      bool // is passed on too
	log       hclog.Logger
}

// forwarded are the signals to pass on to the app.
func (l *launcher) forwarded() []os.Signal {
	if l.usr1 {
		return append(child.Forwarded(), syscall.SIGUSR1)
	}
	return child.Forwarded()
}

func (f *runFlags) newLauncher(p Process, s settings, log hclog.Logger) (*launcher, error) {
	l := &launcher{
		Launcher: child.NewLauncher(), command: f.Command, base: p.Env, envFile: f.EnvFile, settings: s, readyPath: f.ReadyPath, h2c: f.AppProtocol == string(proxy.H2C),
		stdout: p.Stdout, stderr: p.Stderr, usr1: f.ForwardUSR1, log: log.Named("launcher"),
	}
	if f.ChildLog == "json" {
		var err error
		if l.sink, err = logs.NewSink(logs.SinkConfig{Out: p.Stdout}); err != nil {
			return nil, err
		}
	}
	if s.connect == child.ConnectTCP {
		return l, nil
	}
	var err error
	l.runtime, err = child.NewRuntime()
	if err != nil && s.connect == child.ConnectAuto {
		l.log.Warn("the app is reached over TCP", "err", err)
		err = nil
	}
	return l, err
}

// Launch implements supervisor.Launcher.
func (l *launcher) Launch(r supervisor.Release, beside bool) (supervisor.Child, error) {
	file, err := l.fileEnv()
	if err != nil {
		return nil, err
	}
	spec := l.spec(r, file)
	spec.Beside = beside
	if l.sink == nil {
		spec.Stdout, spec.Stderr = l.stdout, l.stderr
		return l.start(spec)
	}
	pipes, err := logs.New(logs.Config{Stdout: l.sink, Stderr: l.sink, Commit: r.Commit})
	if err != nil {
		return nil, err
	}
	spec.Stdout, spec.Stderr = pipes.Stdout(), pipes.Stderr()
	c, err := l.Start(spec)
	if err != nil {
		_ = pipes.Close(context.Background())
		return nil, err
	}
	pipes.Started(c.Pid())
	l.pipes.Go(func() {
		<-c.Exited()
		if err := pipes.Close(context.Background()); err != nil {
			l.log.Warn("the app's log was cut off", "commit", r.Commit, "pid", c.Pid(), "err", err)
		}
	})
	return c, nil
}

// start keeps a nil *child.Child from becoming a Child.
func (l *launcher) start(spec child.Spec) (supervisor.Child, error) {
	c, err := l.Start(spec)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// fileEnv reads the environment's file anew: the secrets of a container that is never recreated would grow old in it. One
// that has become unreadable must not keep an app that died from coming back, so what was read last does instead.
func (l *launcher) fileEnv() (map[string]string, error) {
	env, err := readEnvFile(l.envFile)
	if err == nil {
		l.lastEnv.Store(&env)
		return env, nil
	}
	last := l.lastEnv.Load()
	if last == nil {
		return nil, err
	}
	l.log.Warn("the environment's file cannot be read: going on with what was read last", "err", err)
	return *last, nil
}

// spec is what to run for a release, with what the environment's file says.
func (l *launcher) spec(r supervisor.Release, file map[string]string) child.Spec {
	return child.Spec{
		Command: l.command, Dir: r.Dir, Port: l.settings.appPort, ReadyPath: l.readyPath, H2C: l.h2c, User: l.settings.user,
		Runtime: l.runtime, Connect: l.settings.connect,
		Env: child.Environ(l.base, l.settings.user.Env(), file, r.Env, map[string]string{
			"PORT": strconv.Itoa(l.settings.appPort), "PITSTOP_COMMIT": r.Commit, "PITSTOP_RELEASE_DIR": r.Dir,
		}),
	}
}

// close lets the app's last words be written and removes the folder of its sockets.
func (l *launcher) close() {
	if l.sink != nil {
		l.pipes.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), appLastWords)
		defer cancel()
		if err := l.sink.Close(ctx); err != nil {
			l.log.Warn("the app's log was cut off", "err", err)
		}
	}
	if l.runtime != nil {
		_ = l.runtime.Close()
	}
}
