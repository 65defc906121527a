// Package cli is the command line: one file per verb, the flags and variables, and the wiring. It is the only package
// that knows all others, and the only one that reads arguments and environment.
//
//   - Every flag has a variable, PITSTOP_<FLAG>. One that is unknown or malformed stops the start.
//   - All mistakes are told at once.
//   - run ends with the child's exit code; 2 is for settings, 1 for all else.
package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK       = 0
	exitFailed   = 1
	exitSettings = 2
)

// Process is what a program gets from its surroundings.
type Process struct {
	Stdout, Stderr *os.File
	// Env is the environment, as os.Environ gives it.
	Env     []string
	Version string
}

// verb is what a command's struct does once its settings are in it.
type verb interface {
	run(p Process, m *mistakes) int
}

type commands struct {
	Run     runCmd     `cmd:"" help:"Run the app behind the proxy: pitstop run [flags] -- node server.js"`
	Publish publishCmd `cmd:"" help:"Store a folder as the release of a commit."`
	Reload  reloadCmd  `cmd:"" help:"Replace the app of one instance by another commit, and wait."`
	Status  statusCmd  `cmd:"" help:"Tell what one instance is doing."`
	Doctor  doctorCmd  `cmd:"" help:"Tell what will bite: pitstop doctor [flags of run] -- node server.js"`
	Version versionCmd `cmd:"" help:"Print pitstop's version."`
}

// helpShown ends the parsing after --help.
type helpShown struct{ code int }

// Run is the program. It returns the exit code.
func Run(args []string, p Process) (code int) {
	defer func() {
		if r := recover(); r != nil {
			h, ok := r.(helpShown)
			if !ok {
				panic(r)
			}
			code = h.code
		}
	}()
	unsetEmpty(p.Env)
	var c commands
	m := &mistakes{}
	parser, err := newParser(&c, m, p)
	if err != nil {
		fmt.Fprintln(p.Stderr, "pitstop:", err)
		return exitFailed
	}
	if len(args) == 0 || args[0] == "help" {
		args = []string{"--help"}
	} else if args[0] == "--version" {
		args = []string{"version"}
	}
	own, command := splitCommand(args)
	ctx := parse(parser, own, m)
	m.unknownVariables(parser.Model, p.Env)
	if ctx == nil || ctx.Selected() == nil {
		return m.tell(p.Stderr)
	}
	c.Run.Command, c.Doctor.Command = command, command
	v, _ := ctx.Selected().Target.Addr().Interface().(verb)
	if command != nil && v != verb(&c.Run) && v != verb(&c.Doctor) {
		m.setting("only run and doctor take a command behind --")
	}
	return v.run(p, m)
}

// unsetEmpty makes an empty variable the same as none, as templates of task definitions leave them behind. An empty health
// path has a meaning.
func unsetEmpty(env []string) {
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if value == "" && strings.HasPrefix(name, "PITSTOP_") && name != "PITSTOP_HEALTH_PATH" {
			_ = os.Unsetenv(name)
		}
	}
}

// splitCommand parts pitstop's own arguments from the app's command, which stands behind "--".
func splitCommand(args []string) (own, command []string) {
	if i := slices.Index(args, "--"); i >= 0 {
		return args[:i], args[i+1:]
	}
	return args, nil
}

func newParser(c *commands, m *mistakes, p Process) (*kong.Kong, error) {
	options := []kong.Option{
		kong.Name("pitstop"),
		kong.Description("Replaces the code inside running containers without losing a request."),
		kong.DefaultEnvars("PITSTOP"),
		kong.Writers(p.Stdout, p.Stderr),
		kong.Exit(func(code int) { panic(helpShown{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
	}
	return kong.New(c, append(options, m.mappers()...)...)
}
