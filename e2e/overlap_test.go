package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pitstop/e2e/load"
)

// Promise 1, without anybody waiting: in an overlap no request is even held.
func TestOverlap_LosesNoRequestAndHoldsNone(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for name, hardCoded := range map[string]bool{"PORT": false, "hard-coded port": true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				port := freePorts(t, 1)[0]
				v1, v2 := exampleApp(t, "v1"), exampleApp(t, "v2")
				reloads := map[string]int{lean: 50, std: 20}[engine]
				if hardCoded {
					for _, dir := range []string{v1, v2} {
						script := read(t, filepath.Join(dir, "server.js"))
						write(t, dir, "server.js", strings.Replace(script, "Number(process.env.PORT || 3000)", port, 1))
					}
				}
				in := launch(t, v1, node, "--engine", engine, "--commit", "v1", "--strategy", "overlap", "--settle", "100ms", "--app-port", port)
				in.publish(v2, "v2")
				requests := load.Start(mixed(in))
				check(t, in, requests, reloadToAndFro(t, in, requests, reloads))
				if held := in.statusField("held", "total"); held != "0" {
					t.Errorf("%v requests were held", held)
				}
			})
		}
	})
}

func TestOverlap_OfABrokenReleaseLosesNoRequestAndHoldsNone(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		v1 := exampleApp(t, "v1")
		in := launch(t, v1, node, "--engine", engine, "--commit", "v1", "--strategy", "overlap", "--ready-timeout", "2s")
		in.publish(scriptApp(t, `throw new Error("broken at the start")`), "throws")
		in.publish(scriptApp(t, `setInterval(() => {}, 1000)`), "silent")
		in.publish(scriptApp(t, dyingApp), "dying")
		requests := load.Start(mixed(in))
		windows := []window{{commit: "v1", from: time.Now(), to: time.Now().Add(time.Hour)}}
		in.mustFail(`{"commit":"throws"}`, "FailedPrecondition", `"ready"`, "exited with code 1", "v1 serves")
		in.mustFail(`{"commit":"silent"}`, "FailedPrecondition", `"ready"`, "not ready in time", "v1 serves")
		from := time.Now()
		in.mustFail(`{"commit":"dying"}`, "FailedPrecondition", `"settle"`, "exited with code 5", "v1 serves")
		windows = append(windows, window{"dying", from, time.Now()})
		awaitAnswers(t, requests, "v1")
		check(t, in, requests, windows)
		if generation := in.statusField("app", "generation"); generation != float64(1) {
			t.Errorf("generation %v serves, want the first", generation)
		}
	})
}

func TestOverlap_ASecondPortForcesInPlaceAndSaysWhy(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 1)
	script := fmt.Sprintf("%s; require('node:net').createServer().listen(%s)", echoApp, ports[0])
	dir := scriptApp(t, script)
	in := launch(t, dir, node, "--commit", "v1", "--strategy", "overlap", "--settle", "0s")
	in.publish(dir, "v2")
	in.mustFail(`{"commit":"v2"}`, "FailedPrecondition", "listens on port "+ports[0], "in-place")
	resp, err := in.reload(`{"commit":"v2","force":true}`)
	if err != nil || resp["strategy"] != "in-place" || !strings.Contains(fmt.Sprint(resp["why"]), ports[0]) {
		t.Errorf("forced: %v, %v", resp, err)
	}
}

func TestRun_SidecarsReachTheAppAtItsPort(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launch(t, exampleApp(t, "v1"), node, "--engine", engine, "--commit", "v1")
		in.await("the app's port answers", func() bool {
			resp, err := http.Get("http://localhost:" + in.appPort + "/healthz")
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
		if addr, _ := in.statusField("app", "address").(string); !strings.HasPrefix(addr, "unix:") {
			t.Errorf("the app is reached at %q", addr)
		}
		want, _ := filepath.EvalSymlinks(filepath.Join(in.cmd.Dir, "server.js"))
		if got := in.statusField("app", "entry"); got != want {
			t.Errorf("it runs %v, want %s", got, want)
		}
	})
}

