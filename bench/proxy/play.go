package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"pitstop/bench/report"
)

// play is all that is measured.
type play struct {
	*settings
	machine  report.Machine
	versions string
	names    []string // of the contenders, in their order
	results  []*result
	holdings map[string]holding
	after    map[string]memory // of the proxies, after all scenes
}

// result is what happened in one scene: for each contender, its rounds.
type result struct {
	scene
	turns map[string][]turn
}

// before plays the scenes of one app, with all contenders.
func (p *play) before(ctx context.Context, a app, scenes []scene, cs []contender) error {
	if len(scenes) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "pitstop-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if p.holdings == nil { // once is enough, since no app is counted in it
		if err := p.hold(ctx, a, filepath.Join(dir, "idle"), cs); err != nil {
			return err
		}
	}
	all, err := p.startAll(ctx, a, dir, cs)
	defer stopAll(all)
	if err != nil {
		return err
	}
	for _, s := range scenes {
		if err := p.scene(ctx, s, dir, all); err != nil {
			return err
		}
	}
	return p.remember(ctx, all)
}

func (p *play) startAll(ctx context.Context, a app, dir string, cs []contender) (all []*running, err error) {
	for i, c := range cs {
		own := filepath.Join(dir, strconv.Itoa(i))
		if err := os.MkdirAll(own, 0o755); err != nil {
			return all, err
		}
		r, err := start(ctx, c, a, own, p.settings)
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

func stopAll(all []*running) {
	for _, r := range all {
		r.stop()
	}
}

// hold tells the memory of contenders that have served nothing but idle connections.
func (p *play) hold(ctx context.Context, a app, dir string, cs []contender) error {
	p.holdings = map[string]holding{}
	all, err := p.startAll(ctx, a, dir, cs)
	defer stopAll(all)
	if err != nil {
		return err
	}
	for _, r := range all {
		p.names = append(p.names, r.name)
		if r.proxy == nil {
			continue
		}
		if p.holdings[r.name], err = r.idle(ctx, p.idle); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) remember(ctx context.Context, all []*running) (err error) {
	p.after = map[string]memory{}
	if err := sleep(ctx, rest); err != nil {
		return err
	}
	for _, r := range all {
		if p.after[r.name], err = memoryOf(r.proxyPIDs); err != nil {
			return err
		}
	}
	return nil
}

// scene plays one scene: a second each to warm up, then the rounds, each in another order.
func (p *play) scene(ctx context.Context, s scene, dir string, all []*running) error {
	res := &result{scene: s, turns: map[string][]turn{}}
	for _, r := range all {
		if _, err := p.turn(ctx, r, s, dir, s.seconds(1)); err != nil {
			return err
		}
	}
	for round := range p.rounds {
		for i := range all {
			r := all[(i+round)%len(all)]
			t, err := p.turn(ctx, r, s, dir, s.seconds(p.seconds))
			if err != nil {
				return err
			}
			res.turns[r.name] = append(res.turns[r.name], t)
		}
	}
	p.results = append(p.results, res)
	say("%s", res.line(p.names))
	if p.perf == "" {
		return nil
	}
	return p.profile(ctx, s, dir, all)
}

// say tells how far it is, beside the result.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
