package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pitstop/release"
)

type publishCmd struct {
	Dir      string   `arg:"" optional:"" help:"The folder with the app, as it is to run: with its node_modules."`
	Commit   string   `help:"The release's name."`
	Releases string   `placeholder:"DIR" help:"The store: a folder, made if it is missing."`
	Env      []string `placeholder:"NAME=VALUE" sep:"none" help:"Added to the app's environment; may be repeated."`
	Force    bool     `help:"Replace a release of the same name."`
}

func (c *publishCmd) run(p Process, m *mistakes) int {
	if c.Dir == "" {
		m.setting("no folder: pitstop publish DIR --commit C --releases S")
	}
	if c.Commit == "" {
		m.setting("no --commit: the release needs a name")
	} else if err := release.CheckCommit(c.Commit); err != nil {
		m.setting("--commit: %s", err)
	}
	env := map[string]string{}
	for _, kv := range c.Env {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || !variableName.MatchString(name) {
			m.setting("--env is %q, it must be NAME=VALUE", kv)
		}
		env[name] = value
	}
	if c.Releases == "" {
		m.setting("no --releases: the store to publish to")
	}
	if m.any() {
		return m.tell(p.Stderr)
	}
	start := time.Now()
	if strings.Contains(c.Releases, "://") {
		_, err := release.OpenFolder(c.Releases)
		return fail(p, "publish", err)
	}
	if err := c.fit(p); err != nil {
		return fail(p, "publish", err)
	}
	if err := os.MkdirAll(c.Releases, 0o755); err != nil {
		return fail(p, "publish", err)
	}
	store, err := release.OpenFolder(c.Releases)
	if err != nil {
		return fail(p, "publish", err)
	}
	manifest, changed, err := release.Publish(context.Background(), store, c.Dir, c.Commit, release.Options{Force: c.Force, Env: env})
	if err != nil {
		return fail(p, "publish", err)
	}
	said := "published"
	if !changed {
		said = "already published, unchanged:"
	}
	fmt.Fprintf(p.Stdout, "%s %s to %s: %d files, %s as %s, sha256 %s, in %s\n", said, c.Commit, store, manifest.Files,
		bytes(manifest.TarSize), bytes(manifest.Size), manifest.SHA256, time.Since(start).Round(time.Millisecond))
	return exitOK
}

// fit says why the folder cannot be a release, and warns of what will not run.
func (c *publishCmd) fit(p Process) error {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return fmt.Errorf("%s is empty", c.Dir)
	}
	dir, dirErr := filepath.Abs(c.Dir)
	store, storeErr := filepath.Abs(c.Releases)
	if err := errors.Join(dirErr, storeErr); err != nil {
		return err
	}
	if inside(store, dir) {
		return fmt.Errorf("the store %s is inside the folder that is published: name one outside of it", c.Releases)
	}
	var pkg struct{ Dependencies map[string]any }
	if data, err := os.ReadFile(filepath.Join(dir, "package.json")); err == nil && json.Unmarshal(data, &pkg) == nil && len(pkg.Dependencies) > 0 {
		if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
			fmt.Fprintln(p.Stderr, "pitstop: publish: warning: package.json has dependencies, but there is no node_modules: run npm ci --omit=dev first")
		}
	}
	return nil
}

// bytes writes a size for people.
func bytes(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}

func fail(p Process, verb string, err error) int {
	fmt.Fprintf(p.Stderr, "pitstop: %s: %v\n", verb, err)
	return exitFailed
}
