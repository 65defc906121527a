package proxy

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// goneWatch notices that clients leave while nobody reads from them. It asks the kernel once for each connection and
// costs nothing while that lives, where a read in the background costs a goroutine's switch for each request (epoll(7),
// EPOLLRDHUP, edge-triggered).
type goneWatch struct {
	fd     int
	file   *os.File // fd, in the runtime's own poller
	onGone func(id uint64, reset bool)
	err    error
}

func newGoneWatch(onGone func(id uint64, reset bool)) *goneWatch {
	w := &goneWatch{fd: -1, onGone: onGone}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		w.err = os.NewSyscallError("epoll_create1", err)
		return w
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		w.err = os.NewSyscallError("fcntl", err)
	}
	w.fd, w.file = fd, os.NewFile(uintptr(fd), "epoll")
	return w
}

// add watches a connection until it is closed.
func (w *goneWatch) add(c *conn) error {
	if w.err != nil {
		return w.err
	}
	event := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff, Fd: int32(uint32(c.id)), Pad: int32(uint32(c.id >> 32))}
	var err error
	if ctlErr := c.raw.Control(func(fd uintptr) { err = unix.EpollCtl(w.fd, unix.EPOLL_CTL_ADD, int(fd), &event) }); ctlErr != nil {
		return ctlErr
	}
	return os.NewSyscallError("epoll_ctl", err)
}

// run reports until close.
func (w *goneWatch) run() {
	if w.file == nil {
		return
	}
	raw, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	events := make([]unix.EpollEvent, 128)
	for {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, err = unix.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil && err != syscall.EINTR
		})
		if err != nil {
			return
		}
		for _, event := range events[:max(n, 0)] {
			w.onGone(uint64(uint32(event.Fd))|uint64(uint32(event.Pad))<<32, event.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0)
		}
	}
}

func (w *goneWatch) close() {
	if w.file != nil {
		_ = w.file.Close()
	}
}
