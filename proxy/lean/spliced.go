package lean

import (
	"errors"
	"fmt"
	"os"
	"time"

	"pitstop/proxy"
)

// splice moves the rest of a response of known length from the child to the client, and says whether it could.
func (r *relay) splice() (done bool, err error) {
	x := r.x
	if r.mode != length || r.left < spliceFrom {
		return false, nil
	}
	pipe := x.e.pipes.get()
	if pipe == nil {
		return false, nil
	}
	inPipe := int64(0)
	defer func() { x.e.pipes.put(pipe, inPipe == 0) }()
	for r.left > 0 {
		if inPipe, err = x.up.spliceIn(pipe, r.left, x.stop); err != nil {
			return true, cutShort(err)
		}
		r.left -= inPipe
		x.seen.Sent += inPipe
		if inPipe, err = x.c.spliceOut(pipe, inPipe); err != nil {
			return true, fmt.Errorf("%w: %w", proxy.ErrClientGone, err)
		}
	}
	return true, nil
}

// spliceIn moves bytes from the child into a pipe. Deadlines are met as by read.
func (u *upstream) spliceIn(p *pipe, most int64, stop func() error) (int64, error) {
	for {
		n, err := u.wire.spliceIn(p, most)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if err := u.takeBack(stop); err != nil {
			return 0, err
		}
	}
}

// spliceOut moves n bytes from a pipe to the client, which may be slow but not stand still.
func (c *conn) spliceOut(p *pipe, n int64) (left int64, err error) {
	c.writing.set(&c.e.clock, c.e.cfg.Limits.BodyTime)
	defer c.writing.stop()
	for {
		left, err = c.wire.spliceOut(p, n)
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.writing.rang() {
			return left, err
		}
		n = left
		_ = c.nc.SetWriteDeadline(time.Time{})
	}
}

// splice moves the rest of a request's body of known length from the client to the child. What it does not finish,
// because the child takes no more or there is no pipe, is left to others.
func (u *upload) splice() error {
	e := u.x.e
	if u.x.req.Chunked || u.left < spliceFrom || u.lost != nil {
		return nil
	}
	pipe := e.pipes.get()
	if pipe == nil {
		return nil
	}
	inPipe := int64(0)
	defer func() { e.pipes.put(pipe, inPipe == 0) }()
	for u.left > 0 && u.lost == nil {
		n, err := u.await(func() (int64, error) { return u.x.c.spliceIn(pipe, u.left) })
		if err != nil {
			return err
		}
		u.left -= n
		u.body += n
		inPipe, u.lost = u.up.wire.spliceOut(pipe, n)
	}
	return nil
}

// spliceIn moves bytes from the client into a pipe. It fails with errTimeout when the alarm has rung.
func (c *conn) spliceIn(p *pipe, most int64) (int64, error) {
	for {
		n, err := c.wire.spliceIn(p, most)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if err := c.takeBack(); err != nil {
			return 0, err
		}
	}
}
