package cli

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/child/memory"
	"pitstop/supervisor"
)

// sampleEvery is how often the app's memory is looked at.
const sampleEvery = 5 * time.Second

// room tells the supervisor about memory.
type room struct {
	memory *memory.Room
	log    hclog.Logger

	mu   sync.Mutex
	pid  int // whose peak it is
	peak *memory.Peak
}

func newRoom(env []string, log hclog.Logger) *room {
	uri, _ := variable(env, "ECS_CONTAINER_METADATA_URI_V4")
	return &room{memory: memory.New(memory.Config{MetadataURI: uri}), log: log.Named("memory")}
}

// watch samples the memory of the app that serves, until ctx ends.
func (r *room) watch(ctx context.Context, s *supervisor.Supervisor) error {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if pid := s.Status().Pid; pid != 0 {
				_ = r.peakOf(pid).Sample(pid) // gone meanwhile
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *room) peakOf(pid int) *memory.Peak {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pid != pid {
		r.pid, r.peak = pid, &memory.Peak{}
	}
	return r.peak
}

// Fits implements supervisor.Room.
func (r *room) Fits(ctx context.Context, pid int) (bool, string) {
	peak := r.peakOf(pid)
	if err := peak.Sample(pid); err != nil {
		r.log.Debug("the app's memory cannot be read", "pid", pid, "err", err)
	}
	verdict := r.memory.Verdict(ctx, peak.Need())
	return verdict.Overlap, verdict.String()
}

// Newcomer implements supervisor.Room.
func (r *room) Newcomer(pid int) { r.score(pid, memory.NewcomerOOMScore) }

// Settled implements supervisor.Room.
func (r *room) Settled(pid int) { r.score(pid, 0) }

func (r *room) score(pid, delta int) {
	if err := memory.SetOOMScoreAdj(pid, delta); err != nil {
		r.log.Debug("the kernel's choice cannot be changed", "pid", pid, "err", err)
	}
}

// OOMKills implements supervisor.Room.
func (r *room) OOMKills() uint64 {
	kills, err := r.memory.OOMKills()
	if err != nil {
		return 0 // nothing counts them here
	}
	return kills
}
