package lean

import (
	"sync"
	"syscall"
)

// Sizes of the lean engine's buffers, in bytes. One that has grown beyond its pool's size is not kept.
const (
	inBuffer   = 4 << 10  // a request's head, and a small body
	outBuffer  = 4 << 10  // a head as it is sent on, and what goes with it
	backBuffer = 16 << 10 // from the child
	bodyBuffer = 64 << 10 // of bodies that keep filling the smaller one
)

// buffers is a pool of buffers of one size.
type buffers struct {
	size int
	pool sync.Pool // of *[]byte
}

func (b *buffers) get() *[]byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, 0, b.size)
	return &p
}

func (b *buffers) put(p *[]byte) {
	if cap(*p) == b.size {
		*p = (*p)[:0]
		b.pool.Put(p)
	}
}

// lazyReader reads from a socket into a buffer that it borrows only once there is something to read, so that thousands of
// idle connections hold none.
type lazyReader struct {
	raw  syscall.RawConn
	pool *buffers
	// buf is what was read; who called read gives it back to the pool. Nil after an error.
	buf  *[]byte
	err  error
	step func(fd uintptr) bool
}

func (r *lazyReader) init(conn syscall.Conn, pool *buffers) error {
	var err error
	r.pool = pool
	r.step = r.try
	r.raw, err = conn.SyscallConn()
	return err
}

// read waits until there is something to read, and reads it. At the end of the stream it returns an empty buffer.
func (r *lazyReader) read() (*[]byte, error) {
	r.buf, r.err = nil, nil
	err := r.raw.Read(r.step)
	buf := r.buf
	r.buf = nil
	if err == nil {
		err = r.err
	}
	return buf, err
}

// try reads without waiting; false says that there is nothing yet.
func (r *lazyReader) try(fd uintptr) bool {
	buf := r.pool.get()
	n, errno := sysRead(fd, (*buf)[:cap(*buf)])
	if errno == 0 {
		*buf = (*buf)[:n]
		r.buf = buf
		return true
	}
	r.pool.put(buf)
	if errno == syscall.EAGAIN {
		return false
	}
	r.err = errno
	return true
}
