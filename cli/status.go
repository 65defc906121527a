package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"pitstop/control"
	"pitstop/control/controlpb"
)

type statusCmd struct {
	Addr    string        `default:"127.0.0.1:7400" help:"The instance's gRPC door."`
	Output  string        `default:"text" help:"text or json."`
	Timeout time.Duration `default:"5s" help:"How long to wait for the answer."`
}

func (c *statusCmd) run(p Process, m *mistakes) int {
	m.oneOf("--output", c.Output, "text", "json")
	if m.any() {
		return m.tell(p.Stderr)
	}
	client, err := control.Dial(c.Addr)
	if err != nil {
		return fail(p, "status", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	st, err := client.Status(ctx)
	if err != nil {
		return fail(p, "status", err)
	}
	if c.Output == "json" {
		fmt.Fprintln(p.Stdout, control.JSON(st))
	} else {
		writeStatus(p.Stdout, st)
	}
	return exitOK
}

func writeStatus(w io.Writer, st *controlpb.StatusResponse) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("state", "%s", st.GetState())
	if st.GetUnhealthy() != "" {
		row("unhealthy", "%s", st.GetUnhealthy())
	}
	row("commit", "%s (image %s, last good %s)", st.GetCommit(), st.GetImageCommit(), orNone(st.GetGoodCommit()))
	if r := st.GetReloading(); r != nil {
		row("reloading", "to %s, at step %s", r.GetCommit(), orNone(r.GetStep()))
	}
	if app := st.GetApp(); app != nil {
		row("app", "pid %d, generation %d, at %s, ready since %s", app.GetPid(), app.GetGeneration(), app.GetAddress(),
			app.GetReadySince().AsTime().Format(time.RFC3339))
		row("release", "%s %s", app.GetReleaseDir(), app.GetDigest())
		row("runs", "%s", orNone(app.GetEntry()))
		row("in flight", "%s", counts(app.GetInFlight()))
	}
	h := st.GetHeld()
	row("held", "%d now, %d ever, longest %s", h.GetNow(), h.GetTotal(), h.GetLongest().AsDuration().Round(time.Millisecond))
	if st.GetRetiring() > 0 {
		row("retiring", "%d older processes still drain", st.GetRetiring())
	}
	if st.GetDeaths() > 0 {
		row("deaths", "%d within the restart window", st.GetDeaths())
	}
	for _, commit := range slices.Sorted(maps.Keys(st.GetBadCommits())) {
		row("bad", "%s: %s", commit, st.GetBadCommits()[commit])
	}
	row("pitstop", "%s", st.GetVersion())
	_ = t.Flush()
}

func counts(byKind map[string]int32) string {
	var out string
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		if n := byKind[kind]; n > 0 {
			out += fmt.Sprintf("%d %s ", n, kind)
		}
	}
	return orNone(out)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
