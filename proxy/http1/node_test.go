package http1

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzRequest_AgreesWithNode asks Node's own parser, which stands behind ours. Node may refuse what is accepted here, such
// as a method that it does not know; what it takes, it must take for the same, and it must find the next request.
func FuzzRequest_AgreesWithNode(f *testing.F) {
	socket := startNode(f, "node")
	f.Fuzz(func(t *testing.T, input []byte) { _ = agreesWithNode(t, socket, input) })
}

// agreesWithNode returns whether Node took what is accepted here.
func agreesWithNode(t *testing.T, socket string, input []byte) (taken bool) {
	var h Head
	if done, err := h.Request(input, roomy); !done || err != nil || h.Length > 1<<12 {
		return false
	}
	message, want := wholeMessage(&h, input)
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	const next = "GET /next HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n"
	first := append(message[:len(message):len(message)], next...)
	// Node takes Proxy-Connection for Connection, and no tab for space in either; and keep-alive over close in HTTP/1.0.
	// None of them is ever sent to it as it came.
	otherwise := h.Minor == 0 && h.Close && h.HasField(Connection) || h.HasField(ProxyConnection) || h.HasField(Connection) && bytes.ContainsRune(input[:h.Size], '\t')
	if h.Close || h.Upgrade || otherwise { // Node refuses what follows the one, and loses what comes with the other
		first = message
	}
	if _, err := conn.Write(first); err != nil {
		return false // refused before all was written
	}
	answers := bufio.NewReader(conn)
	got, status, closes := nodeRead(t, answers, h.Method.In(input), message)
	if status != http.StatusOK {
		if status < 400 || got != nil {
			t.Fatalf("%q: Node says %d", message, status)
		}
		return false
	}
	if a, b := fmt.Sprintf("%q", want), fmt.Sprintf("%q", *got); a != b {
		t.Fatalf("%q:\n%s, to Node\n%s", message, a, b)
	}
	if otherwise {
		return true
	}
	if h.Close != closes {
		t.Fatalf("%q: close %v, to Node %v", message, h.Close, closes)
	}
	if closes {
		return true
	}
	if h.Upgrade {
		_, _ = io.WriteString(conn, next)
	}
	if got, status, _ = nodeRead(t, answers, []byte("GET"), message); status != http.StatusOK || got.URL != "/next" {
		t.Fatalf("%q: Node does not find the next request: %d %+v", message, status, got)
	}
	return true
}

// nodeReading is what was read of a request.
type nodeReading struct {
	Method, URL, Version string
	Fields               []string
	Body                 string
	Trailers             []string
}

// wholeMessage is a head with a body, that of the input as far as there is one, and what we read of it.
func wholeMessage(h *Head, input []byte) (message []byte, r nodeReading) {
	r = nodeReading{Method: string(h.Method.In(input)), URL: string(h.Target.In(input)), Version: fmt.Sprintf("1.%d", h.Minor),
		Fields: pairs(h, input), Trailers: []string{}}
	message = slices.Clone(input[:h.Size])
	rest := input[h.Size:]
	switch {
	case h.Chunked:
		if _, _, done, err := new(Chunked).Advance(rest); !done || err != nil {
			rest = []byte("1\r\nx\r\n0\r\n\r\n")
		}
		var c Chunked
		n := 0
		for done := false; !done; {
			var read int
			var data []byte
			read, data, done, _ = c.Next(rest[n:])
			n += read
			r.Body += string(data)
		}
		var trailers Head
		// Node heeds Connection and others there too, which have no business in trailers (RFC 9110, 6.5.1).
		if done, err := trailers.Trailers(rest[n:], roomy); done && err == nil && trailers.Has&^(1<<Other) == 0 {
			r.Trailers = pairs(&trailers, rest[n:])
			return append(message, rest[:n+trailers.Size]...), r
		}
		return append(append(message, rest[:n]...), "\r\n"...), r
	case h.Length > 0:
		for int64(len(rest)) < h.Length {
			rest = append(rest[:len(rest):len(rest)], 'x')
		}
		r.Body = string(rest[:h.Length])
		return append(message, rest[:h.Length]...), r
	}
	return message, r
}

func pairs(h *Head, buf []byte) []string {
	all := []string{}
	for _, f := range h.Fields {
		all = append(all, string(f.Name.In(buf)), string(f.Value.In(buf)))
	}
	return all
}

// nodeRead reads one of Node's answers.
func nodeRead(t *testing.T, answers *bufio.Reader, method, message []byte) (*nodeReading, int, bool) {
	t.Helper()
	resp, err := http.ReadResponse(answers, &http.Request{Method: string(method)})
	if err == nil && resp.StatusCode == http.StatusContinue {
		resp, err = http.ReadResponse(answers, &http.Request{Method: string(method)})
	}
	if err != nil {
		t.Fatalf("%q: no answer of Node: %v", message, err)
	}
	told := resp.Header.Get("X-Read")
	if told == "" {
		return nil, resp.StatusCode, resp.Close
	}
	var r nodeReading
	if err := json.Unmarshal([]byte(told), &r); err != nil {
		t.Fatal(err)
	}
	r.URL, r.Body = decoded(t, r.URL), decoded(t, r.Body)
	for _, list := range [][]string{r.Fields, r.Trailers} {
		for i := range list {
			list[i] = decoded(t, list[i])
		}
	}
	return &r, resp.StatusCode, resp.Close
}

func decoded(t *testing.T, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// startNode starts a server of Node and returns its socket.
func startNode(t testing.TB, node string) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	cmd := exec.Command(node, "testdata/reader.js", socket)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("node: %q %v", line, err)
	}
	return socket
}

