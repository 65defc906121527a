package child

import (
	"context"
	"fmt"
	"time"
)

const (
	// probeEvery and probeMisses say when an app that does not answer on its ready path is taken for dead.
	probeEvery  = 5 * time.Second
	probeMisses = 3
	// stalled is for how long the event loop may stand still.
	stalled = 30 * time.Second
)

// Hung returns why the app must be taken for dead although its process lives: its ready path has not answered three
// times, or its event loop has stood still for half a minute. It returns nil when ctx or the process ends. It may be
// called once the app is ready.
func (c *Child) Hung(ctx context.Context) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	misses := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.exited:
			return nil
		case <-tick.C:
		}
		if beat := c.sockets.lastBeat(); !beat.IsZero() && time.Since(beat) > stalled {
			return fmt.Errorf("its event loop has stood still for %s", time.Since(beat).Round(time.Second))
		}
		if c.spec.ReadyPath == "" {
			continue
		}
		err := probePath(ctx, c.addr, c.spec.ReadyPath)
		if err == nil {
			misses = 0
		} else if misses++; misses == probeMisses {
			return fmt.Errorf("%d probes missed: %w", misses, err)
		}
	}
}
