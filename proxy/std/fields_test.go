package std

import (
	"net/http"
	"testing"
)

func TestWithoutH2C_LeavesOtherOffers(t *testing.T) {
	for offered, want := range map[string]string{"h2c": "", "H2C": "", "websocket": "websocket", "h2c, websocket": "websocket", "websocket,h2c ": "websocket", "": ""} {
		h := http.Header{"Upgrade": {offered}}
		if withoutH2C(h); h.Get("Upgrade") != want {
			t.Errorf("%q became %q", offered, h.Get("Upgrade"))
		}
	}
}
