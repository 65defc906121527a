package std

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"

	"pitstop/drain"
	"pitstop/proxy"
)

// body is a request's body: in memory, or not read yet.
type body struct {
	buffered []byte
	rest     io.ReadCloser // nil when the body is whole
	whole    bool          // buffered is all of it; else it is empty
	touched  *atomic.Bool  // some of rest may have been read
}

// readAhead reads a small body, so that it is in memory before its request is let in; one that is larger than limit, of
// unknown length, or for which the budget has no room, is left where it is.
func readAhead(req *http.Request, limit int, budget *proxy.Budget) (body, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return body{whole: true}, nil
	}
	// A body of unknown length may be one side of a conversation, whose other side must hear it as it comes.
	if req.ContentLength < 0 || req.ContentLength > int64(limit) || !budget.Take(req.ContentLength) {
		return body{rest: req.Body, touched: new(atomic.Bool)}, nil
	}
	// A client that stalls here holds memory and nothing else.
	buffered, err := io.ReadAll(req.Body)
	if err == nil {
		return body{buffered: buffered, whole: true}, nil
	}
	budget.Give(req.ContentLength)
	return body{}, err
}

// reader returns the body to be sent; nil if there is none. The stay learns when it has been written.
func (b body) reader(s *stay) io.ReadCloser {
	if b.whole {
		if len(b.buffered) == 0 {
			return nil
		}
		r, _ := b.again()
		return r
	}
	s.writing()
	return &requestBody{Reader: b.rest, stay: s, touched: b.touched}
}

// again returns a fresh reader of a whole body.
func (b body) again() (io.ReadCloser, error) {
	if len(b.buffered) == 0 {
		return http.NoBody, nil
	}
	return io.NopCloser(bytes.NewReader(b.buffered)), nil
}

// requestBody is a body that is read from the client while it is written to the child.
type requestBody struct {
	io.Reader
	stay    *stay
	touched *atomic.Bool
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	b.touched.Store(true)
	return b.Reader.Read(p)
}

// Close is called by the transport once it has no more use for the body, written or not. The client's side is not
// closed here: net/http does that when the handler returns.
func (b *requestBody) Close() error {
	b.stay.written()
	return nil
}

// intact says that the body can still be sent whole.
func (b body) intact() bool { return b.whole || !b.touched.Load() }

// kindOf says what a request is at first. gRPC's have bodies of unknown length as a rule; they are no uploads for that.
func kindOf(req *http.Request, b body) drain.Kind {
	if b.whole || isGRPC(req.Header) {
		return drain.Request
	}
	return drain.Upload
}

// mayReplay says whether a request of which nothing was answered may be sent a second time: its method is
// idempotent (RFC 9110, 9.2.2), its body is still in memory, and it asks for no upgrade.
func mayReplay(req *http.Request, b body) bool {
	return b.whole && req.Header.Get("Upgrade") == "" && proxy.IsIdempotent(req.Method)
}
