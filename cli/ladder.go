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
	// endReserve is what pitstop keeps of the ending for itself, swapReserve of a hold.
	endReserve, swapReserve = 2 * time.Second, 2 * time.Second
)

// ladder looks at the flags' times beside each other: each must fit into the next one up, or the wrong party gives up first.
func (f *runFlags) ladder() []finding {
	var fs findings
	total := f.TaskStopTimeout - endReserve
	switch asked := f.LameDuck + f.StopTimeout; {
	case total <= 0:
		fs.bad("ending", "--task-stop-timeout %s leaves no time to end in order: give the task at least 10s", f.TaskStopTimeout)
	case asked >= total:
		fs.warn("ending", "--lame-duck %s + --stop-timeout %s leave nothing of --task-stop-timeout %s − %s for the drain: they are cut to fit; raise the task's stopTimeout and --task-stop-timeout",
			f.LameDuck, f.StopTimeout, f.TaskStopTimeout, endReserve)
	default:
		fs.ok("ending", "lame duck %s, then at most %s for the drain and %s for the app, within %s", f.LameDuck, total-asked, f.StopTimeout, f.TaskStopTimeout)
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
	fs.ok("idle", "client connections live %s idle, above a load balancer's usual %s", clientIdle, balancerIdle)
	if warning := child.Warning(f.Command); warning != "" {
		fs.warn("command", "%s", warning)
	}
	return fs
}

// holdLeft says what a start and a stop of these lengths leave of the hold for the drain of an in-place reload.
func (f *runFlags) holdLeft(start, stop time.Duration) []finding {
	var fs findings
	left := f.HoldTimeout - start - stop - f.Settle - swapReserve
	text := fmt.Sprintf("--hold-timeout %s − start %s − stop %s − --settle %s − %s leaves %s for the drain of an in-place reload",
		f.HoldTimeout, start.Round(time.Millisecond), stop.Round(time.Millisecond), f.Settle, swapReserve, left.Round(time.Millisecond))
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
