package std

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"pitstop/proxy"
)

func TestBudget_BodiesBeyondItAreNotReadAhead(t *testing.T) {
	var b proxy.Budget
	b.Give(100)
	for _, tc := range []struct {
		size  int
		whole bool
	}{{60, true}, {60, false}, {40, true}} {
		req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(make([]byte, tc.size)))
		if got, err := readAhead(req, 64<<10, &b); err != nil || got.whole != tc.whole {
			t.Errorf("%d bytes: whole %t, %v", tc.size, got.whole, err)
		}
	}
	b.Give(100)
	if !b.Take(100) || b.Take(1) {
		t.Error("what was given back is not what was taken")
	}
}
