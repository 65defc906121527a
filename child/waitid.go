package child

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pidOffset is where waitid(2) puts si_pid: after three words, and a fourth of padding on 64-bit systems. x/sys has
// no name for it.
const pidOffset = 12 + (unsafe.Sizeof(uintptr(0)) - 4)

// zombie returns a child of this program that has ended and is not collected yet, 0 if there is none. It leaves it
// so (WNOWAIT), and will return the same again.
func zombie() int {
	var info unix.Siginfo
	err := uninterrupted(func() error {
		return unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	})
	if err != nil { // ECHILD: there are no children at all
		return 0
	}
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(&info), pidOffset)))
}

// awaitEnd blocks until a child has ended, and leaves its status for whoever collects it.
func awaitEnd(pid int) {
	_ = uninterrupted(func() error {
		return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	})
}

// collect reaps one child, or with a negative number one of that group, and says whether there was one to reap.
func collect(pid int) bool {
	var got int
	err := uninterrupted(func() (err error) {
		got, err = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		return err
	})
	return err == nil && got > 0
}

func uninterrupted(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
