package control

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"pitstop/control/controlpb"
	"pitstop/supervisor"
)

func reloadResponse(o supervisor.Outcome) *controlpb.ReloadResponse {
	resp := &controlpb.ReloadResponse{
		Commit: o.Commit, Previous: o.Previous, Unchanged: o.Unchanged, Staged: o.Staged,
		Strategy: o.Strategy, Took: durationpb.New(o.Took), Cut: o.Cut, Why: o.Why,
	}
	for _, s := range o.Steps {
		resp.Steps = append(resp.Steps, &controlpb.StepTook{Step: string(s.Step), Took: durationpb.New(s.Took)})
	}
	return resp
}

func statusResponse(st supervisor.Status, now time.Time) *controlpb.StatusResponse {
	resp := &controlpb.StatusResponse{
		State: st.State, Commit: st.Commit, ImageCommit: st.Image, GoodCommit: st.Good, Baked: st.Baked,
		BadCommits: st.Bad, Deaths: int32(st.Deaths), Retiring: int32(st.Retiring),
		Held: &controlpb.Held{Now: int32(st.Held.Now), Total: int64(st.Held.Total), Longest: durationpb.New(st.Held.Longest)},
	}
	if st.Held.Now > 0 {
		resp.Held.Oldest = durationpb.New(now.Sub(st.Held.Oldest))
	}
	if st.Pid != 0 {
		resp.App = &controlpb.App{
			Pid: int32(st.Pid), Generation: int32(st.Generation), Address: st.Addr,
			ReadySince: timestamppb.New(st.Ready), ReleaseDir: st.Dir, Digest: st.Digest, Entry: st.Entry, InFlight: inFlight(st.Visits.ByKind()),
		}
	}
	if st.Reloading != "" {
		resp.Reloading = &controlpb.Reloading{Commit: st.Reloading, Step: string(st.Step)}
	}
	return resp
}

func inFlight(byKind map[string]int) map[string]int32 {
	m := make(map[string]int32, len(byKind))
	for kind, n := range byKind {
		m[kind] = int32(n)
	}
	return m
}
