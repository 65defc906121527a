package std

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/drain"
	"pitstop/proxy"
)

func TestEngine_AHandlerThatPanicsLeavesNoVisitBehind(t *testing.T) {
	gate := drain.New(drain.Bounds{Timeout: time.Second, Max: 1})
	b := gate.NewBackend("127.0.0.1:1")
	gate.Serve(b)
	e := New(proxy.Config{Gate: gate, Logger: hclog.NewNullLogger()})
	h := e.answer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		visit, _ := gate.TryEnter(drain.Ask{})
		flightOf(r.Context()).stays(newStay(visit))
		panic(http.ErrAbortHandler)
	}))
	func() {
		defer func() { _ = recover() }()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}()
	if left := b.Visits(); left != (drain.Counts{}) {
		t.Errorf("left: %v", left)
	}
}

// A panic in the transport's goroutine would end the program.
func TestClientBody_APanicOfTheServersReaderIsAnError(t *testing.T) {
	b := &clientBody{ReadCloser: panicking{}, flight: &flight{}}
	if n, err := b.Read(make([]byte, 1)); n != 0 || proxy.StatusOf(err) != http.StatusBadRequest {
		t.Errorf("%d, %v", n, err)
	}
}

func TestClientBody_IsNotReadAfterItsEnd(t *testing.T) {
	b := &clientBody{ReadCloser: panicking{}, flight: &flight{}}
	b.end()
	if n, err := b.Read(make([]byte, 1)); n != 0 || err != http.ErrBodyReadAfterClose {
		t.Errorf("%d, %v", n, err)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("invalid concurrent Body.Read call") }
func (panicking) Close() error             { return nil }
