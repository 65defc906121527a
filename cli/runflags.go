package cli

import (
	"time"

	"pitstop/supervisor"
)

// runFlags are the flags of run, which doctor takes too.
type runFlags struct {
	Listen     string `default:":8080" help:"Public HTTP address."`
	Control    string `default:"127.0.0.1:7400" help:"Address of the gRPC door."`
	HealthPath string `default:"/_pitstop/ready" help:"Answered by pitstop itself, for the load balancer; empty: off."`
	AppPort    int    `placeholder:"PORT" help:"Port the app listens on (default: the variable PORT, else 3000)."`
	Connect    string `default:"auto" help:"How the app is reached: unix (a private socket), tcp (its port), auto (whichever answers first)."`

	Strategy     string        `default:"auto" help:"overlap: start the new app beside the old one; in-place: after it; auto: overlap if there is room."`
	ReadyPath    string        `placeholder:"PATH" help:"Must answer 2xx or 3xx before the app counts as ready, and ever after (default: a connection is enough)."`
	ReadyTimeout time.Duration `default:"60s" help:"Past it a start has failed."`
	Settle       time.Duration `default:"2s" help:"After ready, requests that could not be sent again are not sent to the newcomer for this long, lest it dies at once."`
	Bake         time.Duration `default:"15s" help:"A release that has been up this long is good: the one to fall back to when a later one keeps dying."`

	DrainTimeout       *time.Duration `placeholder:"DURATION" help:"Bound of the drain; 0: as long as it takes (default: 5m in an overlap, in-place what --hold-timeout leaves)."`
	OnDrainTimeout     string         `default:"cut" help:"cut: end the requests that are left; abort: give up the reload (in-place only)."`
	StreamDrainTimeout *time.Duration `placeholder:"DURATION" help:"What WebSockets and event streams get of a drain (default: all of it in an overlap, 5s in-place)."`
	HoldTimeout        time.Duration  `default:"30s" help:"A request waits at most this long during a reload, then it gets 503."`
	HoldMax            int            `default:"1000" help:"At most this many requests wait."`
	HoldBytes          size           `default:"64MiB" help:"Bodies of waiting requests take at most this much memory."`
	ReplayBuffer       size           `default:"64KiB" help:"Bodies of known length up to this size are read before their request goes to the app."`

	StopTimeout     time.Duration `default:"10s" help:"From SIGTERM to SIGKILL for the app."`
	LameDuck        time.Duration `default:"5s" help:"Serve on with red health this long after SIGTERM."`
	TaskStopTimeout time.Duration `default:"30s" help:"The orchestrator's time from SIGTERM to SIGKILL; the ending is cut to fit."`

	Restart          string        `default:"on-failure" help:"When the app ends unasked: always, on-failure or no."`
	RestartMax       int           `default:"5" help:"Restarts within the window before pitstop falls back."`
	RestartWindow    time.Duration `default:"1m" help:"See --restart-max."`
	RelaunchExitCode int           `default:"88" help:"By it the app itself asks to be launched again, on the commit fetched last; 0: none."`

	Releases   string `placeholder:"DIR" help:"The store of releases: a folder (default: none, only the image's code)."`
	ReleaseDir string `default:"/var/lib/pitstop" help:"Where releases are unpacked."`
	Commit     string `default:"image" help:"The commit of the code in the container image."`

	EnvFile     string `placeholder:"FILE" help:"Lines NAME=VALUE for the app's environment, read at every launch."`
	User        string `placeholder:"USER" help:"Whom the app runs as: USER, UID, USER:GROUP or UID:GID (default: as pitstop)."`
	ForwardUSR1 bool   `name:"forward-usr1" help:"Pass SIGUSR1 on too, by which Node opens its debugger."`
	ChildLog    string `default:"raw" help:"raw: the app writes to pitstop's own stdout and stderr; json: one JSON object a line."`

	LogFormat string `placeholder:"FORMAT" help:"text or json (default: text on a terminal, else json)."`
	LogLevel  string `default:"info" help:"trace, debug, info, warn or error."`

	proxyFlags

	Command []string `kong:"-"`
}

func (f *runFlags) timing() supervisor.Timing {
	return supervisor.Timing{
		Ready: f.ReadyTimeout, Settle: f.Settle, Bake: f.Bake,
		Drain: f.DrainTimeout, StreamDrain: f.StreamDrainTimeout, Hold: f.HoldTimeout,
		Stop: f.StopTimeout, LameDuck: f.LameDuck, TaskStop: f.TaskStopTimeout,
	}
}

func (f *runFlags) restart() supervisor.Restart {
	return supervisor.Restart{
		Policy: supervisor.RestartPolicy(f.Restart), Max: f.RestartMax, Window: f.RestartWindow, RelaunchCode: f.RelaunchExitCode,
	}
}
