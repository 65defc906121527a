package logs

import (
	"os"

	"golang.org/x/sys/unix"
)

func pipeCapacity(f *os.File) (size int, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	ctlErr := conn.Control(func(fd uintptr) { size, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0) })
	if ctlErr != nil {
		return 0, ctlErr
	}
	return size, err
}

// largestPipe is how much this machine gives a pipe that asks for a mebibyte.
func largestPipe() (int, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	_, _ = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 1<<20)
	return pipeCapacity(r)
}
