package child

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// LookPath finds the program as execvp would: a name with a slash is relative to dir, any other is looked up in the PATH of env.
func LookPath(name, dir string, env []string) (string, error) {
	// The child changes to dir before it executes the program, so nothing may stay relative to our own directory.
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return exec.LookPath(name)
	}
	for _, d := range filepath.SplitList(pathOf(env)) {
		if !filepath.IsAbs(d) {
			d = filepath.Join(dir, d)
		}
		if path, err := exec.LookPath(filepath.Join(d, name)); err == nil {
			return path, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

func pathOf(env []string) string {
	for _, kv := range slices.Backward(env) {
		if path, ok := strings.CutPrefix(kv, "PATH="); ok {
			return path
		}
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
