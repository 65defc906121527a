package logs

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is the most that an ordinary user may ask for (/proc/sys/fs/pipe-max-size). What fits into the pipe survives
// process.exit(): Node writes to pipes when it gets to it, and at its exit drops what the pipe did not take.
const pipeSize = 1 << 20

// newPipe makes a pipe of which we can wait for the read end with a deadline. os.Pipe would make the write end
// non-blocking too, and programs that do not expect it, cat or Python among them, fail with EAGAIN.
func newPipe(name string) (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("pipe for the child's %s: %w", name, err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		_, _ = unix.Close(fds[0]), unix.Close(fds[1])
		return nil, nil, fmt.Errorf("pipe for the child's %s: %w", name, err)
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize) // the user's pipes may have too many pages: 64 KiB then
	return os.NewFile(uintptr(fds[0]), name), os.NewFile(uintptr(fds[1]), name), nil
}

// readNow reads without waiting, whatever the deadline, as read(2) does: EAGAIN when nothing is there, 0 at the end.
func readNow(f *os.File, b []byte) (n int, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	if ctlErr := conn.Control(func(fd uintptr) { n, err = unix.Read(int(fd), b) }); ctlErr != nil {
		return 0, ctlErr
	}
	return n, err
}
