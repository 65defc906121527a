package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"pitstop/e2e/load"
)

var node = []string{"node", "server.js"}

// hangUp is a signal that pitstop passes on to the app.
const hangUp = syscall.SIGHUP

// dyingApp becomes ready and dies a second later.
const dyingApp = `
	const http = require('node:http')
	http.createServer((req, res) => {
		const url = new URL(req.url, 'http://x')
		setTimeout(() => res.end(JSON.stringify({commit: 'dying'})), Number(url.searchParams.get('ms')) || 0)
	}).listen(process.env.PORT)
	setTimeout(() => process.exit(5), 1000)`

// mixed is what the reload tests send: 64 connections of GETs, of POSTs from nothing to 1 MiB, and of requests that take
// three seconds.
func mixed(in *instance) load.Config {
	return load.Config{
		Addr: in.addr, Workers: 64, Pause: 20 * time.Millisecond, Patience: 40 * time.Second,
		Mix: []load.Kind{load.Get, load.Get, load.Get, load.Get, load.Get, load.Get, load.Upload, load.Upload, load.Upload,
			load.Slow, load.SlowPost},
		SlowTime: 3 * time.Second,
		Bodies:   []int{0, 1, 1000, 64 << 10, 64<<10 + 1, 200_000, 1 << 20},
	}
}

// window is a time during which a commit may have answered.
type window struct {
	commit   string
	from, to time.Time
}

// Promise 1: a reload loses no request.
func TestReload_LosesNoRequest(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		v1, v2 := exampleApp(t, "v1"), exampleApp(t, "v2")
		in := launch(t, v1, node, "--engine", engine, "--commit", "v1", "--strategy", "in-place", "--settle", "200ms")
		in.publish(v2, "v2")
		requests := load.Start(mixed(in))
		check(t, in, requests, reloadToAndFro(t, in, requests, 20))
		if st := in.terminate(); st != 0 {
			t.Errorf("exit code %d, want the app's own 0", st)
		}
	})
}

// Promise 3: a release that does not become ready never gets a request; the previous one comes back by itself. And
// one that dies soon after loses none either.
func TestReload_OfABrokenReleaseLosesNoRequest(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		v1 := exampleApp(t, "v1")
		in := launch(t, v1, node, "--engine", engine, "--commit", "v1", "--strategy", "in-place", "--ready-timeout", "2s")
		in.publish(scriptApp(t, `throw new Error("broken at the start")`), "throws")
		in.publish(scriptApp(t, `setInterval(() => {}, 1000)`), "silent")
		in.publish(scriptApp(t, dyingApp), "dying")
		requests := load.Start(mixed(in))
		windows := []window{{commit: "v1", from: time.Now(), to: time.Now().Add(time.Hour)}}
		for range 2 {
			in.mustFail(`{"commit":"throws","force":true}`, "FailedPrecondition", `"ready"`, "exited with code 1", "v1 serves")
			awaitAnswers(t, requests, "v1")
			in.mustFail(`{"commit":"silent","force":true}`, "FailedPrecondition", `"ready"`, "not ready in time", "does not listen", "v1 serves")
			awaitAnswers(t, requests, "v1")
			from := time.Now()
			in.mustFail(`{"commit":"dying","force":true}`, "FailedPrecondition", `"settle"`, "exited with code 5", "v1 serves")
			windows = append(windows, window{"dying", from, time.Now()})
			awaitAnswers(t, requests, "v1")
		}
		in.mustFail(`{"commit":"throws"}`, "FailedPrecondition", "marked bad", "force")
		check(t, in, requests, windows)
	})
}

// reloadToAndFro reloads n times, from v1 to v2 and back, and returns when each served.
func reloadToAndFro(t *testing.T, in *instance, requests *load.Load, n int) []window {
	t.Helper()
	windows := []window{{commit: "v1", from: time.Now()}}
	for i := range n {
		commit := []string{"v2", "v1"}[i%2]
		windows = append(windows, window{commit: commit, from: time.Now()})
		in.mustReload(commit)
		windows[len(windows)-2].to = time.Now()
		awaitAnswers(t, requests, commit)
	}
	windows[len(windows)-1].to = time.Now().Add(time.Hour)
	return windows
}

// awaitAnswers lets the load run on until a commit has answered for a while.
func awaitAnswers(t *testing.T, requests *load.Load, commit string) {
	t.Helper()
	had := requests.Totals().ByCommit[commit]
	deadline := time.Now().Add(20 * time.Second)
	for requests.Totals().ByCommit[commit] < had+100 {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %+v", commit, requests.Totals())
		}
		<-time.After(10 * time.Millisecond)
	}
}

// check ends the load and looks at every request: answered, once, by a commit that was serving.
func check(t *testing.T, in *instance, requests *load.Load, windows []window) {
	t.Helper()
	records := requests.Stop()
	totals := requests.Totals()
	t.Logf("%d sent, %d answered, %d lost, longest wait %s, by commit %v",
		totals.Sent, totals.Answered, totals.Lost, totals.Longest.Round(time.Millisecond), totals.ByCommit)
	var lost []string
	for _, r := range records {
		if r.Err != nil {
			lost = append(lost, fmt.Sprintf("%s %s after %s: %v", r.ID, r.Kind, r.End.Sub(r.Start).Round(time.Millisecond), r.Err))
		} else if !served(windows, r) {
			t.Errorf("%s %s was answered by %q, which did not serve from %s to %s", r.ID, r.Kind, r.Commit, r.Start, r.End)
		}
	}
	if lost != nil {
		t.Errorf("%d lost:\n%s", len(lost), strings.Join(lost[:min(len(lost), 10)], "\n"))
	}
	if len(records) != totals.Sent || totals.Answered == 0 {
		t.Errorf("%d records of %d requests", len(records), totals.Sent)
	}
	checkOnce(t, in, records)
}

// checkOnce looks into the app's own log: it has seen every POST exactly once.
func checkOnce(t *testing.T, in *instance, records []load.Record) {
	t.Helper()
	seen := map[string]int{}
	for _, line := range regexp.MustCompile(`(?m)^POST \S+ 200 (\S+)$`).FindAllStringSubmatch(read(t, in.stdout), -1) {
		seen[line[1]]++
	}
	for _, r := range records {
		if (r.Kind == load.Upload || r.Kind == load.SlowPost) && r.Err == nil && seen[r.ID] != 1 {
			t.Errorf("%s %s was seen %d times by the app", r.ID, r.Kind, seen[r.ID])
		}
	}
}

func served(windows []window, r load.Record) bool {
	for _, w := range windows {
		if w.commit == r.Commit && r.Start.Before(w.to) && r.End.After(w.from) {
			return true
		}
	}
	return false
}
