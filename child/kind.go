package child

import (
	"path/filepath"
	"strings"
)

// kind is what a command is to the app.
type kind int

const (
	plain kind = iota // the app itself, for all that can be told
	packageRunner
	shell
	initProgram
	watcher
	processManager
)

// kinds goes by the names that programOf gives.
var kinds = map[string]kind{
	"npm": packageRunner, "npm-cli": packageRunner, "npx": packageRunner, "npx-cli": packageRunner,
	"yarn": packageRunner, "yarnpkg": packageRunner, "pnpm": packageRunner, "pnpx": packageRunner, "corepack": packageRunner,
	"sh": shell, "bash": shell, "dash": shell, "ash": shell, "zsh": shell, "ksh": shell,
	"tini": initProgram, "tini-static": initProgram, "dumb-init": initProgram, "docker-init": initProgram, "catatonit": initProgram,
	"node --watch": watcher, "nodemon": watcher, "node-dev": watcher, "ts-node-dev": watcher, "tsnd": watcher,
	"pm2": processManager, "pm2-runtime": processManager, "pm2-docker": processManager, "forever": processManager,
}

func kindOf(args []string) kind { return kinds[programOf(args)] }

// standsBetween says whether a command only runs another, and ends when that does.
func standsBetween(args []string) bool {
	switch kindOf(args) {
	case packageRunner, shell, initProgram:
		return true
	default:
		return false
	}
}

// programOf names what decides about a command, given as written or as /proc shows it: the program, or the script that
// node runs.
func programOf(args []string) string {
	if args = withoutEnv(args); len(args) == 0 {
		return ""
	}
	title, _, _ := strings.Cut(args[0], " ") // npm sets its process title, "npm start"
	switch name := strings.TrimPrefix(filepath.Base(title), "-"); {
	case name == "busybox" && len(args) > 1:
		return args[1]
	case name == "node" || name == "nodejs":
		return scriptOf(args[1:])
	default:
		return name
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

// scriptOf names node's script, npm-cli of /usr/lib/node_modules/npm/bin/npm-cli.js; "node --watch" if it watches files.
func scriptOf(args []string) string {
	for i := 0; i < len(args); i++ {
		option, _, joined := strings.Cut(args[i], "=")
		switch {
		case option == "--watch" || option == "--watch-path":
			return "node --watch"
		case !strings.HasPrefix(option, "-"):
			name := strings.TrimSuffix(filepath.Base(option), filepath.Ext(option))
			if strings.HasPrefix(name, "yarn-") { // .yarn/releases/yarn-4.1.0.cjs
				return "yarn"
			}
			return name
		case !joined && takesValue(option):
			i++
		}
	}
	return "node"
}

func takesValue(option string) bool {
	switch option {
	case "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions":
		return true
	}
	return false
}
