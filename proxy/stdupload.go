package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// clientBody is a request's body as the client sends it: bounded in size and in how long it may stand still.
type clientBody struct {
	io.ReadCloser
	flight *flight
	stall  time.Duration
	limit  int64 // 0: any
}

// Read implements io.Reader. Its errors are the table's: errLargeBody, errSlowBody, errBadBody.
func (b *clientBody) Read(p []byte) (int, error) {
	if b.stall > 0 {
		b.flight.setReadDeadline(time.Now().Add(b.stall))
	}
	n, err := b.ReadCloser.Read(p)
	received := b.flight.received.Add(int64(n))
	switch {
	case b.limit > 0 && received > b.limit:
		err = errLargeBody
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errSlowBody
	case err != io.EOF && !errors.Is(err, http.ErrBodyReadAfterClose):
		err = fmt.Errorf("%w: %w", errBadBody, err)
	}
	if b.stall > 0 && err != errSlowBody {
		b.flight.setReadDeadline(time.Time{}) // from now on the server listens whether the client leaves
	}
	if err != io.EOF && !errors.Is(err, http.ErrBodyReadAfterClose) {
		b.flight.clientFailed(err)
	}
	return n, err
}

const (
	// restTime and restPause bound what is read of a body that nobody wants any more. Without it the kernel would
	// answer what the client still sends with a reset, and that may destroy the answer before the client has read it.
	restTime  = 30 * time.Second
	restPause = 5 * time.Second
)

// readRest reads on after an answer that came before the request's end.
func readRest(r *http.Request, f *flight) {
	if r.ProtoMajor > 1 || r.Body == nil || r.Body == http.NoBody || r.Header.Get("Upgrade") != "" || r.Context().Err() != nil {
		return
	}
	if err := f.clientError(); err != nil && !errors.Is(err, errLargeBody) {
		return
	}
	_ = f.rc.Flush()
	buf := make([]byte, copyBuffer)
	for end := time.Now().Add(restTime); ; {
		now := time.Now()
		f.setReadDeadline(now.Add(min(restPause, end.Sub(now))))
		if _, err := r.Body.Read(buf); err != nil || now.After(end) {
			f.setReadDeadline(time.Time{})
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
