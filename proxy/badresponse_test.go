package proxy_test

import (
	"net/http"
	"testing"

	"pitstop/drain"
)

// What is no answer to the request is 502, and its visit ends: a drain would wait for it in vain.
func TestEngines_AStatusThatAnswersNothingIs502AndItsVisitEnds(t *testing.T) {
	both(t, func(t *testing.T) {
		for name, tc := range map[string]struct{ asked, answer string }{
			"a status below 100":             {"", "099 OK\r\nContent-Length: 5\r\n\r\nhello"},
			"a protocol that nobody wants":   {"", "101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nhello"},
			"no protocol, and none wanted":   {"", "101 Switching Protocols\r\n\r\nhello"},
			"no protocol":                    {"foo", "101 Switching Protocols\r\n\r\nhello"},
			"another protocol than is asked": {"foo", "101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bar\r\n\r\nhello"},
		} {
			t.Run(name, func(t *testing.T) {
				f := newFront(t)
				b := f.backend(func(w http.ResponseWriter, r *http.Request) { early(w, tc.answer) })
				f.gate.Serve(b)
				req, _ := http.NewRequest(http.MethodGet, f.url, nil)
				if tc.asked != "" {
					req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {tc.asked}}
				}
				if resp := f.do(req); resp.StatusCode != http.StatusBadGateway {
					t.Errorf("%s", resp.Status)
				}
				f.want(b, drain.Counts{})
			})
		}
	})
}
