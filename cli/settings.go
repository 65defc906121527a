package cli

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/term"

	"pitstop/child"
	"pitstop/release"
	"pitstop/supervisor"
)

const defaultAppPort = 3000

// settings are what run's flags mean together with their surroundings.
type settings struct {
	appPort int
	dir     string // of the image's code
}

// settings checks the flags as a whole and notes every mistake.
func (c *runCmd) settings(p Process, m *mistakes) settings {
	s := settings{appPort: c.appPort(p, m)}
	var err error
	if s.dir, err = os.Getwd(); err != nil {
		m.other(err)
	}
	if len(c.Command) == 0 {
		m.setting("no command: write the app's behind --, as in: pitstop run -- node server.js")
	} else if _, err := child.LookPath(c.Command[0], s.dir, p.Env); err != nil {
		m.other(err)
	}
	if err := release.CheckCommit(c.Commit); err != nil {
		m.setting("--commit: %s", err)
	}
	m.oneOf("--on-drain-timeout", c.OnDrainTimeout, "cut", "abort")
	m.oneOf("--restart", c.Restart, "always", "on-failure", "no")
	m.oneOf("--log-format", c.LogFormat, "", "text", "json")
	m.oneOf("--log-level", c.LogLevel, "trace", "debug", "info", "warn", "error")
	m.path("--health-path", c.HealthPath)
	m.path("--ready-path", c.ReadyPath)
	m.address("--listen", c.Listen, s.appPort)
	m.address("--control", c.Control, s.appPort)
	return s
}

// appPort is the app's usual port: the flag, the container's own PORT, or 3000.
func (c *runCmd) appPort(p Process, m *mistakes) int {
	port, name := c.AppPort, "--app-port"
	for _, kv := range p.Env {
		value, ok := strings.CutPrefix(kv, "PORT=")
		if !ok || c.AppPort != 0 {
			continue
		}
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

func (c *runCmd) timing() supervisor.Timing {
	return supervisor.Timing{
		Ready: c.ReadyTimeout, Settle: c.Settle, Bake: c.Bake,
		Drain: c.DrainTimeout, StreamDrain: c.StreamDrainTimeout, Hold: c.HoldTimeout,
		Stop: c.StopTimeout, LameDuck: c.LameDuck, TaskStop: c.TaskStopTimeout,
	}
}

func (c *runCmd) logger(p Process) hclog.Logger {
	json := c.LogFormat == "json" || c.LogFormat == "" && !term.IsTerminal(int(p.Stderr.Fd()))
	return hclog.New(&hclog.LoggerOptions{
		Name: "pitstop", Level: hclog.LevelFromString(c.LogLevel), Output: p.Stderr, JSONFormat: json,
	})
}

func (m *mistakes) oneOf(flag, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		m.setting("%s is %q, it must be one of %s", flag, value, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
	}
}

func (m *mistakes) path(flag, value string) {
	if value != "" && !strings.HasPrefix(value, "/") {
		m.setting("%s is %q, it must begin with /", flag, value)
	}
}

// address checks "host:port", and that it is not the app's own port.
func (m *mistakes) address(flag, value string, appPort int) {
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		m.setting("%s is %q, it must be an address as :8080 or 127.0.0.1:8080", flag, value)
		return
	}
	if port == strconv.Itoa(appPort) {
		m.setting("%s and the app have the same port %s: give the app another one with --app-port, or change %s", flag, port, flag)
	}
}
