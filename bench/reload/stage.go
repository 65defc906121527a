package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// stage is one app and all contenders, which take turns.
type stage struct {
	dir     string
	startup time.Duration
	reloads int

	cold    []time.Duration
	results []*result
}

// result is what a contender did on a stage.
type result struct {
	contender
	addr, commit string
	turns        []turn
	// fresh is the supervisor's memory before the first reload, after that at the end; there is no load at both times.
	fresh, after memory

	// rest is the end of the turn before.
	rest sync.WaitGroup
	err  error
}

func (s *stage) play(ctx context.Context) error {
	defer s.close()
	for _, act := range []func(context.Context, *result) error{
		func(ctx context.Context, r *result) error { return r.open(ctx, s.dir) },
		func(ctx context.Context, _ *result) error { return sleep(ctx, 2*time.Second) }, // who has just started tidies up
		func(_ context.Context, r *result) (err error) { r.fresh, err = memoryOf(r.supervisor()); return },
		func(ctx context.Context, r *result) error { return r.prepare(ctx) },
	} {
		if err := s.all(ctx, act); err != nil {
			return err
		}
	}
	for round := range s.reloads {
		if err := s.round(ctx, round); err != nil {
			return err
		}
	}
	return s.all(ctx, func(_ context.Context, r *result) (err error) {
		if r.rest.Wait(); r.err != nil { // the slow requests of the last turn
			return r.err
		}
		r.after, err = memoryOf(r.supervisor())
		return err
	})
}

// all does something that is not measured for all contenders at once.
func (s *stage) all(ctx context.Context, act func(context.Context, *result) error) error {
	var busy sync.WaitGroup
	errs := make([]error, len(s.results))
	for i, r := range s.results {
		busy.Go(func() {
			if err := act(ctx, r); err != nil {
				errs[i] = fmt.Errorf("%s: %w", r.name(), err)
			}
		})
	}
	busy.Wait()
	return errors.Join(errs...)
}

// round gives each contender a turn. Nobody always comes after the same one.
func (s *stage) round(ctx context.Context, round int) error {
	cold, err := s.coldStart(ctx)
	if err != nil {
		return err
	}
	s.cold = append(s.cold, cold)
	for i := range s.results {
		r := s.results[(i+round)%len(s.results)]
		if round%r.every() != 0 {
			continue
		}
		if err := r.turn(ctx); err != nil {
			return fmt.Errorf("%s: %w", r.name(), err)
		}
	}
	say("startup +%s: round %d of %d", s.startup, round+1, s.reloads)
	return nil
}

// coldStart is how long the app takes to start by itself while the first contender is under the load that it is reloaded
// under.
func (s *stage) coldStart(ctx context.Context) (time.Duration, error) {
	requests := loadOn(s.results[0].addr)
	defer requests.Stop()
	if err := sleep(ctx, runIn); err != nil {
		return 0, err
	}
	return coldStart(ctx, s.dir)
}

// close ends the contenders, and then the load, which fails fast without them.
func (s *stage) close() {
	_ = s.all(context.Background(), func(_ context.Context, r *result) error {
		r.stop()
		r.rest.Wait()
		return nil
	})
}

// open starts a contender.
func (r *result) open(ctx context.Context, dir string) error {
	home, err := os.MkdirTemp(dir, "home-")
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	r.addr, r.commit = "127.0.0.1:"+port, "v1"
	if err := r.start(ctx, dir, home, r.addr); err != nil {
		return err
	}
	return answers(ctx, r.addr, r.commit)
}

// prepare reloads once, without load and unmeasured: from then on both commits are on the contender's disk.
func (r *result) prepare(ctx context.Context) error {
	r.commit = other(r.commit)
	if err := r.reload(ctx, r.commit); err != nil {
		return err
	}
	return answers(ctx, r.addr, r.commit)
}

func (r *result) turn(ctx context.Context) error {
	r.rest.Wait()
	if r.err != nil {
		return r.err
	}
	r.commit = other(r.commit)
	rest, err := reload(ctx, r.contender, r.addr, r.commit)
	r.rest.Go(func() {
		t, err := rest()
		say("%-36s %s: %d of %d lost, %d of %d slow ones, first new %4d ms, only new %4d ms, longest wait %4d ms%s", r.name(), r.commit,
			t.lost, t.sent, t.killed, t.slow, t.first.Milliseconds(), t.only.Milliseconds(), t.longest.Milliseconds(), because(t.why))
		r.turns, r.err = append(r.turns, t), err
	})
	return err
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return " (" + strings.TrimSpace(err.Error()) + ")"
}

// say tells how far it is, beside the result.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