// Where a container's PORT names pitstop's public port too, the app is reached by its socket.
func TestRun_TheAppMayHavePitstopsOwnPort(t *testing.T) {
	t.Parallel()
	port := freePorts(t, 1)[0]
	in := start(t, exampleApp(t, "v1"), node, "--commit", "v1", "--listen", "127.0.0.1:"+port, "--app-port", port)
	in.addr = "127.0.0.1:" + port
	in.await("healthy", func() bool { return in.status("/_pitstop/ready") == http.StatusOK })
	if got := in.commit(); got != "v1" {
		t.Errorf("%q answers", got)
	}
}

func TestReload_TheCommandThatWouldRunTheImagesCodeForEverIsRefused(t *testing.T) {
	t.Parallel()
	dir := scriptApp(t, echoApp)
	for name, command := range map[string][]string{
		"script": {"node", filepath.Join(dir, "server.js")},
		"option": {"node", "--require=" + filepath.Join(dir, "server.js"), "server.js"},
	} {
		t.Run(name, func(t *testing.T) {
			in := launch(t, dir, command, "--commit", "v1")
			in.publish(dir, "v2")
			in.mustFail(`{"commit":"v2"}`, "FailedPrecondition", filepath.Join(dir, "server.js"), "relatively")
		})
	}
	in := launch(t, dir, node, "--commit", "v1")
	other := t.TempDir()
	write(t, other, "main.js", "")
	in.publish(other, "other")
	in.mustFail(`{"commit":"other"}`, "FailedPrecondition", "has no server.js")
	if in.statusField("app", "generation") != float64(1) {
		t.Error("the app was touched")
	}
}

func TestRun_TheAppAsksForTheStagedCommitByItsExitCode(t *testing.T) {
	t.Parallel()
	asking := echoApp + `; process.on('SIGHUP', () => process.exit(88))`
	dir := scriptApp(t, asking)
	in := launch(t, dir, node, "--commit", "v1", "--restart", "no", "--settle", "0s")
	in.publish(dir, "v2")
	if _, err := in.reload(`{"commit":"v2","no_launch":true}`); err != nil {
		t.Fatal(err)
	}
	if err := in.cmd.Process.Signal(hangUp); err != nil { // forwarded to the app
		t.Fatal(err)
	}
	in.await("v2 serves", func() bool { return in.statusField("commit") == "v2" && in.statusField("state") == "serving" })
	if got := in.commit(); got != "v2" {
		t.Errorf("%s answers", got)
	}
}

func TestRun_AnAppThatHangsIsReplaced(t *testing.T) {
	t.Parallel()
	in := launch(t, scriptApp(t, `
		const http = require('node:http')
		http.createServer((req, res) => {
			if (req.url === '/hang') for (;;) {}
			res.end(JSON.stringify({commit: process.env.PITSTOP_COMMIT}))
		}).listen(process.env.PORT)`), node, "--commit", "v1", "--ready-path", "/", "--stop-timeout", "1s")
	go in.status("/hang")
	in.await("another process serves", func() bool { return in.statusField("app", "generation") == float64(2) })
	in.await("the log says so", func() bool { return strings.Contains(read(t, in.stderr), "the app hangs") })
	if got := in.commit(); got != "v1" {
		t.Errorf("%q answers", got)
	}
}

// Without a ready path the event loop itself tells: half a minute of silence is the end.
func TestRun_AnAppWhoseEventLoopStandsStillIsReplaced(t *testing.T) {
	t.Parallel()
	in := launch(t, scriptApp(t, `
		const http = require('node:http')
		http.createServer((req, res) => {
			if (req.url === '/hang') for (;;) {}
			res.end(JSON.stringify({commit: process.env.PITSTOP_COMMIT}))
		}).listen(process.env.PORT)`), node, "--commit", "v1", "--stop-timeout", "1s")
	<-time.After(2 * time.Second) // until its loop has told once that it turns: without that nothing can be said of it
	go in.status("/hang")
	in.awaitFor(time.Minute, "another process serves", func() bool { return in.statusField("app", "generation") == float64(2) })
	if got := in.commit(); got != "v1" {
		t.Errorf("%q answers", got)
	}
}

