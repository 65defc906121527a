package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// launchManners starts the app of testdata/manners.js.
func launchManners(t *testing.T, engine string, flags ...string) *instance {
	t.Helper()
	return launch(t, scriptApp(t, read(t, "testdata/manners.js")), node, engineFlags(engine, flags...)...)
}

// say sends bytes and reads an answer's head.
func (c *rawClient) say(t *testing.T, method, raw string) *http.Response {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	return resp
}

// text reads an answer's body.
func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: after %q: %v", resp.Status, body, err)
	}
	return string(body)
}

func mustDial(t *testing.T, addr string) *rawClient {
	t.Helper()
	client, err := dialRaw(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Answers on one connection come in the order of their requests, however these are sent.
func TestManners_AConnectionIsKept(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launchManners(t, engine)
		client := mustDial(t, in.addr)
		for i := range 100 {
			if got := text(t, client.say(t, "GET", fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i))); got != fmt.Sprintf("this is /%d", i) {
				t.Fatalf("request %d got %q", i, got)
			}
		}
		var pipeline strings.Builder
		for i := range 50 {
			fmt.Fprintf(&pipeline, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n%02d", i)
			fmt.Fprintf(&pipeline, "HEAD /%d HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\nGET /chunk-%d HTTP/1.1\r\nHost: a\r\n\r\n", i, i)
		}
		go func() { _, _ = io.WriteString(client, pipeline.String()) }()
		for i := range 50 {
			for _, want := range []struct {
				method string
				status int
				body   string
			}{{"POST", 200, fmt.Sprintf(`"body":"%02d"`, i)}, {"HEAD", 200, ""}, {"GET", 204, ""}, {"GET", 304, ""}, {"GET", 200, fmt.Sprintf("this is /chunk-%d", i)}} {
				resp := client.say(t, want.method, "")
				if got := text(t, resp); resp.StatusCode != want.status || !strings.Contains(got, want.body) || want.body == "" && got != "" {
					t.Fatalf("%s %d in the pipeline: %s %q", want.method, i, resp.Status, got)
				}
			}
		}
	})
}

// Clients of HTTP/1.0 (ab, old health checks) are kept if they ask for it and the length is known, and get no chunks.
func TestManners_HTTP10(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launchManners(t, engine)
		client := mustDial(t, in.addr)
		for i := range 10 {
			resp := client.say(t, "GET", fmt.Sprintf("GET /%d HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n", i))
			if got := text(t, resp); got != fmt.Sprintf("this is /%d", i) || !strings.EqualFold(resp.Header.Get("Connection"), "keep-alive") || resp.ContentLength < 0 {
				t.Fatalf("request %d: %q %v", i, got, resp.Header)
			}
		}
		for _, tc := range []struct{ raw, want string }{
			{"GET /x HTTP/1.0\r\nHost: a\r\n\r\n", "this is /x"},
			{"GET /x HTTP/1.0\r\n\r\n", "this is /x"},
			{"GET /chunks HTTP/1.0\r\nHost: a\r\n\r\n", "one\ntwo\n"},
			{"GET /chunks HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "one\ntwo\n"},
			{"GET /hints HTTP/1.0\r\nHost: a\r\n\r\n", "after the hints"},
			{"POST /echo HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", `{"method":"POST","body":"ab","trailers":{},"te":""}`},
		} {
			if engine == std && strings.Contains(tc.raw, "hints") {
				continue // httputil.ReverseProxy passes 1xx on to HTTP/1.0 as well, against RFC 9110, 15.2
			}
			client := mustDial(t, in.addr)
			resp := client.say(t, "GET", tc.raw)
			if got := text(t, resp); got != tc.want || resp.TransferEncoding != nil {
				t.Errorf("%q: %q, %v", tc.raw, got, resp.TransferEncoding)
			}
			if _, err := client.r.ReadByte(); err != io.EOF {
				t.Errorf("%q: the connection stays open: %v", tc.raw, err)
			}
		}
	})
}

