package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// contender is one way from a client to an app.
type contender struct {
	name string
	// peer says that it is one of those pitstop is compared with.
	peer bool
	// command makes what runs the proxy, and writes the files that it needs. nil: there is none.
	command func(p place) ([]string, error)
	// launches says that it launches the app itself.
	launches bool
	env      []string
}

// place is where a contender runs, and what it may listen on.
type place struct {
	dir              string
	listen, app      string // host:port
	socket           string // the app's other address
	appCommand       []string
	connections      int // that it must be able to hold
	files            int // that it may open
	unixToApp        bool
	control, appPort string // pitstop's
}

// upstream is the app's address for contenders that do not launch it.
func (p place) upstream(prefix string) string {
	if p.unixToApp {
		return prefix + p.socket
	}
	return p.app
}

// over returns the same contender with the app reached by TCP, or by a unix socket.
func over(unix bool, name string, command func(place) ([]string, error)) contender {
	return contender{name: name, peer: true, command: func(p place) ([]string, error) {
		p.unixToApp = unix
		return command(p)
	}}
}

// chosen are the contenders whose names match. pitstop is the last, and with each engine that this binary has.
func (s *settings) chosen(wanted *regexp.Regexp) (chosen []contender) {
	all := append([]contender{
		{name: "no proxy"},
		over(false, "nginx", nginx),
		over(true, "nginx, unix", nginx),
		over(false, "HAProxy", haproxy),
		over(true, "HAProxy, unix", haproxy),
	}, s.pitstops()...)
	for _, c := range all {
		if wanted.MatchString(c.name) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

func (s *settings) pitstops() []contender {
	help, _ := exec.Command(s.pitstop, "run", "--help").CombinedOutput()
	if !strings.Contains(string(help), "--engine") {
		return []contender{s.pitstopRun("pitstop, std")}
	}
	return []contender{
		s.pitstopRun("pitstop, lean", "--engine=lean"),
		s.pitstopRun("pitstop, std", "--engine=std"),
	}
}

func (s *settings) pitstopRun(name string, flags ...string) contender {
	return contender{
		name: name, launches: true, env: []string{"GOMAXPROCS=" + strconv.Itoa(s.procs)},
		command: func(p place) ([]string, error) {
			binary, err := filepath.Abs(s.pitstop)
			command := append([]string{binary, "run", "--listen", p.listen, "--control", p.control, "--app-port", p.appPort,
				"--release-dir", filepath.Join(p.dir, "releases"), "--lame-duck", "0s"}, flags...)
			return append(append(command, "--"), p.appCommand...), err
		},
	}
}
