package lean

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// spliceFrom is from how many bytes on a body is moved by the kernel, without passing through our memory (splice(2)).
	spliceFrom = 128 << 10
	// pipeSize is what a pipe is asked to hold, in bytes.
	pipeSize = 256 << 10
	// maxPipes is how many are kept.
	maxPipes = 64
)

// pipe is what bytes are moved through: from a socket into it, and from it into another.
type pipe struct{ r, w int }

func newPipe() (*pipe, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize) // else it is smaller
	return &pipe{fds[0], fds[1]}, nil
}

func (p *pipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// spliceIn moves up to max bytes from the socket into an empty pipe, as soon as there are some.
func (w *wire) spliceIn(p *pipe, max int64) (int64, error) {
	var n int64
	var err error
	rawErr := w.raw.Read(func(fd uintptr) bool {
		n, err = splice(int(fd), p.w, max)
		return err != syscall.EAGAIN
	})
	switch {
	case rawErr != nil:
		return 0, rawErr
	case err != nil:
		return 0, os.NewSyscallError("splice", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// spliceOut moves n bytes that are in the pipe into the socket, and returns how many of them are left.
func (w *wire) spliceOut(p *pipe, n int64) (left int64, err error) {
	rawErr := w.raw.Write(func(fd uintptr) bool {
		for n > 0 {
			var moved int64
			if moved, err = splice(p.r, int(fd), n); err != nil {
				return err != syscall.EAGAIN
			}
			n -= moved
		}
		return true
	})
	if rawErr != nil {
		return n, rawErr
	}
	return n, os.NewSyscallError("splice", err)
}

func splice(from, to int, n int64) (int64, error) {
	for {
		moved, err := unix.Splice(from, nil, to, nil, int(min(n, 1<<30)), unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if err != syscall.EINTR {
			return max(moved, 0), err
		}
	}
}
