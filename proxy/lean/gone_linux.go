package lean

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// goneWatch notices that clients leave while nobody reads from them. It asks the kernel once for each connection and
// costs nothing while that lives, where a read in the background costs a goroutine's switch for each request (epoll(7),
// EPOLLRDHUP, edge-triggered).
type goneWatch struct {
	fd         int
	file       *os.File // fd, in the runtime's own poller
	onGone     func(id uint64, reset bool)
	onReadable func(id uint64)
	err        error
}

func newGoneWatch(onGone func(id uint64, reset bool), onReadable func(id uint64)) *goneWatch {
	w := &goneWatch{fd: -1, onGone: onGone, onReadable: onReadable}
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
	return w.control(unix.EPOLL_CTL_ADD, watching, c)
}

// park has the next byte, and the end, of an idle connection reported by onReadable: from then on nobody else need wait for
// it. It says whether that was possible.
func (w *goneWatch) park(c *conn) bool {
	c.parked.Store(true)
	if w.control(unix.EPOLL_CTL_MOD, parking, c) == nil {
		return true
	}
	return !c.parked.CompareAndSwap(true, false) // else it was resumed already
}

// unpark goes back to watching for the end only.
func (w *goneWatch) unpark(c *conn) { _ = w.control(unix.EPOLL_CTL_MOD, watching, c) }

const (
	watching = unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff
	parking  = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT
)

func (w *goneWatch) control(op int, events uint32, c *conn) error {
	event := unix.EpollEvent{Events: events, Fd: int32(uint32(c.id)), Pad: int32(uint32(c.id >> 32))}
	var err error
	if ctlErr := c.wire.raw.Control(func(fd uintptr) { err = unix.EpollCtl(w.fd, op, int(fd), &event) }); ctlErr != nil {
		return ctlErr
	}
	return os.NewSyscallError("epoll_ctl", err)
}

// remove ends the watching.
func (w *goneWatch) remove(c *conn) { _ = w.control(unix.EPOLL_CTL_DEL, 0, c) }

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
			id := uint64(uint32(event.Fd)) | uint64(uint32(event.Pad))<<32
			if event.Events&unix.EPOLLIN != 0 {
				w.onReadable(id)
			}
			if event.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
				w.onGone(id, event.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0)
			}
		}
	}
}

func (w *goneWatch) close() {
	if w.file != nil {
		_ = w.file.Close()
	}
}

// sendInterim sends the interim response, whole or not at all: only where all that was sent before has arrived.
func sendInterim(fd uintptr) {
	if unsent, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err == nil && unsent == 0 {
		_, _ = unix.Write(int(fd), []byte(interim))
	}
}
