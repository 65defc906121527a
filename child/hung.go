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
	// stillTicks is for how many looks the event loop may stand still: half a minute. Looks are counted, not time, so that
	// a container that was frozen and thawed is not taken for one that hangs.
	stillTicks = 6
)

// Hung returns why the app must be taken for dead although its process lives: its ready path has not answered three
// times, or its event loop has stood still for half a minute. It returns nil when ctx or the process ends. It may be
// called once the app is ready.
func (c *Child) Hung(ctx context.Context) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	misses, still := 0, 0
	var seen time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.exited:
			return nil
		case <-tick.C:
		}
		if beat := c.sockets.lastBeat(); beat.IsZero() || beat != seen {
			seen, still = beat, 0
		} else if still++; still == stillTicks {
			return fmt.Errorf("its event loop has stood still for %s", stillTicks*probeEvery)
		}
		if c.spec.ReadyPath == "" {
			continue
		}
		err := c.spec.probePath(ctx, c.addr)
		if err == nil {
			misses = 0
		} else if misses++; misses == probeMisses {
			return fmt.Errorf("%d probes missed: %w", misses, err)
		}
	}
}
