package cli

import (
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/term"

	"pitstop/child"
	"pitstop/release"
)

const defaultAppPort = 3000

// settings are what run's flags mean together with their surroundings.
type settings struct {
	appPort int
	connect child.Connect
	// sharesPort: pitstop's public address has the app's port.
	sharesPort bool
	dir        string // of the image's code
	user       *child.User
}

// settings checks the flags as a whole and notes every mistake.
func (f *runFlags) settings(p Process, m *mistakes) settings {
	s := settings{appPort: f.appPort(p, m), connect: child.Connect(f.Connect)}
	var err error
	if s.dir, err = os.Getwd(); err != nil {
		m.other(err)
	}
	if len(f.Command) == 0 {
		m.setting("no command: write the app's behind --, as in: pitstop run -- node server.js")
	} else if _, err := child.LookPath(f.Command[0], s.dir, p.Env); err != nil {
		m.other(err)
	}
	if err := release.CheckCommit(f.Commit); err != nil {
		m.setting("%s: %s", both("--commit"), err)
	}
	if f.User != "" {
		if s.user, err = child.ParseUser(f.User); err != nil {
			m.setting("%s: %s", both("--user"), err)
		}
	}
	if f.EnvFile != "" {
		_, err := readEnvFile(f.EnvFile)
		m.other(err)
	}
	if f.RelaunchExitCode > 127 {
		m.setting("--relaunch-exit-code is %d, it must be at most 127: above it codes stand for signals", f.RelaunchExitCode)
	}
	m.oneOf("--connect", f.Connect, "auto", "unix", "tcp")
	m.oneOf("--strategy", f.Strategy, "auto", "overlap", "in-place")
	m.oneOf("--on-drain-timeout", f.OnDrainTimeout, "cut", "abort")
	m.oneOf("--restart", f.Restart, "always", "on-failure", "no")
	m.oneOf("--child-log", f.ChildLog, "raw", "json")
	m.oneOf("--log-format", f.LogFormat, "", "text", "json")
	m.oneOf("--log-level", f.LogLevel, "trace", "debug", "info", "warn", "error")
	m.path("--health-path", f.HealthPath)
	m.path("--ready-path", f.ReadyPath)
	f.proxySettings(m)
	if m.address("--listen", f.Listen) == s.appPort {
		s.connect, s.sharesPort = f.sharedPort(s, m), true
	}
	if f.Listen == f.Control {
		m.setting("--listen and --control are the same address %s: give the door another one", f.Control)
	} else if m.address("--control", f.Control) == s.appPort {
		m.setting("--control and the app have the same port %d: give one of them another", s.appPort)
	}
	return s
}

// sharedPort is how the app is reached when pitstop listens on the app's own port, as where a container's PORT names both:
// by its private socket only.
func (f *runFlags) sharedPort(s settings, m *mistakes) child.Connect {
	if s.connect == child.ConnectTCP {
		m.setting("--listen and the app have the same port %d, which --connect=tcp cannot do: give the app another one with --app-port, or change --listen", s.appPort)
	}
	return child.ConnectUnix
}

// appPort is the app's usual port: the flag, the container's own PORT, or 3000.
func (f *runFlags) appPort(p Process, m *mistakes) int {
	port, name := f.AppPort, "--app-port"
	if value, ok := variable(p.Env, "PORT"); ok && value != "" && f.AppPort == 0 {
		var err error
		if port, err = strconv.Atoi(value); err != nil {
			m.setting("the variable PORT is %q, no port: mend it, or give --app-port", value)
			return defaultAppPort
		}
		name = "the variable PORT"
	}
	if port == 0 && name == "--app-port" {
		return defaultAppPort
	}
	if port < 1 || port > 65535 {
		m.setting("%s is %d, no port", name, port)
	}
	return port
}

// logger writes to out, in the format that suits p's stderr.
func (f *runFlags) logger(p Process, out io.Writer) hclog.Logger {
	json := f.LogFormat == "json" || f.LogFormat == "" && !term.IsTerminal(int(p.Stderr.Fd()))
	return hclog.New(&hclog.LoggerOptions{
		Name: "pitstop", Level: hclog.LevelFromString(f.LogLevel), Output: out, JSONFormat: json,
	})
}

// logQueue is what run's logger writes to. A gap is told at the highest level, for errors may be missing too.
func (f *runFlags) logQueue(p Process) *logQueue {
	direct := f.logger(p, p.Stderr)
	return newLogQueue(p.Stderr, func(dropped int) {
		direct.Error(fmt.Sprintf("%d lines of the log were dropped", dropped))
	})
}

func (m *mistakes) oneOf(flag, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		m.setting("%s is %q, it must be one of %s", both(flag), value, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
	}
}

func (m *mistakes) path(flag, value string) {
	if value != "" && !strings.HasPrefix(value, "/") {
		m.setting("%s is %q, it must begin with /", both(flag), value)
	}
}

// address checks "host:port" and returns the port.
func (m *mistakes) address(flag, value string) int {
	_, text, err := net.SplitHostPort(value)
	port, numErr := strconv.Atoi(text)
	if err != nil || numErr != nil {
		m.setting("%s is %q, it must be an address as :8080 or 127.0.0.1:8080", both(flag), value)
	}
	return port
}
