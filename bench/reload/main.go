// Command reload measures what a reload costs: pitstop beside pm2, on the same app, under the same load, in one run.
//
//   - The contenders take turns, so that a noisy machine is noisy to all of them.
//   - Clients are raw connections that never send a request again: what is lost is counted.
//   - A turn counts only if the new commit was seen to answer.
//   - Nothing is left behind, also after SIGINT: processes, pm2's daemons, folders.
//
// It prints a table, ratios first; with -write it also puts it between the two markers of a file.
//
//	reload -pitstop bin/pitstop -pm2 bench/pm2/node_modules/.bin/pm2 -app examples/node-app [-write bench/README.md]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"pitstop/bench/report"
)

// settings are the flags.
type settings struct {
	pitstop, pm2, app, write string
	reloads, slowReloads     int
	startup                  time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.pitstop, "pitstop", "bin/pitstop", "the binary")
	flag.StringVar(&s.pm2, "pm2", "bench/pm2/node_modules/.bin/pm2", "the other one's command")
	flag.StringVar(&s.app, "app", "examples/node-app", "the app, with its modules installed")
	flag.StringVar(&s.write, "write", "", "a file whose part between the markers becomes the table")
	flag.IntVar(&s.reloads, "reloads", 6, "reloads of each contender with the app as it is")
	flag.IntVar(&s.slowReloads, "slow-reloads", 2, "reloads of each contender with an app that takes -startup longer to start")
	flag.DurationVar(&s.startup, "startup", time.Second, "the artificial time to start")
	flag.Parse()
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "reload:", err)
		os.Exit(1)
	}
}

func (s *settings) run() error {
	// Not handed back after the first signal: a second one would end us amid the cleaning up, which is bounded anyway.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	for _, path := range []*string{&s.pitstop, &s.pm2} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	machine := look(s.pm2)
	var stages []*stage
	for _, plan := range []struct {
		startup time.Duration
		reloads int
	}{{0, s.reloads}, {s.startup, s.slowReloads}} {
		if plan.reloads < 1 {
			continue
		}
		st, err := s.play(ctx, plan.startup, plan.reloads)
		if err != nil {
			return err
		}
		stages = append(stages, st)
	}
	text := markdown(machine, stages)
	fmt.Print(text)
	if s.write == "" {
		return nil
	}
	return report.Replace(s.write, begin, end, text)
}

// play plays one stage in a folder of its own.
func (s *settings) play(ctx context.Context, startup time.Duration, reloads int) (*stage, error) {
	dir, err := os.MkdirTemp("", "pitstop-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	st := &stage{dir: dir, startup: startup, reloads: reloads}
	if err := makeApps(s.app, dir, startup); err != nil {
		return nil, err
	}
	for _, c := range contenders(s.pitstop, s.pm2) {
		st.results = append(st.results, &result{contender: c})
	}
	return st, st.play(ctx)
}
