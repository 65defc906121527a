package cli

import (
	"context"
	"net"
	"os"
	"os/signal"
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

// clientIdle is how long an idle client connection lives: longer than the load balancer's 60 seconds, which must end first.
const clientIdle = 75 * time.Second

type runCmd struct {
	Listen     string `default:":8080" help:"Public HTTP address."`
	Control    string `default:"127.0.0.1:7400" help:"Address of the gRPC door."`
	HealthPath string `default:"/_pitstop/ready" help:"Answered by pitstop itself, for the load balancer; empty: off."`
	AppPort    int    `placeholder:"PORT" help:"Port the app listens on (default: the variable PORT, else 3000)."`

	ReadyPath    string        `placeholder:"PATH" help:"Must answer 2xx or 3xx before the app counts as ready (default: a connection is enough)."`
	ReadyTimeout time.Duration `default:"60s" help:"Past it a start has failed."`
	Settle       time.Duration `default:"2s" help:"After ready, requests that could not be sent again wait this long, lest the app dies at once."`
	Bake         time.Duration `default:"15s" help:"Up this long = good."`

	DrainTimeout       *time.Duration `placeholder:"DURATION" help:"Bound of the drain; 0: as long as it takes (default: what --hold-timeout leaves)."`
	OnDrainTimeout     string         `default:"cut" help:"cut: end the requests that are left; abort: give up the reload."`
	StreamDrainTimeout time.Duration  `default:"5s" help:"What WebSockets and event streams get of a drain."`
	HoldTimeout        time.Duration  `default:"30s" help:"A request waits at most this long during a reload, then it gets 503."`
	HoldMax            int            `default:"1000" help:"At most this many requests wait."`
	HoldBytes          size           `default:"64MiB" help:"Bodies of waiting requests take at most this much memory."`
	ReplayBuffer       size           `default:"64KiB" help:"Bodies up to this size are read before their request goes to the app."`

	StopTimeout     time.Duration `default:"10s" help:"From SIGTERM to SIGKILL for the app."`
	LameDuck        time.Duration `default:"5s" help:"Serve on with red health this long after SIGTERM."`
	TaskStopTimeout time.Duration `default:"30s" help:"The orchestrator's time from SIGTERM to SIGKILL; the ending is cut to fit."`

	Restart       string        `default:"on-failure" help:"When the app ends unasked: always, on-failure or no."`
	RestartMax    int           `default:"5" help:"Restarts within the window before pitstop falls back."`
	RestartWindow time.Duration `default:"1m" help:"See --restart-max."`

	Releases   string `placeholder:"DIR" help:"The store of releases: a folder (default: none, only the image's code)."`
	ReleaseDir string `default:"/var/lib/pitstop" help:"Where releases are unpacked."`
	Commit     string `default:"image" help:"The commit of the code in the container image."`

	LogFormat string `placeholder:"FORMAT" help:"text or json (default: text on a terminal, else json)."`
	LogLevel  string `default:"info" help:"trace, debug, info, warn or error."`

	Command []string `kong:"-"`
}

// instance is the parts of one running pitstop.
type instance struct {
	log             hclog.Logger
	public, control net.Listener
	engine          *proxy.Std
	supervisor      *supervisor.Supervisor
	door            *control.Door
}

// run keeps the app serving until SIGTERM and returns its exit code.
func (c *runCmd) run(p Process, m *mistakes) int {
	s := c.settings(p, m)
	in := c.open(p, s, m)
	if m.any() {
		in.close()
		return m.tell(p.Stderr)
	}
	return in.run()
}

// open makes the parts, in the order in which they need each other. What cannot be had is noted in m.
func (c *runCmd) open(p Process, s settings, m *mistakes) *instance {
	in := &instance{log: c.logger(p)}
	in.public = listen(c.Listen, "--listen", m)
	in.control = listen(c.Control, "--control", m)
	m.other(child.CheckPort(s.appPort))
	var fetcher supervisor.Fetcher
	if c.Releases != "" {
		store, err := release.OpenFolder(c.Releases)
		m.other(err)
		shelf, err := release.OpenShelf(c.ReleaseDir, store)
		m.other(err)
		fetcher = releases{shelf}
	}
	if m.any() {
		return in
	}
	gate := drain.New(drain.Bounds{Timeout: c.HoldTimeout, Max: c.HoldMax, Bytes: int64(c.HoldBytes)})
	in.engine = proxy.NewStd(proxy.Config{
		Gate: gate, HealthPath: c.HealthPath, Health: func() error { return in.supervisor.Health() },
		ReplayBuffer: int(c.ReplayBuffer), RetryAfter: time.Second, IdleTimeout: clientIdle, Logger: in.log.Named("proxy"),
	})
	in.supervisor = supervisor.New(supervisor.Config{
		Image:   supervisor.Release{Commit: c.Commit, Dir: s.dir},
		Fetcher: fetcher,
		Launcher: launcher{
			Launcher: child.NewLauncher(), command: c.Command, env: p.Env, port: s.appPort, readyPath: c.ReadyPath,
			stdout: p.Stdout, stderr: p.Stderr,
		},
		Gate: gate, Front: in.engine, Timing: c.timing(), AbortLateDrain: c.OnDrainTimeout == "abort",
		Restart: supervisor.Restart{Policy: supervisor.RestartPolicy(c.Restart), Max: c.RestartMax, Window: c.RestartWindow},
		Logger:  in.log.Named("supervisor"),
	})
	in.door = control.NewDoor(in.supervisor, release.CheckCommit, p.Version, in.log.Named("control"))
	return in
}

func (in *instance) close() {
	for _, ln := range []net.Listener{in.public, in.control} {
		if ln != nil {
			_ = ln.Close()
		}
	}
}

// run runs the long-lived parts until the supervisor has ended, and returns its exit code.
func (in *instance) run() int {
	// Before the child exists, so that no signal is missed.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	parts, ctx := errgroup.WithContext(ctx)
	code := exitFailed
	in.log.Info("starting", "listen", in.public.Addr().String(), "control", in.control.Addr().String())
	parts.Go(func() error { return in.engine.Serve(ctx, in.public) })
	parts.Go(func() error { return in.door.Serve(ctx, in.control) })
	parts.Go(func() error {
		defer cancel() // the others have nothing left to do
		code = in.supervisor.Run()
		return nil
	})
	parts.Go(func() error {
		for {
			select {
			case sig := <-signals:
				in.log.Info("asked to end", "signal", sig.String())
				in.supervisor.Terminate()
			case <-ctx.Done():
				in.supervisor.Terminate() // a listener failed; harmless if all is over
				return nil
			}
		}
	})
	if err := parts.Wait(); err != nil {
		in.log.Error("ended by a failure", "err", err)
		return max(code, exitFailed)
	}
	return code
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
