//go:build !linux

package lean

import "syscall"

func sysRead(fd uintptr, p []byte) (int, syscall.Errno) { return sysResult(syscall.Read(int(fd), p)) }

func sysWrite(fd uintptr, p []byte) (int, syscall.Errno) { return sysResult(syscall.Write(int(fd), p)) }

func sysResult(n int, err error) (int, syscall.Errno) {
	errno, _ := err.(syscall.Errno)
	return max(n, 0), errno
}

// sysPeek looks for bytes, or the end of the stream, without taking them.
func sysPeek(fd uintptr) syscall.Errno {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
	errno, _ := err.(syscall.Errno)
	return errno
}
