package std

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// stay is a visit seen from the exchange. It ends when the response has been read whole and the request written
// whole, whichever is later.
type stay struct {
	visit drain.Visit
	open  atomic.Int32 // directions that are not done
	over  chan struct{}
	heard atomic.Bool // the response is done
	wrote atomic.Bool // the request is
}

func newStay(v drain.Visit) *stay {
	s := &stay{visit: v, over: make(chan struct{})}
	s.open.Store(1) // the response
	return s
}

// writing says that a body is on its way to the child.
func (s *stay) writing() { s.open.Add(1) }

// written says that it is not any more. Transports may say so twice.
func (s *stay) written() {
	if !s.wrote.Swap(true) {
		s.end()
	}
}

// read says that the response has been read, or that there is none.
func (s *stay) read() {
	if !s.heard.Swap(true) {
		s.end()
	}
}

// end says that one direction is done.
func (s *stay) end() {
	if s.open.Add(-1) == 0 {
		close(s.over)
		s.visit.Leave()
	}
}

// attend gives the visit its kind and ties its end to the response's. Streams and tunnels are ended when their
// backend wants them to.
func (s *stay) attend(req *http.Request, resp *http.Response) {
	f := flightOf(req.Context())
	filterTrailers(resp.Trailer) // the names of those that are announced
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		s.visit.Become(drain.Tunnel)
		f.became(drain.Tunnel)
		t := &tunnel{ReadWriteCloser: resp.Body.(io.ReadWriteCloser), stay: s}
		resp.Body = t
		go s.endWithBackend(req.Context(), t.cut)
	case isEventStream(resp.Header):
		s.visit.Become(drain.Stream)
		f.became(drain.Stream)
		r := &response{ReadCloser: resp.Body, head: resp, flight: f, stay: s}
		resp.Body = r
		go s.endWithBackend(req.Context(), r.finish)
	case req.Method == http.MethodHead || resp.ContentLength == 0 || resp.Body == http.NoBody:
		f.bodiless.Store(true)
		s.read()
	default:
		resp.Body = &response{ReadCloser: resp.Body, head: resp, flight: f, stay: s}
	}
}

// endWithBackend calls end when the backend says that streams and tunnels have had their time, and when the
// handler has returned, which may not have touched the tunnel. They end spread over a time.
func (s *stay) endWithBackend(ctx context.Context, end func()) {
	var soon <-chan time.Time
	for {
		state, changed := s.visit.Backend().State()
		switch state {
		case drain.Ending:
			if soon == nil { // those who are cut off come back at once: not all at the same moment
				soon = time.After(time.Duration(rand.Int64N(int64(s.visit.Backend().Spread()) + 1)))
			}
		case drain.Gone:
			end()
			return
		}
		select {
		case <-changed:
		case <-soon:
			end()
			return
		case <-ctx.Done():
			end()
			return
		case <-s.over:
			return
		}
	}
}

// response is the body of a response; the stay's response ends with its last byte, or when it is closed.
type response struct {
	io.ReadCloser
	head     *http.Response
	flight   *flight
	stay     *stay
	finished atomic.Bool
}

// Read implements io.Reader. The end that finish makes reads as a regular one.
func (r *response) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil {
		if r.finished.Load() {
			err = io.EOF
		}
		if err == io.EOF {
			filterTrailers(r.head.Trailer)
		} else if r.head.Request.Context().Err() != nil {
			r.flight.failed(proxy.ErrClientGone)
		} else {
			r.flight.failed(fmt.Errorf("the app broke off its response: %w", err))
		}
		r.stay.read()
	}
	return n, err
}

// Close implements io.Closer.
func (r *response) Close() error {
	err := r.ReadCloser.Close()
	r.stay.read()
	return err
}

// finish ends a stream that would not end by itself: the client sees a complete response and asks anew.
func (r *response) finish() {
	r.finished.Store(true)
	_ = r.ReadCloser.Close()
}

// tunnel is an upgraded connection to the child.
type tunnel struct {
	io.ReadWriteCloser
	stay *stay
}

// Close implements io.Closer; the reverse proxy calls it when either side has left.
func (t *tunnel) Close() error {
	err := t.ReadWriteCloser.Close()
	t.stay.read()
	return err
}

func (t *tunnel) cut() { _ = t.Close() }

// checkResponse looks at the response beside the request: net/http takes any status, and httputil.ReverseProxy makes a
// tunnel where neither side has named a protocol.
func checkResponse(req *http.Request, resp *http.Response) error {
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		if asked := req.Header.Get("Upgrade"); asked == "" || !strings.EqualFold(asked, resp.Header.Get("Upgrade")) {
			return fmt.Errorf("%w: a protocol that was not asked for", proxy.ErrBadResponse)
		}
	case resp.StatusCode < http.StatusOK:
		return fmt.Errorf("%w: status %d", proxy.ErrBadResponse, resp.StatusCode)
	}
	return nil
}

func isEventStream(h http.Header) bool {
	mediaType, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return mediaType == "text/event-stream"
}
