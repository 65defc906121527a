package cli

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/child"
	"pitstop/release"
	"pitstop/supervisor"
)

// lowDisk is the room on the disk below which a release may not fit.
const lowDisk = 500 << 20

type doctorCmd struct {
	runFlags
	Output   string `default:"text" help:"text or json."`
	NoLaunch bool   `help:"Do not start the app to see how it behaves."`
}

// run looks at what will bite, with the flags that run would get. It ends with 1 if something is an error.
func (c *doctorCmd) run(p Process, m *mistakes) int {
	m.oneOf("--output", c.Output, "text", "json")
	s := c.settings(p, m)
	if len(m.settings) > 0 {
		return m.tell(p.Stderr)
	}
	var fs findings
	for _, err := range m.others {
		fs.bad("command", "%s", err)
	}
	fs = append(fs, c.ladder()...)
	fs = append(fs, c.absolute(s)...)
	fs = append(fs, c.ports(s)...)
	fs = append(fs, c.disk()...)
	if !c.NoLaunch && len(m.others) == 0 {
		fs = append(fs, c.rehearse(p, s)...)
	}
	fs.write(p.Stdout, c.Output)
	if fs.failed() {
		return exitFailed
	}
	return exitOK
}

// absolute looks for files of the image that the command names for ever.
func (f *runFlags) absolute(s settings) []finding {
	var fs findings
	for _, arg := range f.Command {
		if inside(arg, s.dir) {
			fs.bad("command", "it names %s by an absolute path: every release would run the image's code, so reloads are refused; name it relatively", arg)
		}
	}
	return fs
}

// ports looks whether the addresses are free.
func (f *runFlags) ports(s settings) []finding {
	var fs findings
	for _, a := range []struct{ flag, addr string }{{"--listen", f.Listen}, {"--control", f.Control}} {
		ln, err := net.Listen("tcp", a.addr)
		if err != nil {
			fs.warn("ports", "%s: %v (does pitstop run here already?)", a.flag, err)
			continue
		}
		_ = ln.Close()
		fs.ok("ports", "%s %s is free", a.flag, a.addr)
	}
	if err := child.CheckPort(s.appPort); err != nil && !s.sharesPort {
		fs.warn("ports", "%v (does pitstop run here already?)", err)
	}
	return fs
}

// disk looks at the store and at the folder for releases.
func (f *runFlags) disk() []finding {
	var fs findings
	if f.Releases == "" {
		fs.warn("releases", "without --releases this instance can only run the image's code")
		return fs
	}
	if _, err := release.OpenFolder(f.Releases); err != nil {
		fs.bad("releases", "%v", err)
	} else {
		fs.ok("releases", "the store %s can be opened", f.Releases)
	}
	if err := os.MkdirAll(f.ReleaseDir, 0o755); err != nil {
		fs.bad("disk", "--release-dir: %v", err)
		return fs
	}
	probe, err := os.MkdirTemp(f.ReleaseDir, ".tmp-doctor-")
	if err != nil {
		fs.bad("disk", "--release-dir cannot be written to: %v", err)
		return fs
	}
	_ = os.Remove(probe)
	var st unix.Statfs_t
	if err := unix.Statfs(f.ReleaseDir, &st); err != nil {
		fs.bad("disk", "%s: %v", f.ReleaseDir, err)
		return fs
	}
	free := int64(st.Bavail) * st.Bsize
	if free < lowDisk {
		fs.warn("disk", "%s has only %s left", f.ReleaseDir, bytes(free))
	} else {
		fs.ok("disk", "%s can be written to and has %s left", f.ReleaseDir, bytes(free))
	}
	return fs
}

// rehearse starts the app once, beside whatever runs, and tells what a reload would meet.
func (f *runFlags) rehearse(p Process, s settings) []finding {
	var fs findings
	quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		fs.bad("app", "%v", err)
		return fs
	}
	defer quiet.Close()
	log := f.logger(p, quiet)
	l, err := f.newLauncher(Process{Stdout: quiet, Stderr: p.Stderr, Env: p.Env}, s, log)
	if err != nil {
		fs.bad("app", "%v", err)
		return fs
	}
	defer l.close()
	image := supervisor.Release{Commit: f.Commit, Dir: s.dir}
	began := time.Now()
	c, err := l.Launch(image, child.CheckPort(s.appPort) != nil)
	if err != nil {
		fs.bad("app", "it cannot be started: %v", err)
		return fs
	}
	return append(fs, f.observe(p, c, began)...)
}

// observe waits until the app is ready, looks at it, and stops it.
func (f *runFlags) observe(p Process, c supervisor.Child, began time.Time) []finding {
	var fs findings
	ctx, cancel := context.WithTimeoutCause(context.Background(), f.ReadyTimeout, errors.New("not ready within --ready-timeout"))
	defer cancel()
	addr, err := c.Ready(ctx)
	start := time.Since(began)
	if err == nil {
		if c.Private() { // its path differs each time
			addr = "a private socket"
		}
		fs.ok("app", "ready after %s, reached at %s, runs %s", start.Round(time.Millisecond), addr, orNone(c.Entry()))
	} else {
		fs.bad("app", "%v", err)
	}
	if err == nil {
		fs = append(fs, f.overlap(ctx, p, c)...)
	}
	stop, cancelStop := context.WithTimeout(context.Background(), f.StopTimeout)
	defer cancelStop()
	took, killed := c.Stop(stop)
	<-c.Exited()
	switch {
	case killed:
		fs.warn("app", "it did not end within --stop-timeout %s of SIGTERM and was killed: handle SIGTERM", f.StopTimeout)
	case err == nil:
		fs.ok("app", "it %s, %s after SIGTERM", c.Exit(), took.Round(time.Millisecond))
	}
	if err == nil {
		fs = append(fs, f.holdLeft(start, took)...)
	}
	return fs
}

// overlap says how reloads of this app would be done.
func (f *runFlags) overlap(ctx context.Context, p Process, c supervisor.Child) []finding {
	var fs findings
	impossible := c.Overlaps()
	switch {
	case f.Strategy == "in-place":
		fs.ok("reload", "in-place, as --strategy says")
	case impossible != nil && f.Strategy == "overlap":
		fs.bad("reload", "%v: with --strategy=overlap every reload is refused; use auto or in-place", impossible)
	case impossible != nil:
		fs.warn("reload", "in-place, so that requests wait: %v", impossible)
	case f.Strategy == "overlap":
		fs.ok("reload", "overlap, as --strategy says; whether two apps fit into the memory is not looked at")
	default:
		fits, figures := newRoom(p.Env, f.logger(p, p.Stderr)).Fits(ctx, c.Pid())
		if fits {
			fs.ok("reload", "%s", figures)
		} else {
			fs.warn("reload", "%s, so that requests wait; if two apps fit, say --strategy=overlap", figures)
		}
	}
	return fs
}
