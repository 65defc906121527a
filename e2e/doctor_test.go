package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDoctor_TellsWhatWillBite(t *testing.T) {
	t.Parallel()
	good := exampleApp(t, "v1")
	ports := freePorts(t, 4)
	flags := []string{"doctor", "--listen", "127.0.0.1:" + ports[0], "--control", "127.0.0.1:" + ports[1], "--app-port", ports[2],
		"--releases", t.TempDir(), "--release-dir", filepath.Join(t.TempDir(), "releases"), "--strategy", "overlap"}
	for name, tc := range map[string]struct {
		dir   string
		args  []string
		code  int
		level string
		says  string
	}{
		"nothing":         {good, with(flags, "--", "node", "server.js"), 0, "ok", "ready after"},
		"its end":         {good, with(flags, "--", "node", "server.js"), 0, "ok", "exited with code 0"},
		"the script":      {good, with(flags, "--", "node", "server.js"), 0, "ok", filepath.Join(good, "server.js")},
		"absolute path":   {good, with(flags, "--", "node", filepath.Join(good, "server.js")), 1, "error", "absolute path"},
		"npm":             {good, with(flags, "--", "npm", "start"), 0, "warning", "npm stands between"},
		"no store":        {good, with(flags, "--releases", "/nowhere", "--", "node", "server.js"), 1, "error", "/nowhere"},
		"crash":           {scriptApp(t, `process.exit(3)`), with(flags, "--", "node", "server.js"), 1, "error", "exited with code 3"},
		"another port":    {scriptApp(t, `require('node:http').createServer().listen(`+ports[3]+`)`), with(flags, "--ready-timeout", "2s", "--", "node", "server.js"), 1, "error", "--app-port"},
		"second port":     {scriptApp(t, echoApp+`; require('node:net').createServer().listen(`+ports[3]+`)`), with(flags, "--", "node", "server.js"), 1, "error", "also listens on port " + ports[3]},
		"deaf to SIGTERM": {scriptApp(t, echoApp+`; process.on('SIGTERM', () => {})`), with(flags, "--stop-timeout", "200ms", "--", "node", "server.js"), 0, "warning", "handle SIGTERM"},
	} {
		t.Run(name, func(t *testing.T) {
			args := with(tc.args[:1], append([]string{"--output", "json"}, tc.args[1:]...)...)
			cmd := exec.Command(binary, args...)
			cmd.Dir, cmd.Stderr = tc.dir, nil
			out, _ := cmd.Output()
			if got := cmd.ProcessState.ExitCode(); got != tc.code {
				t.Errorf("exit code %d, want %d", got, tc.code)
			}
			var found []struct{ Level, Text string }
			if err := json.Unmarshal(out, &found); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for _, f := range found {
				if f.Level == tc.level && strings.Contains(f.Text, tc.says) {
					return
				}
			}
			t.Errorf("no %s says %q:\n%s", tc.level, tc.says, out)
		})
	}
}

// A secret's file that cannot be read must neither take the app down nor keep it down.
func TestRun_ABrokenEnvironmentFileTakesNothingDown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(file, []byte("SECRET=one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := launch(t, exampleApp(t, "v1"), node, "--commit", "v1", "--strategy", "in-place", "--env-file", file)
	if err := os.WriteFile(file, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	in.mustFail(`{"commit":"v1","relaunch":true}`, "FailedPrecondition", "NAME=VALUE")
	if got := in.statusField("app", "generation"); got != float64(1) || in.commit() != "v1" {
		t.Errorf("generation %v serves", got)
	}
	pid := in.statusField("app", "pid").(float64)
	if out, err := exec.Command("kill", "-9", fmt.Sprint(int(pid))).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	in.await("it is back", func() bool { return in.statusField("app", "generation") == float64(2) })
	if got := in.commit(); got != "v1" {
		t.Errorf("%q answers", got)
	}
}

// The manifest's env reaches the app.
func TestRun_TheManifestsEnvironmentReachesTheApp(t *testing.T) {
	t.Parallel()
	script := `require('node:http').createServer((req, res) => res.end(JSON.stringify({commit: process.env.FLAVOUR || 'none'}))).listen(process.env.PORT)`
	in := launch(t, scriptApp(t, script), node, "--commit", "v1", "--settle", "0s")
	if out, code := pitstop(t, "publish", scriptApp(t, script), "--commit", "v2", "--releases", in.store, "--env", "FLAVOUR=a=b c"); code != 0 {
		t.Fatal(out)
	}
	if got := in.commit(); got != "none" {
		t.Errorf("the image's code has %q", got)
	}
	in.mustReload("v2")
	if got := in.commit(); got != "a=b c" {
		t.Errorf("the release has %q", got)
	}
}
