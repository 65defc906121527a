package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pitstop/supervisor"
)

func TestCheck_RefusesCommandsThatWouldNotRunTheRelease(t *testing.T) {
	image, release, elsewhere := t.TempDir(), t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(image, "server.js"), filepath.Join(release, "server.js"), filepath.Join(release, "dist.cjs"), filepath.Join(elsewhere, "otel.js")} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		command []string
		says    string // empty: accepted
	}{
		{[]string{"node", "server.js"}, ""},
		{[]string{"node", "./server"}, ""},
		{[]string{"node", "--require", filepath.Join(elsewhere, "otel.js"), "server.js"}, ""},
		{[]string{"sh", "-c", "exec node server.js"}, ""},
		{[]string{"node", "main.js"}, "has no main.js"},
		{[]string{"node", filepath.Join(image, "server.js")}, "a file of the image"},
		{[]string{"node", "--import=" + filepath.Join(image, "hook.mjs"), "server.js"}, "a file of the image"},
		{[]string{"node", filepath.Join(elsewhere, "server.js")}, "outside of every release"},
		{[]string{"./start.sh"}, "cannot be found"},
	} {
		l := &launcher{command: tc.command, base: os.Environ(), settings: settings{dir: image}}
		err := l.Check(supervisor.Release{Commit: "v2", Dir: release})
		if got := errorText(err); (tc.says == "") != (got == "") || !strings.Contains(got, tc.says) {
			t.Errorf("%v: %q, want %q", tc.command, got, tc.says)
		}
	}
}

func TestEnvFile_ReadsLinesAsDockerDoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(path, []byte("# comment\n\nA=1\r\nB=x=y \"z\"\nC=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env, err := readEnvFile(path)
	if err != nil || len(env) != 3 || env["A"] != "1" || env["B"] != `x=y "z"` || env["C"] != "" {
		t.Errorf("%q, %v", env, err)
	}
	for _, bad := range []string{"A", "1A=x", "=x", "export A=1"} {
		if err := os.WriteFile(path, []byte("OK=1\n"+bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readEnvFile(path); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := readEnvFile(path + "x"); err == nil {
		t.Error("a file that is not there")
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
