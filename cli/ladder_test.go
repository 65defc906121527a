package cli

import (
	"strings"
	"testing"
	"time"
)

func TestLadder_TellsWhichTimesDoNotFit(t *testing.T) {
	good := runFlags{
		TaskStopTimeout: 30 * time.Second, LameDuck: 5 * time.Second, StopTimeout: 10 * time.Second,
		HoldTimeout: 30 * time.Second, Settle: 2 * time.Second, Bake: 15 * time.Second,
		proxyFlags: proxyFlags{IdleTimeout: 75 * time.Second}, Command: []string{"node", "server.js"},
	}
	if says := problems(good.ladder()); says != "" {
		t.Errorf("the defaults: %s", says)
	}
	for name, tc := range map[string]struct {
		change func(*runFlags)
		says   string
	}{
		"no time to end":   {func(f *runFlags) { f.TaskStopTimeout = time.Second }, "error ending: --task-stop-timeout 1s"},
		"ending cut":       {func(f *runFlags) { f.LameDuck = 18 * time.Second }, "warning ending: --lame-duck 18s and --stop-timeout 10s"},
		"beyond Fargate":   {func(f *runFlags) { f.TaskStopTimeout = 3 * time.Minute }, "warning ending: --task-stop-timeout is 3m0s"},
		"hold as balancer": {func(f *runFlags) { f.HoldTimeout = time.Minute }, "warning hold: --hold-timeout 1m0s"},
		"idle":             {func(f *runFlags) { f.IdleTimeout = time.Minute }, "warning idle: --idle-timeout 1m0s"},
		"bake":             {func(f *runFlags) { f.Bake = time.Second }, "warning bake: --bake 1s"},
		"npm":              {func(f *runFlags) { f.Command = []string{"npm", "start"} }, "warning command: npm stands between"},
	} {
		f := good
		tc.change(&f)
		if says := problems(f.ladder()); !strings.HasPrefix(says, tc.says) {
			t.Errorf("%s: says %q, want %q", name, says, tc.says)
		}
	}
}

func TestHoldLeft_ComparesWithMeasuredTimes(t *testing.T) {
	f := runFlags{HoldTimeout: 30 * time.Second, Settle: 2 * time.Second}
	for _, tc := range []struct {
		start time.Duration
		want  level
	}{{time.Second, fine}, {23 * time.Second, warning}, {25 * time.Second, failure}} {
		if got := f.holdLeft(tc.start, time.Second)[0]; got.Level != tc.want {
			t.Errorf("start %s: %+v, want %s", tc.start, got, tc.want)
		}
	}
}

func problems(fs []finding) string {
	var says []string
	for _, f := range fs {
		if f.Level != fine {
			says = append(says, string(f.Level)+" "+f.Check+": "+f.Text)
		}
	}
	return strings.Join(says, "\n")
}
