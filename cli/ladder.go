package cli

import (
	"fmt"
	"time"

	"pitstop/child"
)

const (
	// balancerIdle is the usual idle timeout of a load balancer (AWS ALB: 60 s).
	balancerIdle = 60 * time.Second
	// maxTaskStop is the longest stopTimeout that ECS on Fargate takes.
	maxTaskStop = 120 * time.Second
)

// ladder looks at the flags' times beside each other: each must fit into the next one up, or the wrong party gives up first.
func (f *runFlags) ladder() []finding {
	var fs findings
	switch e := f.timing().Ending(); {
	case e.Stop == 0:
		fs.bad("ending", "--task-stop-timeout %s leaves no time to end in order: give the task at least 10s", f.TaskStopTimeout)
	case e.LameDuck < f.LameDuck || e.Stop < f.StopTimeout:
		fs.warn("ending", "--lame-duck %s and --stop-timeout %s do not fit into --task-stop-timeout %s: they are cut to %s and %s, with %s for the drain; raise the task's stopTimeout and --task-stop-timeout",
			f.LameDuck, f.StopTimeout, f.TaskStopTimeout, e.LameDuck, e.Stop, e.Drain)
	default:
		fs.ok("ending", "lame duck %s, then at most %s for the drain and %s for the app, within %s", e.LameDuck, e.Drain, e.Stop, f.TaskStopTimeout)
	}
	if f.TaskStopTimeout > maxTaskStop {
		fs.warn("ending", "--task-stop-timeout is %s, ECS gives a Fargate task at most %s", f.TaskStopTimeout, maxTaskStop)
	}
	if f.HoldTimeout >= balancerIdle {
		fs.warn("hold", "--hold-timeout %s is not below the %s after which a load balancer usually gives a request up: it answers 504 before pitstop can", f.HoldTimeout, balancerIdle)
	} else {
		fs.ok("hold", "a request waits at most %s, below a load balancer's usual %s", f.HoldTimeout, balancerIdle)
	}
	if f.Bake <= f.Settle {
		fs.warn("bake", "--bake %s is not above --settle %s", f.Bake, f.Settle)
	}
	if f.IdleTimeout <= balancerIdle {
		fs.warn("idle", "--idle-timeout %s is not above the %s after which a load balancer usually closes an idle connection: pitstop would close it first, into a request that is just being sent", f.IdleTimeout, balancerIdle)
	} else {
		fs.ok("idle", "client connections live %s idle, above a load balancer's usual %s", f.IdleTimeout, balancerIdle)
	}
	if warning := child.Warning(f.Command); warning != "" {
		fs.warn("command", "%s", warning)
	}
	return fs
}

// holdLeft says what a start and a stop of these lengths leave of the hold for the drain of an in-place reload.
func (f *runFlags) holdLeft(start, stop time.Duration) []finding {
	var fs findings
	left := f.timing().DrainLeft(start, stop)
	text := fmt.Sprintf("--hold-timeout %s with a start of %s, a stop of %s and --settle %s leaves %s for the drain of an in-place reload",
		f.HoldTimeout, start.Round(time.Millisecond), stop.Round(time.Millisecond), f.Settle, left.Round(time.Millisecond))
	switch {
	case left <= 0:
		fs.bad("hold", "%s: such reloads are refused", text)
	case left < 5*time.Second:
		fs.warn("hold", "%s: longer requests are cut", text)
	default:
		fs.ok("hold", "%s", text)
	}
	return fs
}