// A client that waits for 100 gets one before its body, and one final answer.
func TestManners_Expect100Continue(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launchManners(t, engine)
		client := mustDial(t, in.addr)
		for range 3 {
			resp := client.say(t, "POST", "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
			if resp.StatusCode != http.StatusContinue {
				t.Fatalf("before the body came %s", resp.Status)
			}
			resp = client.say(t, "POST", "hello")
			if resp.StatusCode == http.StatusContinue && engine == std {
				resp = client.say(t, "POST", "") // net/http sends its own, and httputil.ReverseProxy passes the app's on
			}
			if got := text(t, resp); !strings.Contains(got, `"body":"hello"`) {
				t.Fatalf("%s %q", resp.Status, got)
			}
		}
		resp := client.say(t, "POST", "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello") // does not wait
		for resp.StatusCode == http.StatusContinue {
			resp = client.say(t, "POST", "")
		}
		if got := text(t, resp); !strings.Contains(got, `"body":"hello"`) {
			t.Errorf("without waiting: %s %q", resp.Status, got)
		}
	})
}

func TestManners_EarlyHintsAndTrailers(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launchManners(t, engine)
		client := mustDial(t, in.addr)
		hints := client.say(t, "GET", "GET /hints HTTP/1.1\r\nHost: a\r\n\r\n")
		if hints.StatusCode != http.StatusEarlyHints || !strings.Contains(hints.Header.Get("Link"), "style.css") {
			t.Fatalf("first came %s %v", hints.Status, hints.Header)
		}
		if got := text(t, client.say(t, "GET", "")); got != "after the hints" {
			t.Errorf("then %q", got)
		}
		resp := client.say(t, "GET", "GET /trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n")
		if got := text(t, resp); got != "body" || resp.Trailer.Get("X-Sum") != "forty-two" {
			t.Errorf("%q, trailers %v", got, resp.Trailer)
		}
		resp = client.say(t, "POST", "POST /echo HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 7\r\n\r\n")
		if got, want := text(t, resp), `"trailers":{"x-sum":"7"}`; !strings.Contains(got, want) {
			t.Errorf("the app saw %s, want %s", got, want)
		}
	})
}

// Nothing is kept back: a piece of a body is passed on when it comes, both ways.
func TestManners_BodiesAreFlushedAsTheyCome(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launchManners(t, engine)
		client := mustDial(t, in.addr)
		lines := bufio.NewReader(client.say(t, "GET", "GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n").Body)
		if line, err := lines.ReadString('\n'); err != nil || line != "one\n" {
			t.Fatal(line, err)
		}
		first := time.Now()
		if line, err := lines.ReadString('\n'); err != nil || line != "two\n" || time.Since(first) < 100*time.Millisecond {
			t.Errorf("%q %v, %s after the first", line, err, time.Since(first))
		}
		_, _ = io.Copy(io.Discard, lines)
		talk := bufio.NewReader(client.say(t, "POST", "POST /talk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").Body)
		for i := range 20 {
			fmt.Fprintf(client, "2\r\n%02d\r\n", i)
			if line, err := talk.ReadString('\n'); err != nil || line != fmt.Sprintf("got %02d\n", i) {
				t.Fatalf("said %02d, heard %q %v", i, line, err)
			}
		}
		_, _ = io.WriteString(client, "0\r\n\r\n")
		if rest, err := io.ReadAll(talk); err != nil || string(rest) != "bye\n" {
			t.Errorf("at the end %q %v", rest, err)
		}
	})
}

// An event stream that a reload ends is whole, and lean ends it between two events.
func TestManners_EventStreamsEndAtAnEvent(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launchManners(t, engine, "--commit", "v1", "--strategy", "overlap", "--stream-drain-timeout", "500ms", "--settle", "0s")
		in.publish(in.cmd.Dir, "v2")
		streams := make(chan string, 20)
		for range cap(streams) {
			resp := mustDial(t, in.addr).say(t, "GET", "GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
			go func() {
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					body = fmt.Appendf(body, "CUT: %v", err)
				}
				streams <- string(body)
			}()
		}
		in.mustReload("v2")
		for range cap(streams) {
			got := <-streams
			if strings.Contains(got, "CUT") || engine == lean && !strings.HasSuffix(got, "half and half\n\n") {
				t.Errorf("a stream ended with %q", got[max(0, len(got)-60):])
			}
		}
	})
}
