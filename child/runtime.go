package child

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"pitstop/child/preload"
)

// Runtime is the folder where the private sockets of the generations lie, with the file that is preloaded into Node.
type Runtime struct {
	dir  string
	next atomic.Int64 // number of the next generation's folder
}

// maxRuntimeDir keeps the sockets' paths below the 108 bytes of sockaddr_un (unix(7)), which Node cuts silently.
const maxRuntimeDir = 60

// NewRuntime makes the folder in the first place that lets it: a container's root may be read-only, its /dev/shm never is.
func NewRuntime() (*Runtime, error) {
	var errs []error
	for _, base := range []string{"/run", os.TempDir(), "/dev/shm"} {
		sweepRuntimes(base)
		dir, err := os.MkdirTemp(base, runtimePrefix+strconv.Itoa(os.Getpid())+"-")
		if err == nil && len(dir) > maxRuntimeDir {
			_ = os.Remove(dir)
			err = fmt.Errorf("the path %s is too long for sockets", dir)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r := &Runtime{dir: dir}
		// The child's user must get in, and read the file, whatever our umask is.
		if err := errors.Join(os.WriteFile(r.file(), preload.Source(), 0o644), os.Chmod(r.file(), 0o644), os.Chmod(dir, 0o711)); err != nil {
			return nil, errors.Join(err, r.Close())
		}
		return r, nil
	}
	return nil, fmt.Errorf("no folder for sockets can be made: %w", errors.Join(errs...))
}

const runtimePrefix = "pitstop-"

// sweepRuntimes removes what instances that were killed have left in the same container.
func sweepRuntimes(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, runtimePrefix+"*-*"))
	for _, dir := range dirs {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), runtimePrefix), "-")
		pid, err := strconv.Atoi(text)
		// As PID 1 an instance has the number of the one before it.
		if err == nil && (pid == os.Getpid() || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)) {
			if _, err := os.Stat(filepath.Join(dir, "preload.cjs")); err == nil {
				_ = os.RemoveAll(dir)
			}
		}
	}
}

// Close removes the folder.
func (r *Runtime) Close() error { return os.RemoveAll(r.dir) }

func (r *Runtime) file() string { return filepath.Join(r.dir, "preload.cjs") }

// sockets makes the folder of a new generation, which only its user may enter, with the pipe that it announces itself in.
func (r *Runtime) sockets(user *User) (_ *sockets, err error) {
	dir := filepath.Join(r.dir, strconv.FormatInt(r.next.Add(1), 10))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	fifo := filepath.Join(dir, preload.FIFO)
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		return nil, fmt.Errorf("make the pipe %s: %w", fifo, err)
	}
	if user != nil && os.Geteuid() == 0 {
		uid, gid := int(user.UID), int(user.GID)
		if err := errors.Join(os.Chown(dir, uid, gid), os.Chown(fifo, uid, gid)); err != nil {
			return nil, err
		}
	}
	// Open for writing too, so that there is no end of it when a process of the app ends.
	pipe, err := os.OpenFile(fifo, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	s := &sockets{dir: dir, pipe: pipe, changed: make(chan struct{}), others: map[int]bool{}, entries: map[int]string{}}
	go s.read()
	return s, nil
}

// environ is what the generation's processes need to know: the preload comes first in NODE_OPTIONS, the user's own stay.
func (r *Runtime) environ(s *sockets, env []string, port int) []string {
	options := "--require=" + r.file()
	var out []string
	for _, kv := range env {
		if own, ok := cutVariable(kv, "NODE_OPTIONS"); ok {
			options += " " + own
			continue
		}
		out = append(out, kv)
	}
	return append(out, "NODE_OPTIONS="+options, preload.GenerationDirEnv+"="+s.dir, preload.AppPortEnv+"="+strconv.Itoa(port))
}