// verdict is whether Node takes what is accepted here; its versions differ.
type verdict int

const (
	always verdict = iota
	sometimes
	never
)

// What two readers could quarrel about, and each version of Node.
func TestRequest_NodeTakesItForTheSame(t *testing.T) {
	for _, node := range nodes(t) {
		socket := startNode(t, node)
		for _, c := range []struct {
			about, input string
			taken        verdict
		}{
			{"odd names", post("!#$%&'*+-.^_`|~: 1", "X:", "__proto__: 1", "constructor: 2"), always},
			{"obs-text", post("X: \x80\xff\ta  b \t"), always},
			{"no length with GET", getLine + hostLine + "Content-Length: 0\r\n\r\n", always},
			{"a length with GET", getLine + hostLine + "Content-Length: 3\r\n\r\nabc", always},
			{"leading zeros", post("Content-Length: 003") + "abc", always},
			{"tabs about a length", post("Content-Length:\t3 ") + "abc", always},
			{"a tab behind a length", post("Content-Length: 3\t") + "abc", sometimes},
			{"chunked in any case", post("transfer-encoding:  CHUNKED") + "1\r\na\r\n0\r\n\r\n", always},
			{"chunked, space", post("Transfer-Encoding: \tchunked  ") + "1\r\na\r\n0\r\n\r\n", always},
			{"zeros before a size", post("Transfer-Encoding: chunked") + "0000000000000001\r\na\r\n000\r\n\r\n", always},
			{"an extension", post("Transfer-Encoding: chunked") + "1;a=b;c\r\na\r\n0;d\r\n\r\n", always},
			{"quotes", post("Transfer-Encoding: chunked") + "1;a=\"b; \t\x80\"\r\na\r\n0\r\n\r\n", always},
			{"quotes and more", post("Transfer-Encoding: chunked") + "1;a=\"b\";c\r\na\r\n0\r\n\r\n", always},
			{"quoted pairs", post("Transfer-Encoding: chunked") + "1;a=\"\\\"\"\r\na\r\n0\r\n\r\n", always},
			{"trailers", post("Transfer-Encoding: chunked") + "0\r\nX: y\r\nZ:\r\n\r\n", always},
			{"empty lines in front", crlf + crlf + getLine + hostLine + crlf, always},
			{"bytes over 0x7f in a target", "GET /\x80\xff?\xc3\xa9 HTTP/1.1\r\n" + hostLine + crlf, sometimes},
			{"odd bytes in a target", "GET /\"<>[]\\^`{|}%zz HTTP/1.1\r\n" + hostLine + crlf, always},
			{"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + hostLine + crlf, always},
			{"absolute-form", "GET http://a/b?c HTTP/1.1\r\n" + hostLine + crlf, always},
			{"absolute-form in capitals", "GET HTTP://A:80 HTTP/1.1\r\n" + hostLine + crlf, always},
			{"absolute-form, IPv6", "GET http://[::1]:80/ HTTP/1.1\r\nHost: [::1]\r\n\r\n", always},
			{"absolute-form with a query alone", "GET http://a?b HTTP/1.1\r\n" + hostLine + crlf, always},
			{"absolute-form with odd bytes in its host", "GET http://a,!$&'()*+;=~%zz/ HTTP/1.1\r\nHost: a,!$&'()*+;=~%zz\r\n\r\n", always},
			{"an empty Host", getLine + "Host:\r\n\r\n", always},
			{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", always},
			{"HTTP/1.0 kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", always},
			{"HTTP/1.0 with a length", "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", always},
			{"close among others", getLine + hostLine + "Connection: x, close ,y\r\n\r\n", always},
			{"close and keep-alive", getLine + hostLine + "Connection: keep-alive, close\r\n\r\n", always},
			{"close in quotes", getLine + hostLine + "Connection: \"close\"\r\n\r\n", always},
			{"an upgrade", getLine + hostLine + "Connection: upgrade\r\nUpgrade: x\r\n\r\n", always},
			{"an upgrade with a body", post("Connection: upgrade", "Upgrade: x", "Content-Length: 3") + "abc", always},
			{"an upgrade in chunks", post("Connection: upgrade", "Upgrade: x", "Transfer-Encoding: chunked") + "1\r\na\r\n0\r\n\r\n", always},
			{"an upgrade in HTTP/1.0", "GET / HTTP/1.0\r\nConnection: upgrade, keep-alive\r\nUpgrade: x\r\n\r\n", always},
			{"what is expected", post("Expect: 100-continue", "Content-Length: 3") + "abc", always},
			{"what is expected otherwise", post("Expect: x", "Content-Length: 3") + "abc", always},
			{"M-SEARCH", "M-SEARCH / HTTP/1.1\r\n" + hostLine + crlf, always},
			{"a method that Node does not know", "BREW / HTTP/1.1\r\n" + hostLine + crlf, never},
			{"a method in lower case", "get / HTTP/1.1\r\n" + hostLine + crlf, never},
			{"a method of RTSP", "SETUP / HTTP/1.1\r\n" + hostLine + crlf, never},
			{"many fields", getLine + hostLine + strings.Repeat("X: y\r\n", 90) + crlf, always},
		} {
			if taken := agreesWithNode(t, socket, []byte(c.input)); taken && c.taken == never || !taken && c.taken == always {
				t.Errorf("%s: %s: %q: taken %v", node, c.about, c.input, taken)
			}
		}
	}
}

// nodes are the machine's own Node, and those that the preload is tested on, where they are installed.
func nodes(t *testing.T) []string {
	others, err := filepath.Glob("../../child/preload/testdata/nodes/node_modules/*/bin/node")
	if err != nil {
		t.Fatal(err)
	}
	return append(others, "node")
}
