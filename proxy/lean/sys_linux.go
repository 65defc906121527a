package lean

import (
	"syscall"
	"unsafe"
)

// These make system calls on sockets that never block, so that the runtime need not be told that one might: it would
// take the processor away from us whenever the kernel runs somebody else meanwhile, and give it back, for a twentieth
// of what a request costs.

func sysRead(fd uintptr, p []byte) (int, syscall.Errno) {
	return sysCall(syscall.SYS_READ, fd, p)
}

func sysWrite(fd uintptr, p []byte) (int, syscall.Errno) {
	return sysCall(syscall.SYS_WRITE, fd, p)
}

func sysCall(number, fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case syscall.EINTR:
		case 0:
			return int(n), 0
		default:
			return 0, errno
		}
	}
}

// sysPeek looks for bytes, or the end of the stream, without taking them.
func sysPeek(fd uintptr) syscall.Errno {
	var b [1]byte
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), 1, syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
	return errno
}
