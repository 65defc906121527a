package std

import (
	"errors"
	"testing"

	"pitstop/drain"
	"pitstop/proxy"
)

func TestPools_NoneIsForABackendThatIsGone(t *testing.T) {
	gate := drain.New(drain.Bounds{})
	b := gate.NewBackend("127.0.0.1:1")
	gate.Serve(b)
	var p pools
	if _, err := p.get(b); err != nil {
		t.Fatal(err)
	}
	gate.Remove(b)
	p.close(b)
	if _, err := p.get(b); !errors.Is(err, proxy.ErrPoolClosed) {
		t.Errorf("a pool for a backend that is gone: %v", err)
	}
}
