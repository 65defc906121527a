package cli

import (
	"context"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/errgroup"

	"pitstop/child"
	"pitstop/control"
	"pitstop/drain"
	"pitstop/proxy"
	"pitstop/release"
	"pitstop/supervisor"
)

// engine carries requests; the two of proxy are some.
type engine interface {
	Serve(ctx context.Context, ln net.Listener) error
	supervisor.Front
}

type runCmd struct {
	runFlags
}

// instance is the parts of one running pitstop.
type instance struct {
	logQueue        *logQueue
	log             hclog.Logger
	public, control net.Listener
	engine          engine
	launcher        *launcher
	room            *room
	supervisor      *supervisor.Supervisor
	door            *control.Door
	accessLog       *accessLog // nil: there is none
}

// run keeps the app serving until SIGTERM and returns its exit code.
func (c *runCmd) run(p Process, m *mistakes) int {
	s := c.settings(p, m)
	in := c.open(p, s, m)
	defer in.close()
	if m.any() {
		return m.tell(p.Stderr)
	}
	for _, f := range append(c.ladder(), c.absolute(s)...) {
		if f.Level != fine {
			in.log.Warn(f.Text, "check", f.Check)
		}
	}
	return in.run()
}

// open makes the parts, in the order in which they need each other. What cannot be had is noted in m.
func (f *runFlags) open(p Process, s settings, m *mistakes) *instance {
	in := &instance{logQueue: f.logQueue(p)}
	in.log = f.logger(p, in.logQueue)
	in.public = listen(f.Listen, "--listen", m)
	in.control = listen(f.Control, "--control", m)
	if s.connect != child.ConnectUnix {
		m.other(child.CheckPort(s.appPort))
	}
	var fetcher supervisor.Fetcher
	if f.Releases != "" {
		store, err := release.OpenFolder(f.Releases)
		m.other(err)
		shelf, err := release.OpenShelf(f.ReleaseDir, store)
		m.other(err)
		fetcher = releases{shelf}
	}
	var err error
	if in.launcher, err = f.newLauncher(p, s, in.log); err != nil {
		m.other(err)
	}
	tlsConfig := f.serverTLS(in.log.Named("proxy"), m)
	in.accessLog = f.openAccessLog(p.Stdout, in.log.Named("proxy"), m)
	if m.any() {
		return in
	}
	gate := drain.New(drain.Bounds{Timeout: f.HoldTimeout, Max: f.HoldMax, Bytes: int64(f.HoldBytes)})
	in.engine = f.newEngine(proxy.Config{
		Gate: gate, HealthPath: f.HealthPath, Health: func() error { return in.supervisor.Health() },
		AppProtocol: proxy.AppProtocol(f.AppProtocol), Forwarded: proxy.Forwarded(f.Forwarded), Limits: f.limits(), TLS: tlsConfig, Observer: in.accessLog.observer(),
		ReplayBuffer: int(f.ReplayBuffer), ReplayMemory: int64(f.HoldBytes), RetryAfter: time.Second, IdleTimeout: f.IdleTimeout, Logger: in.log.Named("proxy"),
	})
	in.room = newRoom(p.Env, in.log)
	in.supervisor = supervisor.New(supervisor.Config{
		Image: supervisor.Release{Commit: f.Commit, Dir: s.dir}, Fetcher: fetcher, Launcher: in.launcher,
		Gate: gate, Front: in.engine, Room: in.room, Port: newLoopback(s, in.engine, in.log),
		Strategy: supervisor.Strategy(f.Strategy), Timing: f.timing(), Restart: f.restart(),
		AbortLateDrain: f.OnDrainTimeout == "abort", Logger: in.log.Named("supervisor"),
	})
	in.door = control.NewDoor(in.supervisor, release.CheckCommit, p.Version, in.log.Named("control"))
	return in
}

func (in *instance) close() {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	for _, ln := range []net.Listener{in.public, in.control} {
		if ln != nil {
			_ = ln.Close()
		}
	}
	if in.launcher != nil {
		in.launcher.close()
	}
	in.accessLog.close(ctx)
	in.logQueue.close(ctx) // last, for the others log
}

// run runs the long-lived parts until the supervisor has ended, and returns its exit code.
func (in *instance) run() int {
	// Before the child exists, so that none is missed. SIGPIPE is caught so that a log that nobody reads any more
	// does not end the container.
	// Signals that find their channel full are lost, so those to end have one of their own.
	endings, others := make(chan os.Signal, 4), make(chan os.Signal, 64)
	signal.Notify(endings, syscall.SIGTERM, syscall.SIGINT)
	// SIGUSR1 is always caught: it would end pitstop otherwise.
	signal.Notify(others, append(in.launcher.forwarded(), syscall.SIGPIPE, syscall.SIGUSR1)...)
	defer signal.Stop(endings)
	defer signal.Stop(others)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	parts, ctx := errgroup.WithContext(ctx)
	code := exitFailed
	in.log.Info("starting", "listen", in.public.Addr().String(), "control", in.control.Addr().String(),
		"command", in.launcher.command)
	parts.Go(func() error { return in.launcher.Reap(ctx) })
	parts.Go(func() error { return in.engine.Serve(ctx, in.public) })
	parts.Go(func() error { return in.door.Serve(ctx, in.control) })
	parts.Go(func() error { return in.room.watch(ctx, in.supervisor) })
	parts.Go(func() error {
		defer cancel() // the others have nothing left to do
		code = in.supervisor.Run()
		return nil
	})
	parts.Go(func() error {
		in.handleSignals(ctx, endings, others)
		return nil
	})
	if err := parts.Wait(); err != nil {
		in.log.Error("ended by a failure", "err", err)
		return max(code, exitFailed)
	}
	return code
}

// handleSignals ends the instance at SIGTERM and passes others on, until ctx ends.
func (in *instance) handleSignals(ctx context.Context, endings, others <-chan os.Signal) {
	for {
		select {
		case sig := <-endings:
			in.supervisor.Terminate()
			in.log.Info("asked to end", "signal", sig.String())
		case sig := <-others:
			if slices.Contains(in.launcher.forwarded(), sig) {
				in.log.Debug("signal passed on", "signal", sig.String(), "err", in.launcher.Signal(sig))
			}
		case <-ctx.Done():
			in.supervisor.Terminate() // a part has failed; harmless if all is over
			return
		}
	}
}

func listen(addr, flag string, m *mistakes) net.Listener {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil // told with the settings
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		m.others = append(m.others, flag+": "+err.Error())
		return nil
	}
	return ln
}

// variable returns the value of a variable of env, and whether it is there.
func variable(env []string, name string) (string, bool) {
	for _, kv := range slices.Backward(env) {
		if len(kv) > len(name) && kv[:len(name)] == name && kv[len(name)] == '=' {
			return kv[len(name)+1:], true
		}
	}
	return "", false
}
