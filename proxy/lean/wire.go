package lean

import (
	"io"
	"os"
	"syscall"
)

// wire reads from and writes to a socket. One goroutine may read while another writes.
type wire struct {
	raw syscall.RawConn

	// The reader's.
	in       []byte
	got      int
	readErr  syscall.Errno
	readStep func(fd uintptr) bool
	asked    bool   // the question has been sent
	loud     bool   // there was something to be read before
	question []byte // what is still to be sent of it
	askErr   syscall.Errno
	askStep  func(fd uintptr) bool

	// The writer's.
	out       []byte
	writeErr  syscall.Errno
	writeStep func(fd uintptr) bool
}

func (w *wire) init(conn syscall.Conn) error {
	w.readStep, w.askStep, w.writeStep = w.tryRead, w.tryAsk, w.tryWrite
	var err error
	w.raw, err = conn.SyscallConn()
	return err
}

// Read implements io.Reader.
func (w *wire) Read(p []byte) (int, error) {
	w.in = p
	return w.result(w.raw.Read(w.readStep))
}

func (w *wire) result(err error) (int, error) {
	n := w.got
	w.in, w.got = nil, 0
	switch {
	case err != nil:
		return 0, err
	case w.readErr != 0:
		return 0, os.NewSyscallError("read", w.readErr)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (w *wire) tryRead(fd uintptr) bool {
	w.got, w.readErr = sysRead(fd, w.in)
	return w.readErr != syscall.EAGAIN
}

// Write implements io.Writer.
func (w *wire) Write(p []byte) (int, error) {
	w.out = p
	err := w.raw.Write(w.writeStep)
	n := len(p) - len(w.out)
	w.out = nil
	if err == nil && w.writeErr != 0 {
		err = os.NewSyscallError("write", w.writeErr)
	}
	return n, err
}

func (w *wire) tryWrite(fd uintptr) bool {
	for len(w.out) > 0 {
		var n int
		if n, w.writeErr = sysWrite(fd, w.out); w.writeErr != 0 {
			return w.writeErr != syscall.EAGAIN
		}
		w.out = w.out[n:]
	}
	return true
}

// ask writes a question and reads the first bytes of the answer. It does nothing, and says loud, when there is
// something to be read before, which is no answer, or the end. rest is what is still to be written of the question,
// when the socket did not take it at once; nothing has been read then.
//
// It is one wait where a write and a read would be a try and a wait: the look before the question tells the poller what
// the try would.
func (w *wire) ask(question, p []byte) (n int, rest []byte, loud bool, err error) {
	w.in, w.question, w.asked, w.loud, w.askErr, w.readErr = p, question, false, false, 0, 0
	n, err = w.result(w.raw.Read(w.askStep))
	rest, loud = w.question, w.loud
	w.question = nil
	if w.askErr != 0 && w.askErr != syscall.EAGAIN {
		err = os.NewSyscallError("write", w.askErr)
	} else if loud || len(rest) > 0 && err == io.EOF {
		err = nil
	}
	return n, rest, loud, err
}

func (w *wire) tryAsk(fd uintptr) bool {
	if w.asked {
		return w.tryRead(fd)
	}
	if sysPeek(fd) != syscall.EAGAIN {
		w.loud = true
		return true
	}
	w.asked = true
	var n int
	n, w.askErr = sysWrite(fd, w.question)
	w.question = w.question[n:]
	return w.askErr != 0 || len(w.question) > 0
}

// quiet says whether the connection is open and nothing lies in it.
func (w *wire) quiet() bool {
	quiet := false
	err := w.raw.Control(func(fd uintptr) { quiet = sysPeek(fd) == syscall.EAGAIN })
	return err == nil && quiet
}
