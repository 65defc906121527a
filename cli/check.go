package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pitstop/child"
	"pitstop/supervisor"
)

// Check implements supervisor.Launcher: what can be known of a release before anybody has to wait for its start.
func (l *launcher) Check(r supervisor.Release) error {
	file, err := readEnvFile(l.envFile)
	if err != nil {
		return err
	}
	if _, err := child.LookPath(l.command[0], r.Dir, l.spec(r, file).Env); err != nil {
		return fmt.Errorf("the command cannot be found in release %s: %w", r.Commit, err)
	}
	if r.Dir == l.settings.dir {
		return nil
	}
	for _, arg := range l.command {
		if inside(arg, l.settings.dir) {
			return fmt.Errorf("the command names %s, a file of the image: it would run the image's code in every release; name it relatively, as in: -- node server.js", arg)
		}
	}
	return checkEntry(l.command, r)
}

// checkEntry looks for the script that node is to run.
func checkEntry(command []string, r supervisor.Release) error {
	if filepath.Base(command[0]) != "node" || len(command) < 2 || strings.HasPrefix(command[1], "-") {
		return nil // behind options it is for node to say
	}
	entry := command[1]
	if filepath.IsAbs(entry) {
		return fmt.Errorf("the command names %s, which is outside of every release and would never change; name the app's script relatively, as in: -- node server.js", entry)
	}
	for _, suffix := range []string{"", ".js", ".json", ".node"} { // as Node looks for it (modules: all together)
		if _, err := os.Stat(filepath.Join(r.Dir, entry+suffix)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("release %s has no %s, which the command names", r.Commit, entry)
}

// inside says whether arg is, or sets an option to, an absolute path in dir.
func inside(arg, dir string) bool {
	if i := strings.IndexByte(arg, '='); i >= 0 && strings.HasPrefix(arg, "-") {
		arg = arg[i+1:]
	}
	if !filepath.IsAbs(arg) {
		return false
	}
	rel, err := filepath.Rel(dir, arg)
	return err == nil && filepath.IsLocal(rel)
}