// A runtime that does not listen through Node's net is reached at its port, and replaced in place.
func TestReload_AnAppThatIsNoNodeIsReachedAtItsPort(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(file, []byte("PLAY_SERVER=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := scriptApp(t, "")
	in := launch(t, dir, []string{self}, "--commit", "v1", "--env-file", file, "--settle", "0s")
	in.publish(dir, "v2")
	resp, err := in.reload(`{"commit":"v2"}`)
	if err != nil || resp["strategy"] != "in-place" || !strings.Contains(fmt.Sprint(resp["why"]), "over TCP") || in.commit() != "v2" {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestRun_USR1IsPassedOnOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	app := scriptApp(t, echoApp+`; process.on('SIGUSR1', () => console.log('got USR1')); process.on('SIGUSR2', () => console.log('got USR2'))`)
	for _, asked := range []bool{false, true} {
		var flags []string
		if asked {
			flags = []string{"--forward-usr1"}
		}
		in := launch(t, app, node, flags...)
		for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2} {
			if err := in.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
		}
		in.await("USR2 has arrived", func() bool { return strings.Contains(read(t, in.stdout), "got USR2") })
		if asked {
			in.await("USR1 has arrived", func() bool { return strings.Contains(read(t, in.stdout), "got USR1") })
		}
		if in.terminate(); strings.Contains(read(t, in.stdout), "got USR1") != asked {
			t.Errorf("asked for %t, the app's log is\n%s", asked, read(t, in.stdout))
		}
	}
}

func TestRun_TheEnvironmentIsReadAtEveryLaunch(t *testing.T) {
	t.Parallel()
	dir := scriptApp(t, `
		require('node:http').createServer((req, res) => res.end(JSON.stringify({commit: process.env.SECRET}))).listen(process.env.PORT)`)
	file := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(file, []byte("# rotated every night\nSECRET=one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := launch(t, dir, node, "--commit", "v1", "--env-file", file, "--settle", "0s")
	if got := in.commit(); got != "one" {
		t.Errorf("the app has %q", got)
	}
	if err := os.WriteFile(file, []byte("SECRET=two=2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := in.reload(`{"commit":"v1","relaunch":true}`); err != nil {
		t.Fatal(err)
	}
	if got := in.commit(); got != "two=2" {
		t.Errorf("after a relaunch the app has %q", got)
	}
	if err := os.WriteFile(file, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in.mustFail(`{"commit":"v1","relaunch":true}`, "FailedPrecondition", "line 1", "NAME=VALUE")
}

func TestRun_TheAppsLogIsOneObjectALine(t *testing.T) {
	t.Parallel()
	in := launch(t, scriptApp(t, echoApp+`; console.log('out'); console.error('err'); process.on('SIGTERM', () => { process.stdout.write('last words'); process.exitCode = 0; process.exit() })`),
		node, "--commit", "v1", "--child-log", "json")
	in.terminate()
	log := read(t, in.stdout)
	for _, want := range []string{`"stream":"stdout","line":"out"`, `"stream":"stderr","line":"err"`, `last words`, `"commit":"v1"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log is\n%s\nand has no %s", log, want)
		}
	}
}

func TestRun_TheAppRunsAsItsUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can run the app as another user")
	}
	dir := scriptApp(t, `
		require('node:http').createServer((req, res) => res.end(JSON.stringify({commit: process.getuid() + ':' + process.getgid() + ':' + process.env.HOME}))).listen(process.env.PORT)`)
	for path := dir; path != "/tmp" && path != "/"; path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "node", "-e", "0").CombinedOutput(); err != nil {
		t.Skipf("another user cannot run node here: %v %s", err, out)
	}
	in := launch(t, dir, node, "--commit", "v1", "--user", "65534:65534")
	if got := in.commit(); got != "65534:65534:/nonexistent" {
		t.Errorf("the app runs as %s", got)
	}
	if addr, _ := in.statusField("app", "address").(string); !strings.HasPrefix(addr, "unix:") {
		t.Errorf("the app is reached at %q", addr)
	}
}
