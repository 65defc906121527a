package http1

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

var (
	browserGet = []byte("GET /articles/2026/a-page?utm_source=newsletter&page=2 HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n" +
		"sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\n" +
		"Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n" +
		"Referer: https://www.example.com/\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\nCookie: sid=0123456789abcdef\r\n\r\n")
	curlGet      = []byte("GET / HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n")
	nodeResponse = []byte("HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 27\r\n" +
		"ETag: W/\"1b-q8rPwNHy4Xc6kzQeD1GbFqFxk7A\"\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n")
	chunkedBody  = []byte(strings.Repeat("1000\r\n"+strings.Repeat("d", 4096)+"\r\n", 16) + "0\r\n")
	maskedFrames = bytes.Repeat(append([]byte{0x81, 0xfe, 0x01, 0x00, 1, 2, 3, 4}, make([]byte, 256)...), 64)
)

// steady are the acts that recur for each message.
var steady = []struct {
	name  string
	bytes []byte
	act   func(h *Head, p []byte) bool
}{
	{"BrowserGet", browserGet, func(h *Head, p []byte) bool { h.Reset(); done, err := h.Request(p, roomy); return done && err == nil }},
	{"CurlGet", curlGet, func(h *Head, p []byte) bool { h.Reset(); done, err := h.Request(p, roomy); return done && err == nil }},
	{"NodeResponse", nodeResponse, func(h *Head, p []byte) bool {
		h.Reset()
		done, err := h.Response(p, roomy)
		return done && err == nil && h.KeepAliveTimeout(p) == 5
	}},
	{"Chunked64KiB", chunkedBody, func(_ *Head, p []byte) bool {
		var c Chunked
		_, data, done, err := c.Advance(p)
		return done && err == nil && data == 64<<10
	}},
	{"Frames", maskedFrames, func(_ *Head, p []byte) bool { var f Frames; f.Advance(p); return f.Between() }},
}

func BenchmarkHTTP1(b *testing.B) {
	for _, s := range steady {
		b.Run(s.name, func(b *testing.B) {
			b.SetBytes(int64(len(s.bytes)))
			b.ReportAllocs()
			var h Head
			for b.Loop() {
				if !s.act(&h, s.bytes) {
					b.Fatal("it is not read")
				}
			}
		})
	}
}

// What net/http takes for the same.
func BenchmarkNetHTTP(b *testing.B) {
	for _, s := range steady[:3] {
		b.Run(s.name, func(b *testing.B) {
			b.SetBytes(int64(len(s.bytes)))
			b.ReportAllocs()
			rest := bytes.NewReader(s.bytes)
			buffered := bufio.NewReader(rest)
			for b.Loop() {
				rest.Reset(s.bytes)
				buffered.Reset(rest)
				var err error
				if s.bytes[0] == 'G' {
					_, err = http.ReadRequest(buffered)
				} else {
					_, err = http.ReadResponse(buffered, nil)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestReading_AllocatesNothingInTheSteadyState(t *testing.T) {
	for _, s := range steady {
		var h Head
		if n := testing.AllocsPerRun(100, func() {
			if !s.act(&h, s.bytes) {
				t.Fatal(s.name, "is not read")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}
