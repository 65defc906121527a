package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// generatedCases grows n cases from a seed: good requests of a grammar, most of them with some damage. A case depends on
// the seed and its number alone, so that one can be played again: HOSTILE_SEED and HOSTILE_CASES.
func generatedCases(t *testing.T, n int) []hostileCase {
	seed := atLeast(t, "HOSTILE_SEED", 1)
	cases := make([]hostileCase, n)
	for i := range cases {
		g := grower{rand.New(rand.NewPCG(uint64(seed), uint64(i)))}
		raw := g.conversation()
		for range g.IntN(4) {
			raw = g.damage(raw)
		}
		if len(raw) == 0 {
			raw = []byte("\r\n")
		}
		cases[i] = hostileCase{fmt.Sprintf("seed %d, case %d", seed, i), raw, cutsOf(g.Rand, raw)}
	}
	return cases
}

// grower makes requests.
type grower struct{ *rand.Rand }

func pick[T any](g grower, of ...T) T { return of[g.IntN(len(of))] }

// conversation is one to three requests on a connection.
func (g grower) conversation() (raw []byte) {
	for range 1 + g.IntN(3) {
		raw = append(raw, g.request()...)
	}
	return raw
}

func (g grower) request() []byte {
	lines := []string{fmt.Sprintf("%s %s HTTP/1.1", pick(g, "GET", "GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"),
		pick(g, "/", "/a", "/a/b?c=d", "/%2e/", "//x", "/?"+strings.Repeat("q", g.IntN(200))))}
	lines = append(lines, pick(g, "Host: app.example", "host:app.example", "HOST: a"))
	for range g.IntN(4) {
		lines = append(lines, pick(g, "X-A: 1", "X-A: 2", "x-b:", "Cookie: a=b", "Accept: */*", "X-Forwarded-For: 192.0.2.1", "X-Long: "+strings.Repeat("v", g.IntN(2000)),
			"Connection: keep-alive", "Connection: x-a", "TE: trailers", "Keep-Alive: 1", "Content-Type: text/plain", "Expect: 100-continue", "X_Content-Length: 3"))
	}
	framing, body := g.body()
	if framing != "" {
		at := 1 + g.IntN(len(lines))
		lines = append(lines[:at], append([]string{framing}, lines[at:]...)...)
	}
	return append([]byte(strings.Join(lines, "\r\n")+"\r\n\r\n"), body...)
}

func (g grower) body() (framing, body string) {
	content := pick(g, "", "a", "abcde", smuggled, "0\r\n\r\n", strings.Repeat("x", g.IntN(3000)), "\r\n\r\n", "5\r\nhello\r\n")
	switch g.IntN(3) {
	case 0:
		return "", ""
	case 1:
		return pick(g, "Content-Length: ", "content-length:") + fmt.Sprint(len(content)), content
	}
	for content != "" {
		n := 1 + g.IntN(len(content))
		body += fmt.Sprintf("%s%x%s\r\n%s\r\n", pick(g, "", "", "0", "000"), n, pick(g, "", "", ";a", ";a=b", ";a=\"b\""), content[:n])
		content = content[n:]
	}
	return pick(g, "Transfer-Encoding: chunked", "transfer-encoding:chunked", "Transfer-Encoding: Chunked"), body + "0\r\n" + pick(g, "", "", "X-Sum: 1\r\n") + "\r\n"
}

// damage changes a conversation somewhere.
func (g grower) damage(raw []byte) []byte {
	if len(raw) == 0 {
		return raw
	}
	at := g.IntN(len(raw))
	if g.IntN(2) == 0 { // near a line's end or a separator is where it matters
		if i := bytes.IndexAny(raw[at:], "\r\n: ;"); i >= 0 {
			at = min(at+i+g.IntN(2), len(raw)-1)
		}
	}
	switch g.IntN(12) {
	case 0: // a byte more
		return splice(raw, at, at, pick(g, "\x00", "\r", "\n", "\t", " ", "\v", "\f", "\x7f", "\xff", ":", ",", ";", "\"", "0", "f", "\x1b", "-", "+", "_", "#", "\x85", "\xa0"))
	case 1: // a byte less
		return splice(raw, at, at+1, "")
	case 2: // a byte other
		return splice(raw, at, at+1, string([]byte{byte(g.IntN(256))}))
	case 3: // another end of a line
		return g.replace(raw, at, "\r\n", pick(g, "\n", "\r", "\r\r\n", "\n\r", "\r\n\r\n", "\r\n ", "\r\n\t", " \r\n", "\v\r\n", "\x00\r\n", ""))
	case 4: // another separator
		return g.replace(raw, at, ":", pick(g, " :", "\t:", "", "::", ":\v", "\x00:", ":\r\n ", "=", ":\r"))
	case 5: // a framing field more
		return g.replace(raw, at, "\r\n", "\r\n"+g.framing()+"\r\n")
	case 6: // a line twice, or at another place
		from := bytes.LastIndexByte(raw[:at], '\n') + 1
		end := bytes.IndexByte(raw[from:], '\n') + 1
		line := string(raw[from : from+end])
		to := bytes.LastIndexByte(raw[:g.IntN(len(raw))], '\n') + 1
		if to > from && g.IntN(2) == 0 {
			return splice(splice(raw, to, to, line), from, from+len(line), "")
		}
		return splice(raw, to, to, line)
	case 7: // other digits
		if i := bytes.IndexAny(raw[at:], "0123456789"); i >= 0 {
			return splice(raw, at+i, at+i+1, pick(g, "0", "1", "9", "00", "0x1", "-1", "+1", "1_0", "a", "f", "99999999999999999999", "ffffffffffffffff", " 1", "1 ", "1,1", "\xb2"))
		}
		return raw
	case 8: // a part of another one in it
		other := g.conversation()
		from := g.IntN(len(other))
		return splice(raw, at, min(at+g.IntN(20), len(raw)), string(other[from:min(from+g.IntN(200), len(other))]))
	case 9: // cut
		return raw[:at]
	case 10: // another version
		return g.replace(raw, at, "HTTP/1.1", pick(g, "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/1.10", ""))
	}
	return g.replace(raw, at, "/", pick(g, "http://app.example/", "http://other.example/", "*", "", "?", "#", "\\", "/\x00", "/ ", "%"))
}

// framing is a field that says, or seems to say, how long a body is.
func (g grower) framing() string {
	return pick(g, "Content-Length", "content-length", "Content-Length ", "Transfer-Encoding", "transfer-encoding", "Transfer-Encoding\t", "Transfer_Encoding", "Content-Length\v", " Transfer-Encoding") +
		pick(g, ":", ": ", ":\t", " : ", ":\r\n ") +
		pick(g, "0", "1", "5", "005", "+5", "5, 5", "5,6", "0x5", "chunked", "Chunked", "chunked, chunked", "identity", "chunked, identity", "xchunked", "\vchunked", "\"chunked\"", "gzip, chunked", "", "99999999999999999999")
}

// replace replaces an occurrence at or after a place.
func (g grower) replace(raw []byte, at int, what, by string) []byte {
	i := bytes.Index(raw[at:], []byte(what))
	if i < 0 {
		return raw
	}
	return splice(raw, at+i, at+i+len(what), by)
}

func splice(raw []byte, from, to int, by string) []byte {
	return append(append(bytes.Clone(raw[:from]), by...), raw[min(to, len(raw)):]...)
}
