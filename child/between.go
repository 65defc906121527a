package child

import (
	"path/filepath"
	"slices"
	"strings"
)

// apps finds the app's processes: the child, or what runs behind the programs that stand between. A program that
// stands between and has nothing behind it yet is asked itself. None means that the child has ended, or that /proc
// tells nothing.
func (c *Child) apps() []process {
	all, err := processes()
	if err != nil {
		return nil
	}
	children := make(map[int][]process)
	var leader []process
	for _, p := range all {
		switch {
		case p.zombie:
		case p.pid == c.Pid() && !c.hasExited():
			leader = append(leader, p)
		default:
			children[p.parent] = append(children[p.parent], p)
		}
	}
	apps := behind(leader, children)
	c.noteGroups(apps)
	return apps
}

func behind(ps []process, children map[int][]process) []process {
	var apps []process
	for _, p := range ps {
		if next := children[p.pid]; len(next) > 0 && standsBetween(commandLine(p.pid)) {
			apps = append(apps, behind(next, children)...)
			continue
		}
		apps = append(apps, p)
	}
	return apps
}

// noteGroups remembers groups other than the child's: tini and dumb-init give one to what they start.
func (c *Child) noteGroups(apps []process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range apps {
		known := func(g *group) bool { return g.id == p.group }
		if p.group != c.own.id && !slices.ContainsFunc(c.outside, known) {
			c.outside = append(c.outside, &group{id: p.group, leaderless: true})
		}
	}
}

// standsBetween says whether a command only runs another: a package manager, a shell, an init.
func standsBetween(args []string) bool {
	switch kindOf(args) {
	case packageRunner, shell, initProgram:
		return true
	default:
		return false
	}
}

// kind is what a command is to the app.
type kind int

const (
	app kind = iota
	packageRunner
	shell
	initProgram
	watcher
	processManager
)

var kinds = map[string]kind{
	"npm": packageRunner, "npx": packageRunner, "yarn": packageRunner, "yarnpkg": packageRunner, "pnpm": packageRunner,
	"pnpx": packageRunner, "corepack": packageRunner, "npm-cli": packageRunner, "npx-cli": packageRunner,
	"sh": shell, "bash": shell, "dash": shell, "ash": shell, "zsh": shell, "ksh": shell,
	"tini": initProgram, "tini-static": initProgram, "dumb-init": initProgram, "docker-init": initProgram, "catatonit": initProgram,
	"nodemon": watcher, "node-dev": watcher, "ts-node-dev": watcher, "tsnd": watcher,
	"pm2": processManager, "pm2-runtime": processManager, "pm2-docker": processManager, "forever": processManager,
}

// kindOf looks at a command as it was given, or as /proc shows it.
func kindOf(args []string) kind {
	if args = withoutEnv(args); len(args) == 0 {
		return app
	}
	title, _, _ := strings.Cut(args[0], " ") // npm sets its process title, "npm start"
	name := strings.TrimPrefix(filepath.Base(title), "-")
	switch {
	case name == "busybox" && len(args) > 1:
		return kinds[args[1]]
	case name == "node" || name == "nodejs":
		return kindOfNode(args[1:])
	default:
		return kinds[name]
	}
}

// withoutEnv drops `env NAME=value ...`, which executes the rest in its own place.
func withoutEnv(args []string) []string {
	if len(args) == 0 || filepath.Base(args[0]) != "env" {
		return args
	}
	args = args[1:]
	for len(args) > 0 && (strings.HasPrefix(args[0], "-") || strings.Contains(args[0], "=")) {
		args = args[1:]
	}
	return args
}

// kindOfNode looks at node's options and script: `node --watch`, `node /usr/local/bin/npm start`.
func kindOfNode(args []string) kind {
	for i := 0; i < len(args); i++ {
		option, _, joined := strings.Cut(args[i], "=")
		switch {
		case option == "--watch" || option == "--watch-path":
			return watcher
		case !strings.HasPrefix(option, "-"):
			base := filepath.Base(option)
			return kinds[strings.TrimSuffix(base, filepath.Ext(base))]
		case !joined && takesValue(option):
			i++
		}
	}
	return app
}

func takesValue(option string) bool {
	switch option {
	case "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions":
		return true
	}
	return false
}
