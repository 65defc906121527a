package supervisor

import (
	"context"
	"fmt"
	"time"
)

// fetchResult is the event at a fetch's end.
type fetchResult struct {
	release Release
	took    time.Duration
	err     error
}

// fetch gets a release, and checks of it what can be checked before anybody has to wait. It needs no slot.
func (s *Supervisor) fetch(ctx context.Context, commit string) event {
	if commit == s.cfg.Image.Commit {
		return fetchResult{release: s.cfg.Image}
	}
	if s.cfg.Fetcher == nil {
		return fetchResult{err: &RefusedError{Reason: fmt.Sprintf(
			"there is no store to get %s from: start pitstop with --releases", commit)}}
	}
	start := time.Now()
	r, err := s.cfg.Fetcher.Fetch(ctx, commit)
	took := time.Since(start)
	if err != nil {
		return fetchResult{err: err}
	}
	s.cfg.Logger.Info("fetched", "commit", commit, "dir", r.Dir, "took", text(took))
	if err := s.cfg.Launcher.Check(r); err != nil {
		return fetchResult{err: &RefusedError{Reason: err.Error()}}
	}
	return fetchResult{release: r, took: took}
}
