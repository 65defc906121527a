package http1

import "testing"

const okLine = "HTTP/1.1 200 OK\r\n"

func TestResponse_RefusesWhatTwoReadersCouldReadInTwoWays(t *testing.T) {
	for _, c := range []struct {
		about, input string
		want         *Error
	}{
		{"9112 4: too short", "HTTP/1.1 20\r\n", errStatusLine},
		{"9112 4: no space", "HTTP/1.1_200 OK\r\n", errStatusLine},
		{"9112 4: two spaces", "HTTP/1.1  200 OK\r\n", errStatusLine},
		{"9112 4: a letter", "HTTP/1.1 2x0 OK\r\n", errStatusLine},
		{"9112 4: four digits", "HTTP/1.1 2000\r\n", errStatusLine},
		{"9112 4: four digits and a reason", "HTTP/1.1 2000 OK\r\n", errStatusLine},
		{"9110 15: under 100", "HTTP/1.1 099 OK\r\n", errStatusLine},
		{"9112 4: a tab before the reason", "HTTP/1.1 200\tOK\r\n", errStatusLine},
		{"9112 4: NUL in the reason", "HTTP/1.1 200 \x00\r\n", errStatusLine},
		{"9112 4: CR in the reason", "HTTP/1.1 200 a\rb\r\n", errStatusLine},
		{"9112 4: DEL in the reason", "HTTP/1.1 200 \x7f\r\n", errStatusLine},
		{"9112 4: a request", "GET / HTTP/1.1\r\n", errStatusLine},
		{"9112 2.3: in lower case", "http/1.1 200 OK\r\n", errVersion},
		{"9112 2.3: another protocol", "RTSP/1.0 200 OK\r\n", errVersion},
		{"9110 2.5: another version", "HTTP/2.0 200 OK\r\n", errOtherVersion},
		{"9112 2.2: no CR", "HTTP/1.1 200 OK\n", errBareLF},
		{"9112 5.2: folded", okLine + "X: a\r\n b\r\n", errFold},
		{"9112 5.1: a space before the colon", okLine + "X : a\r\n", errFieldName},
		{"9110 5.5: a control byte", okLine + "X: \x1b\r\n", errFieldValue},
		{"9112 6.1: both framings", okLine + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", errLengthAndCoding},
		{"9112 6.3: no chunked", okLine + "Transfer-Encoding: gzip\r\n\r\n", errCoding},
		{"9112 6.1: another coding", okLine + "Transfer-Encoding: gzip, chunked\r\n\r\n", errUnknownCoding},
		{"9112 6.1: HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", errOldCoding},
		{"9110 8.6: two lengths", okLine + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", errManyLengths},
		{"9110 8.6: no number", okLine + "Content-Length: 1.\r\n\r\n", errLength},
		{"9110 8.6: no number, though there is no body", "HTTP/1.1 204 No\r\nContent-Length: x\r\n\r\n", errLength},
	} {
		if r := readWhole(t, (*Head).Response, c.input, roomy); r.err != error(c.want) {
			t.Errorf("%s: %q: %v, want %v", c.about, c.input, r.err, c.want)
		}
	}
}

func TestResponse_AcceptsWhatIsJustWithinTheGrammar(t *testing.T) {
	for _, c := range []struct{ about, input, want string }{
		{"the least", "HTTP/1.1 200 \r\n\r\n", `200 "" 1.1`},
		{"9112 4: the space may be missing with the reason", "HTTP/1.1 200\r\n\r\n", `200 "" 1.1`},
		{"9112 4: a reason of anything", "HTTP/1.1 100 \tA b\x80\xff \r\n\r\n", `100 "\tA b\x80\xff " 1.1`},
		{"9110 15: a status that nobody knows", "HTTP/1.1 999 Huh\r\n\r\n", `999 "Huh" 1.1`},
		{"9112 2.2: empty lines in front", "\r\n" + okLine + "\r\n", `200 "OK" 1.1`},
		{"9112 9.3: HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", `200 "OK" 1.0 close`},
		{"9110 8.6: a length", okLine + "Content-Length: 5\r\n\r\nhello", `200 "OK" 1.1 [Content-Length|5] 5 +5`},
		{"9112 7: chunks", okLine + "Transfer-Encoding: chunked\r\n\r\n0\r\n", `200 "OK" 1.1 [Transfer-Encoding|chunked] chunked +3`},
		{"9110 7.2: Host is no matter", okLine + "Host: ?\r\nHost: ?\r\n\r\n", `200 "OK" 1.1 [Host|?] [Host|?]`},
	} {
		r := readWhole(t, (*Head).Response, c.input, roomy)
		if got := r.told(c.input); !r.done || r.err != nil || got != c.want {
			t.Errorf("%s: %q: %v %v\n%s, want\n%s", c.about, c.input, r.done, r.err, got, c.want)
		}
	}
}

func TestResponse_HasABodyUnlessThereCanBeNone(t *testing.T) { // RFC 9112, 6.3
	for _, c := range []struct {
		head           string
		toHEAD, others bool
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, true},
		{"HTTP/1.1 200 OK\r\n\r\n", false, true}, // up to the end of the connection
		{"HTTP/1.1 404 No\r\n\r\n", false, true},
		{"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", false, false},
		{"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", false, false},
		{"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", false, false},
		{"HTTP/1.1 100 Go\r\n\r\n", false, false},
		{"HTTP/1.1 101 Up\r\nContent-Length: 5\r\n\r\n", false, false},
		{"HTTP/1.1 199 No\r\nTransfer-Encoding: chunked\r\n\r\n", false, false},
		{"HTTP/1.1 205 No\r\nContent-Length: 5\r\n\r\n", false, true},
	} {
		r := readWhole(t, (*Head).Response, c.head, roomy)
		if got := r.head.HasBody(true); got != c.toHEAD {
			t.Errorf("%q to HEAD: %v", c.head, got)
		}
		if got := r.head.HasBody(false); got != c.others {
			t.Errorf("%q: %v", c.head, got)
		}
	}
}

func TestResponse_SaysHowLongNodeKeepsTheConnection(t *testing.T) {
	for lines, want := range map[string]int{
		"":                                             -1,
		"Keep-Alive: timeout=5\r\n":                    5,
		"KEEP-ALIVE: TIMEOUT=5, max=100\r\n":           5,
		"Keep-Alive: max=100,timeout=0\r\n":            0,
		"Keep-Alive: timeout=1073741823\r\n":           1<<30 - 1,
		"Keep-Alive: timeout=1073741824\r\n":           -1,
		"Keep-Alive: timeout=99999999999999999999\r\n": -1,
		"Keep-Alive: timeout=\r\n":                     -1,
		"Keep-Alive: timeout=-5\r\n":                   -1,
		"Keep-Alive: timeout = 5\r\n":                  -1,
		"Keep-Alive: timeout\r\n":                      -1,
		"Keep-Alive: xtimeout=5\r\n":                   -1,
		"Keep-Alive:\r\n":                              -1,
	} {
		input := okLine + lines + "\r\n"
		r := readWhole(t, (*Head).Response, input, roomy)
		if got := r.head.KeepAliveTimeout([]byte(input)); got != want {
			t.Errorf("%q: %d, want %d", lines, got, want)
		}
	}
}
