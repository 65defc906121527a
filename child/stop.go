package child

import (
	"context"
	"errors"
	"syscall"
	"time"
)

const (
	// groupPoll is how often the end of a group is looked for while it is awaited; the kernel tells nobody.
	groupPoll = 5 * time.Millisecond
	// restGrace is what npm or a shell gets to end by itself, and to pass on the code, when the app behind it has ended.
	restGrace = time.Second
	// killBound bounds the wait after SIGKILL: not even that ends a process that sleeps in the kernel.
	killBound = 5 * time.Second
)

// Stop asks the app to end by SIGTERM, waits until the whole group is gone, and sends SIGKILL to it when ctx ends
// first. It returns how long that took and whether it had to kill. The app is asked once, however often Stop is
// called, and not at all if ctx has ended already. Once all is gone it does nothing.
func (c *Child) Stop(ctx context.Context) (took time.Duration, killed bool) {
	start := time.Now()
	if c.gone() {
		return 0, false
	}
	apps := c.apps() // also for SIGKILL: it must know the groups
	if ctx.Err() == nil {
		c.ask.Do(func() { c.terminate(apps) })
	}
	if c.awaitGone(ctx) {
		return time.Since(start), false
	}
	c.signalGroups(syscall.SIGKILL)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killBound)
	defer cancel()
	c.awaitGone(ctx)
	return time.Since(start), true
}

// terminate asks for a graceful end: the app itself, so that it hears SIGTERM once. npm 10 and 11 pass it on as well, and
// so the app would hear it twice if the group got it; a `process.once` handler would then die of the second. npm, yarn,
// pnpm and shells also end at once by a signal of their own and lose the app's exit code, or the app.
func (c *Child) terminate(apps []process) {
	if c.hasExited() {
		c.rest.Do(func() { c.signalGroups(syscall.SIGTERM) }) // what it left behind
		return
	}
	if len(apps) == 0 { // /proc says nothing
		c.rest.Do(func() { _ = c.signalUnseen(syscall.SIGTERM) })
		return
	}
	c.mu.Lock()
	for _, p := range apps {
		c.asked = append(c.asked, p.pid)
	}
	c.mu.Unlock()
	_ = c.signalEach(apps, syscall.SIGTERM)
}

// awaitGone waits until all groups are empty; false when ctx ends first.
func (c *Child) awaitGone(ctx context.Context) bool {
	tick := time.NewTicker(groupPoll)
	defer tick.Stop()
	var ended time.Time // when the asked ones were seen to have ended
	for !c.gone() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return c.gone()
		}
		switch {
		case !c.askedHaveEnded():
		case ended.IsZero():
			ended = time.Now()
		case time.Since(ended) > restGrace: // a shell that goes on, workers without their primary: nobody else asks them
			c.rest.Do(func() { c.signalGroups(syscall.SIGTERM) })
		}
	}
	return true
}

func (c *Child) askedHaveEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, pid := range c.asked {
		if pid == c.Pid() && !c.hasExited() {
			return false
		}
		if pid != c.Pid() && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return false
		}
	}
	return len(c.asked) > 0
}

// gone says whether the process and all its groups have ended.
func (c *Child) gone() bool {
	for _, g := range c.groups() {
		if !g.gone() {
			return false
		}
	}
	return c.hasExited()
}

func (c *Child) signalGroups(sig syscall.Signal) {
	for _, g := range c.groups() {
		_ = g.signal(sig) // ESRCH: it is what is wanted
	}
}

func (c *Child) groups() []*group {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*group{c.own}, c.outside...)
}
