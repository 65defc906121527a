package child

import (
	"errors"
	"os"
	"syscall"
)

// Forwarded returns the signals that an operator's `docker kill -s` or a terminal may mean for the app. They are what
// tini and dumb-init pass on, less what has a meaning here:
//
//	HUP        the app's own: reopen logs, read settings again; pitstop would end by it otherwise
//	QUIT       the app's own; Go would print its goroutines and end otherwise
//	USR2       the app's own: heap snapshots, reports
//	ALRM VTALRM IO PWR   the app's own; nobody but an operator sends them to PID 1
//	CONT       wakes an app that somebody stopped
//	WINCH      a terminal tells the foreground group only, and the app stands in another
//	35 to 64   real-time signals: the app's own
//
//	TERM INT   not: they are the ending, in order, by Stop
//	USR1       not: Node opens its debugger on 9229; a caller who wants it adds it
//	TSTP TTIN TTOU   not: job control is about pitstop; an app stopped under its proxy is one that hangs
//	CHLD       not: the reaper's
//	PIPE URG PROF    not: Go's own: a broken connection, preemption, profiles
//	ABRT BUS FPE ILL SEGV SYS TRAP STKFLT XCPU XFSZ   not: a fault or a limit of the process that gets it
//	KILL STOP  cannot be caught
//	32 to 34   not: the C library's
func Forwarded() []os.Signal {
	signals := []os.Signal{
		syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGVTALRM, syscall.SIGIO,
		syscall.SIGPWR, syscall.SIGCONT, syscall.SIGWINCH,
	}
	for n := syscall.Signal(35); n <= 64; n++ {
		signals = append(signals, n)
	}
	return signals
}

// Signal passes a signal on to every child that lives, two while a reload overlaps. While none lives it is lost, as for any
// process that is not there yet. Its errors are those of Child.Signal, less os.ErrProcessDone.
func (l *Launcher) Signal(sig os.Signal) error {
	var errs []error
	for _, c := range l.family.children() {
		if err := c.Signal(sig); !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Signal passes a signal on to the app: to the process itself, or to the one behind npm or a shell. It returns
// os.ErrProcessDone when the app has ended.
func (c *Child) Signal(sig os.Signal) error {
	n, ok := sig.(syscall.Signal)
	if !ok {
		return errors.ErrUnsupported
	}
	if c.hasExited() {
		return os.ErrProcessDone
	}
	if apps := c.apps(); len(apps) > 0 {
		return c.signalEach(apps, n)
	}
	return c.signalUnseen(n)
}

func (c *Child) signalEach(apps []process, sig syscall.Signal) error {
	var errs []error
	for _, p := range apps {
		if p.pid == c.Pid() {
			errs = append(errs, c.cmd.Process.Signal(sig)) // safe against a number given anew
			continue
		}
		if err := syscall.Kill(p.pid, sig); !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// signalUnseen does without /proc: the process itself, or the group if the command is one that stands between.
func (c *Child) signalUnseen(sig syscall.Signal) error {
	if c.hasExited() || standsBetween(c.spec.Command) {
		return c.own.signal(sig)
	}
	return c.cmd.Process.Signal(sig)
}
