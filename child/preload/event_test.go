package preload

import (
	"errors"
	"testing"
	"time"
)

func TestParse_ReadsEveryEvent(t *testing.T) {
	for line, want := range map[string]Event{
		`{"event":"listening","socket":"/run/g/::.sock","pid":7}`:                    Listening{Socket: "/run/g/::.sock", PID: 7},
		`{"event":"closed","socket":"/run/g/::.sock","pid":7}` + "\n":                Closed{Socket: "/run/g/::.sock", PID: 7},
		`{"event":"other","port":9090,"address":"::","pid":7}`:                       Other{Port: 9090, Address: "::", PID: 7},
		`{"event":"other-closed","port":9090,"address":"::","pid":7}`:                OtherClosed{Port: 9090, Address: "::", PID: 7},
		`{"event":"main","entry":"/app/server.js","node":"v20.1.0","pid":7,"new":1}`: Main{Entry: "/app/server.js", Node: "v20.1.0", PID: 7},
		`{"event":"beat","lag_ms":1500,"pid":7}`:                                     Beat{Lag: 1500 * time.Millisecond, PID: 7},
		`{"event":"unsupported","reason":"why","pid":7}`:                             Unsupported{Reason: "why", PID: 7},
	} {
		if got, err := Parse([]byte(line)); err != nil || got != want {
			t.Errorf("%s: %#v, %v", line, got, err)
		}
	}
}

func TestParse_RefusesWhatIsNoEvent(t *testing.T) {
	for _, line := range []string{
		"", "\n", "null", "[]", "hello", `{"event":"listening","socket":"/run/g/::.sock"`,
		`{"event":"listening","socket":"/a"}`, `{"event":"listening","socket":"a","pid":7}`, `{"event":"closed","pid":7}`,
		`{"event":"other","port":0,"pid":7}`, `{"event":"other-closed","port":65536,"pid":7}`, `{"event":"other","port":"80","pid":7}`,
		`{"event":"beat","lag_ms":-1,"pid":7}`, `{"event":"beat","lag_ms":1e300,"pid":7}`, `{"event":"main","pid":-7}`,
	} {
		if got, err := Parse([]byte(line)); err == nil || got != nil {
			t.Errorf("%s: %#v, %v", line, got, err)
		}
	}
	if _, err := Parse([]byte(`{"event":"later","pid":7}`)); !errors.Is(err, ErrUnknownEvent) {
		t.Errorf("an event of a later version: %v", err)
	}
	if _, err := Parse(append(make([]byte, MaxLine), '{')); err == nil {
		t.Error("a line that is too long was read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"event":"listening","socket":"/run/g/::.sock","pid":7}`))
	f.Add([]byte(`{"event":"beat","lag_ms":1500,"pid":7}`))
	f.Add([]byte(`{"event":"other","port":9090,"address":"::","pid":7}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if e, err := Parse(line); (e == nil) == (err == nil) {
			t.Errorf("event %#v with error %v", e, err)
		}
	})
}
