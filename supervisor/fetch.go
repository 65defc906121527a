package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// fetchTimeout bounds a fetch, so that a store that hangs does not stand in the way of other reloads for ever.
const fetchTimeout = 10 * time.Minute

var errFetchTimeout = errors.New("the store has not delivered it within " + fetchTimeout.String())

// fetchResult is the event at a fetch's end.
type fetchResult struct {
	release Release
	took    time.Duration
	err     error
}

// fetch gets a release, and checks of it what can be checked before anybody has to wait. It needs no slot.
func (s *Supervisor) fetch(ctx context.Context, commit string) event {
	if commit == s.cfg.Image.Commit {
		return s.checked(s.cfg.Image, 0)
	}
	if s.cfg.Fetcher == nil {
		return fetchResult{err: &RefusedError{Reason: fmt.Sprintf(
			"there is no store to get %s from: start pitstop with --releases", commit)}}
	}
	start := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTimeout, errFetchTimeout)
	defer cancel()
	got := make(chan fetchResult, 1)
	go func() { // not waited for: a read from a store that hangs may never come back
		r, err := s.cfg.Fetcher.Fetch(ctx, commit)
		got <- fetchResult{release: r, err: err}
	}()
	select {
	case res := <-got:
		if res.err != nil {
			return res
		}
		took := time.Since(start)
		s.cfg.Logger.Info("fetched", "commit", commit, "dir", res.release.Dir, "took", text(took))
		return s.checked(res.release, took)
	case <-ctx.Done():
		return fetchResult{err: &FetchError{Commit: commit, Kind: FetchUnavailable, Err: context.Cause(ctx)}}
	}
}

// checked is a release, unless it is known to be unfit.
func (s *Supervisor) checked(r Release, took time.Duration) fetchResult {
	if err := s.cfg.Launcher.Check(r); err != nil {
		return fetchResult{err: &RefusedError{Reason: err.Error()}}
	}
	return fetchResult{release: r, took: took}
}
