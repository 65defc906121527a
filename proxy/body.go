package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"pitstop/drain"
)

// errBadBody is a request's body that could not be read: malformed, or cut short by its client.
var errBadBody = errors.New("the request's body cannot be read")

// body is a request's body: a beginning that is in memory, and the rest that is not.
type body struct {
	buffered []byte
	rest     io.ReadCloser // nil when the body is whole
	whole    bool          // buffered is all of it
}

// readAhead reads up to limit bytes of the body, so that a small one is in memory before its request is let in.
func readAhead(req *http.Request, limit int) (body, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return body{whole: true}, nil
	}
	if req.ContentLength > int64(limit) {
		return body{rest: req.Body}, nil
	}
	// One byte more tells whether there is more.
	buffered, err := io.ReadAll(io.LimitReader(req.Body, int64(limit)+1))
	if err != nil {
		if req.Context().Err() != nil {
			return body{}, req.Context().Err()
		}
		return body{}, fmt.Errorf("%w: %w", errBadBody, err)
	}
	if len(buffered) > limit {
		return body{buffered: buffered, rest: req.Body}, nil
	}
	return body{buffered: buffered, whole: true}, nil
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
	return &requestBody{Reader: io.MultiReader(bytes.NewReader(b.buffered), b.rest), stay: s}
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
	stay *stay
}

// Close is called by the transport once it has no more use for the body, written or not. The client's side is not
// closed here: net/http does that when the handler returns.
func (b *requestBody) Close() error {
	b.stay.written()
	return nil
}

func kindOf(b body) drain.Kind {
	if b.whole {
		return drain.Request
	}
	return drain.Upload
}

// mayReplay says whether a request of which nothing was answered may be sent a second time: its method is
// idempotent (RFC 9110, 9.2.2), its body is still in memory, and it asks for no upgrade.
func mayReplay(req *http.Request, b body) bool {
	if !b.whole || req.Header.Get("Upgrade") != "" {
		return false
	}
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
