package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"pitstop/e2e/load"
)

const (
	workers  = 64
	slowTime = 3 * time.Second
	// Before the call the load runs in, and gets slow requests under way; after it stragglers are seen.
	runIn, runOut = time.Second, 500 * time.Millisecond
	// patience is longer than pitstop lets a request wait, which is 30 s.
	patience = 35 * time.Second
)

// turn is what one reload did.
type turn struct {
	sent, lost int
	// slow of the requests sent were slow by design, and killed of these were lost.
	slow, killed int
	// longest is the longest wait for an answer that is not slow by design.
	longest time.Duration
	// before and since are these times for the requests that ended before the call, and for those sent since.
	before, since []time.Duration
	// first is the time from the call to the first answer by the new code, only that until all that is sent gets the
	// new code, call that to the return of the command.
	first, only, call time.Duration
	// why is one of the reasons of lost requests.
	why error
}

// mix is about half GET / and half POST /upload, and one slow request in two hundred.
func mix() []load.Kind {
	return append(slices.Repeat([]load.Kind{load.Get, load.Upload}, 100), load.Slow)
}

func loadOn(addr string) *load.Load {
	return load.Start(load.Config{
		Addr: addr, Workers: workers, Mix: mix(), SlowTime: slowTime, Bodies: []int{0, 1000, 20_000},
		Pause: 50 * time.Millisecond, Patience: patience, LooksFirst: true,
	})
}

// reload reloads a contender under load. The slow requests that are left at its end are waited for by the function it
// returns: they need no processor, so another's turn may begin.
func reload(ctx context.Context, c contender, addr, next string) (rest func() (turn, error), err error) {
	requests := loadOn(addr)
	called, done := time.Now(), time.Now()
	if err = sleep(ctx, runIn); err == nil {
		called = time.Now()
		err = c.reload(ctx, next)
		done = time.Now()
	}
	if err == nil { // pm2 in fork mode says that it is done before the app listens
		err = answers(ctx, addr, next)
	}
	if err == nil {
		err = sleep(ctx, runOut)
	}
	return func() (turn, error) {
		t, judged := judge(requests.Stop(), called, next)
		t.call = done.Sub(called)
		return t, judged
	}, err
}

// judge tells from what became of all requests what a reload to next, called for at a time, did.
func judge(records []load.Record, called time.Time, next string) (turn, error) {
	var t turn
	var first, old time.Time
	for _, r := range records {
		t.count(r)
		t.compare(r, called)
		switch {
		case r.Err != nil:
		case r.Commit != next:
			if r.Start.After(old) {
				old = r.Start
			}
		case r.End.Before(called):
			return t, fmt.Errorf("%s answered before the call", next)
		case first.IsZero() || r.End.Before(first):
			first = r.End
		}
	}
	if first.IsZero() {
		return t, fmt.Errorf("%s never answered; of %d requests %d were lost: %w", next, t.sent, t.lost, t.why)
	}
	t.first = first.Sub(called)
	t.only = max(t.first, old.Sub(called))
	return t, nil
}

func (t *turn) count(r load.Record) {
	t.sent++
	if r.Kind == load.Slow {
		t.slow++
	}
	switch {
	case r.Err != nil:
		t.lost++
		t.why = r.Err
		if r.Kind == load.Slow {
			t.killed++
		}
	case r.Kind != load.Slow:
		t.longest = max(t.longest, r.End.Sub(r.Start))
	}
}

// compare sorts the times of requests by whether the reload can have touched them.
func (t *turn) compare(r load.Record, called time.Time) {
	switch took := r.End.Sub(r.Start); {
	case r.Err != nil || r.Kind == load.Slow:
	case r.End.Before(called):
		t.before = append(t.before, took)
	case r.Start.After(called):
		t.since = append(t.since, took)
	}
}

func decodeCommit(r io.Reader) (string, error) {
	var answer struct{ Commit string }
	err := json.NewDecoder(r).Decode(&answer)
	return answer.Commit, err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
