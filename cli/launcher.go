package cli

import (
	"os"
	"strconv"

	"pitstop/child"
	"pitstop/supervisor"
)

// launcher makes a child of a release: the app's command, in its directory, with its environment made anew.
type launcher struct {
	*child.Launcher
	command        []string
	env            []string
	port           int
	readyPath      string
	stdout, stderr *os.File
}

// Launch implements supervisor.Launcher.
func (l launcher) Launch(r supervisor.Release) (supervisor.Child, error) {
	c, err := l.Start(child.Spec{
		Command: l.command, Dir: r.Dir, Port: l.port, ReadyPath: l.readyPath, Stdout: l.stdout, Stderr: l.stderr,
		Env: child.Environ(l.env, r.Env, map[string]string{
			"PORT": strconv.Itoa(l.port), "PITSTOP_COMMIT": r.Commit, "PITSTOP_RELEASE_DIR": r.Dir,
		}),
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}
