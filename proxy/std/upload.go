package std

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"pitstop/proxy"
)

// clientBody is a request's body as the client sends it: bounded in size and in how long it may stand still. The transport
// may read it until it has closed it, which may be after the handler has returned (http.RoundTripper); net/http's server
// wants no such reads, and panics. So it is ended before.
type clientBody struct {
	io.ReadCloser
	flight *flight
	stall  time.Duration
	limit  int64 // 0: any

	reading sync.Mutex // held by who reads

	mu   sync.Mutex
	over bool // the transport may not begin to read any more

	whole atomic.Bool // its end has been read
}

// Read implements io.Reader. Its errors are the table's: errLargeBody, errSlowBody, errBadBody.
func (b *clientBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if !b.begin() {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.read(p)
	received := b.flight.received.Add(int64(n))
	switch {
	case b.limit > 0 && received > b.limit:
		err = proxy.ErrLargeBody
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = proxy.ErrSlowBody
	case err != io.EOF && !errors.Is(err, http.ErrBodyReadAfterClose):
		err = fmt.Errorf("%w: %w", proxy.ErrBadBody, err)
	}
	if b.stall > 0 && err != proxy.ErrSlowBody {
		b.flight.setReadDeadline(time.Time{}) // from now on the server listens whether the client leaves
	}
	if err != io.EOF && !errors.Is(err, http.ErrBodyReadAfterClose) {
		b.flight.clientFailed(err)
	}
	return n, err
}

// begin says whether the transport may read, and gives it the time for it. Whoever ends the body sets a deadline after it.
func (b *clientBody) begin() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return false
	}
	if b.stall > 0 {
		b.flight.setReadDeadline(time.Now().Add(b.stall))
	}
	return true
}

// read reads from the server. A panic there would be one of the transport's goroutine, and take the program with it.
func (b *clientBody) read(p []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, fmt.Errorf("%w: %v", proxy.ErrBadBody, r)
		}
	}()
	n, err = b.ReadCloser.Read(p)
	if err == io.EOF {
		b.whole.Store(true)
	}
	return n, err
}

// stop says that the transport may not begin to read any more. A read that has begun goes on.
func (b *clientBody) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}

// end waits until nobody reads any more, and sees to it that it is soon: the server does not wait for the rest either,
// since the connection ends.
func (b *clientBody) end() {
	b.stop()
	if b.whole.Load() {
		return
	}
	b.flight.setReadDeadline(time.Unix(1, 0))
	b.reading.Lock()
	defer b.reading.Unlock()
}

const (
	// restTime and restPause bound what is read of a body that nobody wants any more. Without it the kernel would
	// answer what the client still sends with a reset, and that may destroy the answer before the client has read it.
	restTime  = 30 * time.Second
	restPause = 5 * time.Second
)

// readRest reads on after an answer that came before the request's end.
func (b *clientBody) readRest(r *http.Request) {
	if r.ProtoMajor > 1 || b.whole.Load() || r.Header.Get("Upgrade") != "" || r.Context().Err() != nil {
		return
	}
	if err := b.flight.clientError(); err != nil && !errors.Is(err, proxy.ErrLargeBody) {
		return
	}
	_ = b.flight.rc.Flush()
	b.stop()
	buf := make([]byte, copyBuffer)
	for end := time.Now().Add(restTime); ; {
		now := time.Now()
		b.flight.setReadDeadline(now.Add(min(restPause, end.Sub(now)))) // also of a read that has begun
		b.reading.Lock()
		_, err := b.read(buf)
		b.reading.Unlock()
		if err != nil || now.After(end) {
			return
		}
	}
}

// passTrailers makes what the client sends behind its body reach the child; net/http's proxy copies the names only.
func passTrailers(out, in *http.Request) {
	if out.Body == nil || in.Trailer == nil && (in.ProtoMajor > 1 || in.ContentLength >= 0) {
		return
	}
	out.Trailer = make(http.Header)
	for name := range in.Trailer {
		out.Trailer[name] = nil
	}
	filterTrailers(out.Trailer)
	out.Body = &trailed{out.Body, out.Trailer, flightOf(in.Context()).asked}
}

// trailed is a body with trailers, which are known once it has ended.
type trailed struct {
	io.ReadCloser
	to http.Header
	in *http.Request
}

// Read implements io.Reader. The transport looks at the trailers after io.EOF, in the goroutine that reads.
func (t *trailed) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err == io.EOF {
		for name, values := range t.in.Trailer {
			t.to[name] = values
		}
		filterTrailers(t.to)
	}
	return n, err
}
