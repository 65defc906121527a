package lean

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"pitstop/proxy"
	"pitstop/proxy/http1"
)

// bodyMode is how a response's body goes from the child to the client.
type bodyMode uint8

const (
	none       bodyMode = iota
	length              // so many bytes
	chunks              // chunked on both sides: taken over as it is, once understood
	fromChunks          // chunked by the child, for a client of HTTP/1.0: ends with the connection
	toChunks            // ended by the child's connection, chunked for the client
	untilClose          // ended by the connection on both sides
)

// relay carries one response's body.
type relay struct {
	x       *exchange
	mode    bodyMode
	left    int64
	follow  http1.Chunked
	events  eventEnd
	surplus bool   // the child has sent more than its response
	scratch []byte // of toChunks and fromChunks
}

func (x *exchange) newRelay() *relay {
	r := &x.relayed
	*r = relay{x: x, left: x.resp.Length, scratch: r.scratch}
	switch resp, http11 := &x.resp, x.req.Minor == 1; {
	case !resp.HasBody(string(x.req.Method.In(x.in)) == http.MethodHead):
		r.mode = none
	case resp.Chunked && http11:
		r.mode = chunks
	case resp.Chunked:
		r.mode = fromChunks
	case resp.Length >= 0:
		r.mode = length
	case http11:
		r.mode = toChunks
	default:
		r.mode = untilClose
	}
	if r.mode == fromChunks || r.mode == untilClose {
		x.again = false
	}
	return r
}

// reusable says whether the connection to the child can carry another request once the response is complete.
func (r *relay) reusable() bool {
	return !r.surplus && !r.x.resp.Close && !r.x.plan.upgrade && r.mode < fromChunks
}

// piece makes of bytes from the child what the client gets, and says whether the response ends with it. What it returns is
// valid until the next piece.
func (r *relay) piece(p []byte) (out []byte, done bool, err error) {
	switch r.mode {
	case none:
		r.surplus = len(p) > 0
		return nil, true, nil
	case length:
		n := min(int64(len(p)), r.left)
		r.left -= n
		r.surplus = int64(len(p)) > n
		return p[:n], r.left == 0, nil
	case chunks, fromChunks:
		return r.chunked(p)
	case toChunks:
		if len(p) == 0 {
			return nil, false, nil
		}
		r.events.saw(p)
		b := strconv.AppendInt(r.scratch[:0], int64(len(p)), 16)
		b = append(append(append(b, "\r\n"...), p...), "\r\n"...)
		r.scratch = b
		return b, false, nil
	default:
		return p, false, nil
	}
}

// chunked follows the chunks, and at their end takes the trailer section.
func (r *relay) chunked(p []byte) (out []byte, done bool, err error) {
	n := 0
	r.scratch = r.scratch[:0]
	for n < len(p) && !done && err == nil {
		var read int
		var data []byte
		read, data, done, err = r.follow.Next(p[n:])
		n += read
		if len(data) > 0 {
			r.events.saw(data)
		}
		if r.mode == fromChunks {
			r.scratch = append(r.scratch, data...)
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", proxy.ErrBadResponse, err)
	}
	switch {
	case r.mode == fromChunks:
		return r.scratch, done, nil
	case !done:
		return p[:n], false, nil
	case len(p) >= n+2 && p[n] == '\r' && p[n+1] == '\n': // no trailers
		r.surplus = len(p) > n+2
		return p[:n+2], true, nil
	}
	section, err := r.trailers(p[n:])
	if err != nil {
		return nil, false, err
	}
	r.scratch = append(append(r.scratch, p[:n]...), section...)
	return r.scratch, true, nil
}

// trailers reads the trailer section, whose first bytes are p, and returns what the client gets of it.
func (r *relay) trailers(p []byte) ([]byte, error) {
	head := &r.x.trailer
	head.Reset()
	section := append([]byte(nil), p...)
	for {
		done, err := head.Trailers(section, responseLimits)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", proxy.ErrBadResponse, err)
		}
		if done {
			r.surplus = len(section) > head.Size
			return appendTrailers(nil, section, head), nil
		}
		more := make([]byte, inBuffer)
		n, err := r.x.up.read(more, r.x.stop)
		if n == 0 {
			return nil, fmt.Errorf("%w: %w", proxy.ErrBadResponse, cutShort(err))
		}
		section = append(section, more[:n]...)
	}
}

// run carries the rest of the body.
func (r *relay) run() error {
	x := r.x
	buf := x.back[:cap(x.back)]
	var large *[]byte
	defer func() {
		if large != nil {
			x.e.body.put(large)
		}
	}()
	for {
		if x.endless.isEnding() && r.atEventEnd() {
			return r.endStream()
		}
		n, err := x.readBack(buf)
		switch {
		case n > 0:
		case errors.Is(err, errEnding):
			x.endless.last(x.up)
			continue
		case errors.Is(err, io.EOF) && r.mode >= toChunks:
			return r.end()
		default:
			return cutShort(err)
		}
		piece, done, err := r.piece(buf[:n])
		x.seen.Sent += int64(len(piece))
		if err == nil {
			err = x.writeClient(nil, piece)
		}
		if err != nil || done {
			return err
		}
		if n == len(buf) && large == nil && x.endless == nil { // there is a lot of it
			large = x.e.body.get()
			buf = (*large)[:cap(*large)]
		}
	}
}

// readBack reads from the child.
func (x *exchange) readBack(buf []byte) (int, error) { return x.up.read(buf, x.stop) }

// end ends a body that the child has ended by closing its connection.
func (r *relay) end() error {
	if r.mode != toChunks {
		return nil
	}
	return r.x.writeClient(nil, []byte("0\r\n\r\n"))
}

// atEventEnd says whether the stream can be ended here: behind an event, and where a last chunk may stand.
func (r *relay) atEventEnd() bool {
	switch r.mode {
	case chunks:
		return r.follow.Between() && r.events.here()
	case toChunks, fromChunks, untilClose:
		return r.events.here()
	}
	return false
}

// endStream ends a stream that the child would go on with: the client sees a complete response and asks anew.
func (r *relay) endStream() error {
	r.surplus = true // its connection is of no more use
	if r.mode == chunks || r.mode == toChunks {
		return r.x.writeClient(nil, []byte("0\r\n\r\n"))
	}
	return nil
}
