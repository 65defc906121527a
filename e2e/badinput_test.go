package e2e

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const echoApp = `
	const http = require('node:http')
	http.createServer((req, res) => res.end(JSON.stringify({commit: process.env.PITSTOP_COMMIT}))).listen(process.env.PORT)`

func TestReload_BadInputIsToldAndNothingIsLost(t *testing.T) {
	t.Parallel()
	in := launch(t, scriptApp(t, echoApp), node, "--commit", "v1")
	in.publish(scriptApp(t, echoApp), "v2")
	pid := in.statusField("app", "pid")

	in.mustFail(`{"commit":"v9"}`, "NotFound", "v9")
	for _, name := range []string{"../x", "", ".x", "a/b", strings.Repeat("a", 200)} {
		in.mustFail(`{"commit":"`+name+`"}`, "InvalidArgument", "commit")
	}

	archive := filepath.Join(in.store, "v2.tar.zst")
	whole := []byte(read(t, archive))
	broken := bytes.Clone(whole)
	broken[len(broken)/2] ^= 1
	for name, content := range map[string][]byte{"corrupt": broken, "truncated": whole[:len(whole)/2], "empty": nil} {
		write(t, in.store, "v2.tar.zst", string(content))
		in.mustFail(`{"commit":"v2"}`, "DataLoss", "SHA-256", "v2")
		if left, _ := os.ReadDir(in.releaseDir); len(left) > 0 {
			t.Errorf("%s: left behind %v", name, left)
		}
	}
	write(t, in.store, "v2.tar.zst", string(whole))

	if got := in.statusField("app", "pid"); got != pid || in.commit() != "v1" {
		t.Errorf("the app was touched: pid %v, was %v", got, pid)
	}
	in.mustReload("v2")

	// Without the store what is on the disk can be had, and the rest is told.
	if err := os.RemoveAll(in.store); err != nil {
		t.Fatal(err)
	}
	in.mustFail(`{"commit":"v3"}`, "Unavailable", "v3")
	in.mustReload("v1")
	in.mustReload("v2")
	if got := in.commit(); got != "v2" {
		t.Errorf("%s serves", got)
	}
}

// Promise 4: one reload at a time.
func TestReload_TheSameCommitJoinsAnotherIsToldItIsBusy(t *testing.T) {
	t.Parallel()
	in := launch(t, scriptApp(t, echoApp), node, "--commit", "v1", "--settle", "0s")
	in.publish(scriptApp(t, "setTimeout(() => {"+echoApp+"}, 3000)"), "slow")
	in.publish(scriptApp(t, echoApp), "v3")
	results := make(chan error, 2)
	reload := func() { _, err := in.reload(`{"commit":"slow"}`); results <- err }
	go reload()
	in.await("the reload is under way", func() bool { return in.statusField("reloading", "commit") == "slow" })
	go reload()
	in.mustFail(`{"commit":"v3"}`, "Aborted", "slow")

	// A caller that hangs up ends its waiting, not the reload.
	cmd := exec.Command(grpcurl, "-plaintext", "-max-time", "0.2", "-d", `{"commit":"slow"}`, in.control, "pitstop.v1.Control/Reload")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "DeadlineExceeded") {
		t.Errorf("the caller that hung up got %s", out)
	}
	for range 2 {
		if err := <-results; err != nil {
			t.Errorf("a caller of slow: %v", err)
		}
	}
	if in.commit() != "slow" || in.statusField("app", "generation") != float64(2) {
		t.Errorf("%s serves, generation %v", in.commit(), in.statusField("app", "generation"))
	}
	if resp, err := in.reload(`{"commit":"slow"}`); err != nil || resp["unchanged"] != true {
		t.Errorf("again: %v, %v", resp, err)
	}
}

func TestRun_AllMistakesAreToldAtOnceAndNoChildIsLeft(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	ports := freePorts(t, 3)
	good := []string{"run", "--listen", "127.0.0.1:" + ports[0], "--control", "127.0.0.1:" + ports[1], "--app-port", ports[2]}
	dir := scriptApp(t, echoApp)

	for name, tc := range map[string]struct {
		args []string
		env  string
		code int
		says []string
	}{
		"no command":          {good, "", 2, []string{"no command", "pitstop run -- node server.js"}},
		"command without --":  {append(good[:len(good):len(good)], "node"), "", 2, []string{"unexpected argument node"}},
		"command not found":   {with(good, "--", "nodde", "server.js"), "", 1, []string{"nodde", "not found"}},
		"unknown flag":        {with(good, "--drain-timeot", "5s", "--", "node", "server.js"), "", 2, []string{"--drain-timeot", "--drain-timeout"}},
		"unknown variable":    {with(good, "--", "node", "server.js"), "PITSTOP_DRAIN_TIMEOT=5s", 2, []string{"PITSTOP_DRAIN_TIMEOT"}},
		"malformed flag":      {with(good, "--bake", "soon", "--", "node", "server.js"), "", 2, []string{"--bake", `"soon"`, "30s"}},
		"malformed variable":  {with(good, "--", "node", "server.js"), "PITSTOP_HOLD_MAX=many", 2, []string{"PITSTOP_HOLD_MAX", `"many"`, "number"}},
		"negative":            {with(good, "--bake=-5s", "--", "node", "server.js"), "", 2, []string{"--bake"}},
		"PORT no port":        {with([]string{"run"}, "--", "node", "server.js"), "PORT=http", 2, []string{"PORT", "http"}},
		"same port":           {with(good, "--listen", "127.0.0.1:"+ports[2], "--connect", "tcp", "--", "node", "server.js"), "", 2, []string{"--listen", "--app-port"}},
		"listen port taken":   {with(good, "--listen", "127.0.0.1:"+port, "--", "node", "server.js"), "", 1, []string{"--listen", "address already in use"}},
		"app port taken":      {with(good, "--app-port", port, "--", "node", "server.js"), "", 1, []string{"port " + port + " is taken"}},
		"store missing":       {with(good, "--releases", "/nowhere/store", "--", "node", "server.js"), "", 1, []string{"/nowhere/store", "no such file"}},
		"bad commit":          {with(good, "--commit", "../x", "--", "node", "server.js"), "", 2, []string{"--commit"}},
		"publish without all": {[]string{"publish"}, "", 2, []string{"DIR", "--commit", "--releases", "3 mistakes"}},
		"several": {with(good, "--bake", "soon", "--hold-max", "x", "--restart", "sometimes", "--unknown", "--", "nodde"), "PITSTOP_FOO=1", 2,
			[]string{"--bake", "--hold-max", "--restart", "--unknown", "nodde", "PITSTOP_FOO", "6 mistakes"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(binary, tc.args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), tc.env)
			out := &bytes.Buffer{}
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() { _ = cmd.Wait(); close(done) }()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				_ = cmd.Process.Kill()
				t.Fatalf("does not end; it said\n%s", out)
			}
			if got := cmd.ProcessState.ExitCode(); got != tc.code {
				t.Errorf("exit code %d, want %d", got, tc.code)
			}
			for _, want := range tc.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it says\n%s\nand not %q", out, want)
				}
			}
		})
	}
	if conn, err := net.Dial("tcp", "127.0.0.1:"+ports[2]); err == nil {
		_ = conn.Close()
		t.Error("an app was left behind")
	}
}

// with appends flags without touching what other cases share.
func with(args []string, more ...string) []string {
	return append(args[:len(args):len(args)], more...)
}
