package cli

import (
	"context"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"pitstop/control"
	"pitstop/control/controlpb"
)

type reloadCmd struct {
	Commit   string `arg:"" help:"The commit to run; an older one is the rollback."`
	Addr     string `default:"127.0.0.1:7400" help:"The instance's gRPC door."`
	Force    bool   `help:"Also a commit that failed on this instance, also when the hold leaves no time for a drain."`
	NoLaunch bool   `help:"Only fetch the release."`
	Relaunch bool   `help:"Also if the app runs the commit already."`
}

func (c *reloadCmd) run(p Process, m *mistakes) int {
	if m.any() {
		return m.tell(p.Stderr)
	}
	client, err := control.Dial(c.Addr)
	if err != nil {
		return fail(p, "reload", err)
	}
	defer client.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	resp, err := client.Reload(ctx, &controlpb.ReloadRequest{
		Commit: c.Commit, Force: c.Force, NoLaunch: c.NoLaunch, Relaunch: c.Relaunch,
	})
	switch {
	case ctx.Err() != nil:
		return fail(p, "reload", fmt.Errorf("not waited for: it goes on, see pitstop status --addr %s", c.Addr))
	case err != nil:
		return fail(p, "reload", err)
	}
	fmt.Fprintln(p.Stdout, describe(c.Commit, resp))
	return exitOK
}

// describe says in a line what a reload did.
func describe(commit string, r *controlpb.ReloadResponse) string {
	switch {
	case r.GetUnchanged():
		return r.GetCommit() + " serves already, nothing done"
	case r.GetStaged():
		return commit + " is fetched, " + r.GetCommit() + " serves"
	}
	steps := make([]string, len(r.GetSteps()))
	for i, s := range r.GetSteps() {
		steps[i] = s.GetStep() + " " + s.GetTook().AsDuration().Round(time.Millisecond).String()
	}
	line := fmt.Sprintf("%s → %s %s in %s: %s", r.GetPrevious(), r.GetCommit(), r.GetStrategy(),
		r.GetTook().AsDuration().Round(time.Millisecond), strings.Join(steps, ", "))
	if r.GetWhy() != "" {
		line += " (" + r.GetWhy() + ")"
	}
	if r.GetCut() != "" {
		line += "; cut off: " + r.GetCut()
	}
	return line
}
