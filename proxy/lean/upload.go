package lean

import (
	"fmt"
	"sync/atomic"
	"time"

	"pitstop/proxy"
	"pitstop/proxy/http1"
)

const (
	// lateTime is how long a body may stand still whose response is complete, before the connection is given up.
	lateTime = 5 * time.Second
	// maxDiscard is how much of a body that nobody wants is read, so that its client gets to read the answer.
	maxDiscard = 1 << 20
)

// upload sends a request's body on while it comes, in a goroutine of its own, since the response may begin before the
// body ends.
type upload struct {
	x    *exchange
	up   *upstream
	done chan struct{}
	// continued: the client has been told to go on, or did not ask.
	continued atomic.Bool
	began     atomic.Bool // bytes of the body have come
	late      atomic.Bool // the response is complete
	quit      atomic.Bool
	heard     atomic.Bool // the child has answered, or will not

	// The goroutine's, until done.
	left   int64 // of a body of known length
	follow http1.Chunked
	body   int64 // bytes of it so far, without framing
	lost   error // the child takes no more
	wasted int64 // bytes read since
	whole  bool  // all was written
	fault  error // of the client
	rest   []byte
}

func (x *exchange) startUpload() *upload {
	u := &upload{x: x, up: x.up, done: make(chan struct{}), left: x.req.Length}
	u.continued.Store(!x.plan.expect)
	go u.run(x.in[x.req.Size:x.plan.end])
	return u
}

// run writes the pieces of the body to the child, buffered first.
func (u *upload) run(buffered []byte) {
	defer close(u.done)
	defer u.x.c.guard()
	var buf *[]byte
	defer func() {
		if buf != nil {
			u.x.e.body.put(buf)
		}
	}()
	p := buffered
	for {
		finished, err := u.piece(p)
		if err == nil && !finished && !u.x.req.Chunked {
			err = u.splice()
			finished = u.left == 0
		}
		if finished && err == nil {
			if u.whole = u.lost == nil; u.whole {
				u.awaitResponse()
			}
			return
		}
		if err == nil {
			if buf == nil {
				buf = u.x.e.body.get()
			}
			p, err = u.read((*buf)[:cap(*buf)])
		}
		if err != nil {
			if !u.quit.Load() {
				u.fault = err
			}
			if u.lost == nil {
				_ = u.up.Close() // half a request is no request
			} // else the answer may still be read
			return
		}
	}
}

// read reads the next piece.
func (u *upload) read(p []byte) ([]byte, error) {
	if !u.x.req.Chunked {
		p = p[:min(int64(len(p)), u.left)]
	}
	n, err := u.await(func() (int64, error) {
		n, err := u.x.c.read(p)
		return int64(n), err
	})
	return p[:n], err
}

// await calls what waits for the client's next bytes, within the bounds.
func (u *upload) await(next func() (int64, error)) (int64, error) {
	c := u.x.c
	defer c.reading.stop()
	switch {
	case u.late.Load():
		c.reading.set(&c.e.clock, lateTime)
	case u.continued.Load():
		c.reading.set(&c.e.clock, c.e.cfg.Limits.BodyTime)
	}
	if u.quit.Load() {
		return 0, errTimeout
	}
	n, err := next()
	if n > 0 {
		if !u.began.Swap(true) {
			c.waiting.stop() // for the child's word to go on
		}
		return n, nil
	}
	return 0, bodyError(err)
}

// piece sends what belongs to the body, and says whether that was its end.
func (u *upload) piece(p []byte) (finished bool, err error) {
	if !u.x.req.Chunked {
		u.left -= int64(len(p))
		u.body += int64(len(p))
		return u.left == 0, u.send(p)
	}
	n, data, done, err := u.follow.Advance(p)
	if err != nil {
		u.x.logBad(err)
		return false, err
	}
	u.body += data
	if limit := u.x.e.cfg.Limits.Body; limit > 0 && u.body > limit {
		return false, proxy.ErrLargeBody
	}
	if err := u.send(p[:n]); err != nil || !done {
		return false, err
	}
	return true, u.trailers(p[n:])
}

// send writes to the child. When that takes no more, the client may still be at it: some is read and thrown away.
func (u *upload) send(p []byte) error {
	if u.lost == nil && len(p) > 0 {
		u.hurry()
		_, u.lost = u.up.Write(p)
	}
	if u.lost != nil {
		if u.wasted += int64(len(p)); u.wasted > maxDiscard {
			return fmt.Errorf("the app stopped reading: %w", u.lost)
		}
	}
	return nil
}

// awaitResponse gives the child its time for the response, now that it has the request whole.
func (u *upload) awaitResponse() {
	c := u.x.c
	if limit := c.e.cfg.Limits.ResponseTime; limit > 0 && !u.heard.Load() {
		c.waiting.set(&c.e.clock, limit)
		if u.heard.Load() { // meanwhile
			c.waiting.stop()
		}
	}
}

// hurry bounds the next write to a child that has answered: it may never read again.
func (u *upload) hurry() {
	if u.late.Load() {
		_ = u.up.SetWriteDeadline(time.Now().Add(lateTime))
	}
}

// trailers reads the trailer section and sends what may be sent of it.
func (u *upload) trailers(p []byte) error {
	var head http1.Head
	section := append([]byte(nil), p...)
	for {
		done, err := head.Trailers(section, u.x.e.limits)
		if err != nil {
			u.x.logBad(err)
			return err
		}
		if done {
			u.rest = section[head.Size:]
			return u.send(appendTrailers(nil, section, &head))
		}
		more, err := u.read(make([]byte, inBuffer))
		if err != nil {
			return err
		}
		section = append(section, more...)
	}
}

// failed returns what the client did wrong, nil while nothing is known.
func (u *upload) failed() error {
	if u == nil {
		return nil
	}
	select {
	case <-u.done:
		return u.fault
	default:
		return nil
	}
}

// stopUpload ends the upload and waits for it.
func (x *exchange) stopUpload() {
	u := x.upload
	if u == nil {
		return
	}
	u.quit.Store(true)
	x.c.reading.at.Store(rung)
	_ = x.c.nc.SetReadDeadline(past)
	<-u.done
	x.endUpload()
}

// finishUpload waits until the body has come whole, after its response is complete, and says whether it was sent whole.
func (x *exchange) finishUpload() bool {
	u := x.upload
	if u == nil {
		return true
	}
	u.late.Store(true)
	u.hurry()
	x.c.reading.set(&x.c.e.clock, lateTime)
	<-u.done
	_ = u.up.SetWriteDeadline(time.Time{})
	x.endUpload()
	return u.whole
}

// endUpload takes over what the upload leaves: what has come behind the body.
func (x *exchange) endUpload() {
	u := x.upload
	x.c.reading.stop()
	_ = x.c.nc.SetReadDeadline(time.Time{})
	x.seen.Received = u.body
	if u.whole && len(u.rest) > 0 {
		x.in = append(x.in[:x.req.Size], u.rest...)
		x.plan.end = x.req.Size
	}
	if !u.whole {
		x.again = false
	}
}

// appendTrailers appends a trailer section with what may stand in one, and its end.
func appendTrailers(b, section []byte, head *http1.Head) []byte {
	for i := range head.Fields {
		f := &head.Fields[i]
		if proxy.IsTrailer(f.Name.In(section)) {
			b = append(b, section[f.Name.Start:f.Next]...)
		}
	}
	return append(b, "\r\n"...)
}
