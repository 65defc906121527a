package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pitstop/drain"
)

// logged is a line of the access log, for encoding/json.
type logged struct {
	Time, Client, Method, Target, Host, Proto, Kind, Backend, Error string
	Status                                                          int
	TookMS                                                          float64 `json:"took_ms"`
	HeldMS                                                          float64 `json:"held_ms"`
	Received, Sent                                                  int64
	RequestID                                                       string `json:"request_id"`
	Replayed                                                        bool
}

func TestAccessLog_WritesOneObjectALine(t *testing.T) {
	var out bytes.Buffer
	NewAccessLog(&out).Done(&Exchange{
		Start: time.Date(2026, 5, 4, 3, 2, 1, 987_654_321, time.UTC), Took: 1234567 * time.Nanosecond, Held: time.Second,
		Method: []byte("GET"), Target: []byte(`/"a\`), Host: []byte("x"), Proto: "HTTP/1.1", Client: "127.0.0.1:1", RequestID: []byte("id"),
		Status: 200, Received: 1, Sent: 1 << 40, Kind: drain.Upload, Backend: "unix:/s", Replayed: true, Err: errors.New("line\nbreak"),
	})
	want := `{"time":"2026-05-04T03:02:01.987Z","client":"127.0.0.1:1","method":"GET","target":"/\"a\\","host":"x","proto":"HTTP/1.1",` +
		`"status":200,"kind":"upload","took_ms":1.234,"held_ms":1000,"received":1,"sent":1099511627776,"request_id":"id",` +
		`"backend":"unix:/s","replayed":true,"error":"line\u000abreak"}` + "\n"
	if out.String() != want {
		t.Errorf("\n%s\nwant\n%s", out.String(), want)
	}
}

func TestAccessLog_AllocatesNothing(t *testing.T) {
	log, x := NewAccessLog(nothing{}), &Exchange{Method: []byte("GET"), Target: []byte("/ü\xff"), Start: time.Now()}
	if n := testing.AllocsPerRun(1000, func() { log.Done(x) }); n > 0.5 {
		t.Errorf("%v allocations a line", n)
	}
}

type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }

func FuzzAccessLog_EveryLineIsJSON(f *testing.F) {
	for _, seed := range []string{"/", "\x00\x1f\x7f\"\\/\b", "ü€😀\u2028", "\xff\xc3", "a\xe2\x82", "\xed\xa0\x80", "\ufffd", "\n{}"} {
		f.Add([]byte(seed), seed)
	}
	f.Fuzz(func(t *testing.T, target []byte, backend string) {
		var out bytes.Buffer
		NewAccessLog(&out).Done(&Exchange{Target: target, Backend: backend, Err: errors.New(backend)})
		line, ok := strings.CutSuffix(out.String(), "\n")
		if !ok || strings.ContainsAny(line, "\n\r") || !utf8.ValidString(line) {
			t.Fatalf("no line: %q", out.String())
		}
		var got logged
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if got.Target != escaped(string(target)) || got.Backend != escaped(backend) || got.Error != escaped(backend) {
			t.Errorf("%q and %q became %+v", target, backend, got)
		}
	})
}

// escaped is what a reader finds of bytes.
func escaped(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
