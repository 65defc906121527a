package supervisor

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"pitstop/child"
	"pitstop/drain"
)

// generation is one child that has become ready, from then until its end.
type generation struct {
	number  int
	release Release
	child   Child
	backend *drain.Backend
	ready   time.Time
	gone    chan struct{} // closed once the child has ended and nothing is sent to it any more
	hung    atomic.Bool
}

// exit is how its child ended. One that not even SIGKILL has ended yet counts as ended by it.
func (g *generation) exit() child.Exit {
	select {
	case <-g.child.Exited():
		return g.child.Exit()
	default:
		return child.Exit{Code: 128 + int(syscall.SIGKILL), Signal: syscall.SIGKILL}
	}
}

func (g *generation) alive() bool {
	select {
	case <-g.gone:
		return false
	default:
		return true
	}
}

// start launches a release and waits until it is ready; beside says that another one serves meanwhile. It leaves no
// process behind when it fails, with a *StepError.
func (s *Supervisor) start(ctx context.Context, j *journal, r Release, beside bool) (*generation, error) {
	if ctx.Err() != nil {
		return nil, &StepError{StepStart, context.Cause(ctx)}
	}
	j.begin(StepStart)
	began := time.Now()
	c, err := s.cfg.Launcher.Launch(r, beside)
	if err != nil {
		return nil, &StepError{StepStart, err}
	}
	if beside {
		s.cfg.Room.Newcomer(c.Pid())
	}
	j.begin(StepReady)
	ready, cancel := context.WithTimeoutCause(ctx, s.cfg.Timing.Ready, errNotReady)
	defer cancel()
	addr, err := c.Ready(ready)
	if err != nil {
		s.kill(c)
		return nil, &StepError{StepReady, err}
	}
	g := &generation{
		number: int(s.number.Add(1)), release: r, child: c,
		backend: s.cfg.Gate.NewBackend(addr), ready: time.Now(), gone: make(chan struct{}),
	}
	s.running.Go(func() { s.attend(g) })
	s.running.Go(func() { s.watch(g) })
	s.measured.start = time.Since(began)
	s.cfg.Logger.Info("ready", "commit", r.Commit, "pid", c.Pid(), "addr", addr, "generation", g.number, "took", text(s.measured.start))
	return g, nil
}

// attend takes the backend out at once when its child has ended, whoever has the slot.
func (s *Supervisor) attend(g *generation) {
	<-g.child.Exited()
	s.cfg.Gate.Remove(g.backend)
	s.cfg.Front.ClosePool(g.backend)
	close(g.gone)
}

// follow tells the loop when the generation that serves has baked, and when it has died. One that hangs is ended first.
func (s *Supervisor) follow(g *generation) {
	s.running.Go(func() {
		select {
		case <-g.gone:
		case <-time.After(time.Until(g.ready.Add(s.cfg.Timing.Bake))):
			s.tell(baked{g.number})
			<-g.gone
		}
		exit := g.child.Exit().Code
		if exit == 0 && g.hung.Load() {
			exit = 1 // to have hung is a failure, however it ended
		}
		s.tell(died{generation: g.number, exit: exit, at: time.Now()})
	})
}

// watch ends a generation that hangs: nothing more is sent to it, and it is stopped like any other.
func (s *Supervisor) watch(g *generation) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.running.Go(func() {
		select {
		case <-g.gone:
		case <-ctx.Done():
		}
		cancel()
	})
	reason := g.child.Hung(ctx)
	if reason == nil {
		return
	}
	s.cfg.Logger.Error("the app hangs: ending it", "commit", g.release.Commit, "pid", g.child.Pid(), "err", reason)
	g.hung.Store(true)
	s.cfg.Gate.Remove(g.backend)
	s.cfg.Front.ClosePool(g.backend)
	s.stop(g, s.cfg.Timing.Stop)
}

// sweep ends what a generation that has died has left in its group, and leaves the app's port to the next one.
func (s *Supervisor) sweep(g *generation) {
	s.cfg.Port.Close()
	if g != nil {
		s.kill(g.child)
	}
}

// kill ends a child that never served or has died, and its group: nobody waits for it to end well.
func (s *Supervisor) kill(c Child) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.Stop(ctx)
}

// stop ends a child that has served, within the bound, and returns how long that took.
func (s *Supervisor) stop(g *generation, bound time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	took, killed := g.child.Stop(ctx)
	select {
	case <-g.gone:
	case <-time.After(reserve): // it sleeps in the kernel, where nothing can end it
	}
	log := s.cfg.Logger.With("commit", g.release.Commit, "pid", g.child.Pid(), "exit_code", g.exit().Code, "took", text(took))
	if killed {
		log.Warn("stopped by SIGKILL, SIGTERM was not enough", "bound", bound.String())
	} else {
		log.Info("stopped")
	}
	return took
}

// fault says why a release is to blame for a failed start; empty if it is not.
func fault(err error) string {
	var exited *child.ExitedError
	if errors.As(err, &exited) || errors.Is(err, errNotReady) {
		return err.Error()
	}
	return ""
}

// exitOf is the exit code that a failed start stands for.
func exitOf(err error) int {
	var exited *child.ExitedError
	switch {
	case errors.As(err, &exited):
		return exited.Exit.Code
	case errors.Is(err, ErrEnding):
		return 128 + int(syscall.SIGTERM)
	default:
		return 1
	}
}
