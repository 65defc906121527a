package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
)

// headApp is a child that answers with the head that it saw, as it was on the wire, and the trailer that came after a body.
func headApp(t *testing.T) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	serve := func(conn net.Conn) {
		defer conn.Close()
		var head strings.Builder
		req, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &head)))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s", head.String())
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return ln.Addr().String()
}

func TestEngines_TheChildSeesTheTargetAsItCame(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		f.gate.Serve(f.gate.NewBackend(headApp(t)))
		for _, target := range []string{
			"/", "/a%2Fb//c?x=%zz;y&&z", "/?", "/a|b\"c", "//a/b", "*", "http://x/a?b", "http://x", "/a/../b/./c", "/%e4",
		} {
			conn := f.dial()
			method := "GET"
			if target == "*" {
				method = "OPTIONS"
			}
			fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method, target)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			line, _, _ := bufio.NewReader(resp.Body).ReadLine()
			if want := method + " " + target + " HTTP/1.1"; string(line) != want {
				t.Errorf("%s: the child saw %q", target, line)
			}
		}
	})
}

func TestEngines_HopByHopFieldsEndHere(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		f.gate.Serve(f.gate.NewBackend(headApp(t)))
		conn := f.dial()
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Request-Id: id-1\r\n"+
			"Connection: close, Upgrade, X-Mine, Host, Content-Length, X-Forwarded-For, X-Forwarded-Port, Forwarded, X-Request-Id\r\n"+
			"X-Forwarded-Port: 99\r\nX-Mine: a\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nTE: gzip\r\nX-Kept: b\r\n\r\nhello")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		head, _, _ := strings.Cut(string(body), "\r\n\r\n")
		for _, want := range []string{"Host: example.org", "Content-Length: 5", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Port: 99", "Forwarded: for=1.2.3.4", "X-Request-Id: id-1", "X-Kept: b"} {
			if !strings.Contains(head, "\r\n"+want+"\r\n") && !strings.HasSuffix(head, "\r\n"+want) {
				t.Errorf("no %q in\n%s", want, head)
			}
		}
		for _, not := range []string{"Connection", "X-Mine", "Keep-Alive", "Upgrade", "HTTP2-Settings", "Http2-Settings", "TE", "Te"} {
			if strings.Contains(head, "\r\n"+not+":") {
				t.Errorf("%s in\n%s", not, head)
			}
		}
	})
}

func TestWithoutH2C_LeavesOtherOffers(t *testing.T) {
	for offered, want := range map[string]string{"h2c": "", "H2C": "", "websocket": "websocket", "h2c, websocket": "websocket", "websocket,h2c ": "websocket", "": ""} {
		h := http.Header{"Upgrade": {offered}}
		if withoutH2C(h); h.Get("Upgrade") != want {
			t.Errorf("%q became %q", offered, h.Get("Upgrade"))
		}
	}
}

func TestForwarded_EachModeHasItsTable(t *testing.T) {
	stranger, inside := "203.0.113.5:1", "10.0.0.7:1"
	given := http.Header{
		"X-Forwarded-For": {"1.2.3.4", "5.6.7.8"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"h"}, "Forwarded": {"for=1.2.3.4"}, "X-Forwarded-Port": {"443"},
	}
	untouched := "1.2.3.4,5.6.7.8 https 443 h for=1.2.3.4"
	for _, tc := range []struct {
		mode Forwarded
		peer string
		in   http.Header
		want string
	}{
		{ForwardedAuto, inside, given, untouched},
		{ForwardedAuto, inside, nil, "10.0.0.7 http 80  "},
		{ForwardedAuto, stranger, given, "203.0.113.5 http 80  "},
		{ForwardedSet, inside, given, "10.0.0.7 http 80  "},
		{ForwardedSet, stranger, given, "203.0.113.5 http 80  "},
		{ForwardedAppend, stranger, given, "1.2.3.4, 5.6.7.8, 203.0.113.5 https 443 h for=1.2.3.4"},
		{ForwardedAppend, inside, nil, "10.0.0.7 http 80  "},
		{ForwardedOff, stranger, given, untouched},
		{ForwardedOff, stranger, nil, "    "},
	} {
		in := httptest.NewRequest(http.MethodGet, "/", nil)
		in = in.WithContext(contextWithLocal(in, "10.0.0.1:80"))
		in.RemoteAddr, in.Header = tc.peer, tc.in
		out := http.Header{}
		tc.mode.apply(out, in)
		var got []string
		for _, field := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Host", "Forwarded"} {
			got = append(got, strings.Join(out[field], ","))
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s from %s: %q, want %q", tc.mode, tc.peer, strings.Join(got, " "), tc.want)
		}
	}
	if strings.Join(given["X-Forwarded-For"], ",") != "1.2.3.4,5.6.7.8" {
		t.Error("the client's own fields were changed")
	}
}

func TestStd_TrailersPassBothWaysButForFraming(t *testing.T) {
	for _, announced := range []string{"Trailer: X-Md5, X-Forwarded-For\r\n", ""} {
		testTrailers(t, announced)
	}
}

func testTrailers(t *testing.T, announced string) {
	f := newFront(t)
	f.gate.Serve(f.backend(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Sum, X-Request-Id")
		fmt.Fprintf(w, "%v", r.Trailer)
		w.Header().Set("X-Sum", "2")
		w.Header().Set("X-Request-Id", "3")
		w.Header().Set(http.TrailerPrefix+"X-Late", "4")
	}))
	conn := f.dial()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"+announced+"\r\n"+
		"5\r\nhello\r\n0\r\nX-Md5: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX-Unannounced: 5\r\nCookie: a\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if string(body) != "map[X-Md5:[1] X-Unannounced:[5]]" {
		t.Errorf("the child saw %s", body)
	}
	if got := fmt.Sprint(resp.Trailer); got != "map[X-Late:[4] X-Sum:[2]]" {
		t.Errorf("the client saw %s", got)
	}
}

func TestEngines_InformationalResponsesPass(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		f.gate.Serve(f.backend(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</a.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			w.Header()["Date"] = nil
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusOK)
		}))
		var hints []string
		trace := httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints = append(hints, fmt.Sprint(code, h))
			return nil
		}}
		req, _ := http.NewRequest(http.MethodGet, f.url, nil)
		resp := f.do(req.WithContext(httptrace.WithClientTrace(req.Context(), &trace)))
		if fmt.Sprint(hints) != "[103 map[Link:[</a.css>; rel=preload]]]" {
			t.Errorf("%v", hints)
		}
		if resp.Header["Date"] != nil || resp.Header["Link"] != nil {
			t.Errorf("after them %v", resp.Header)
		}
	})
}

func TestEngines_AnExpectationIsTheChildsToMeet(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		f.gate.Serve(f.backend(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/no" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			_, _ = io.Copy(w, r.Body)
		}))
		for path, want := range map[string]string{"/no": "HTTP/1.1 403", "/yes": "HTTP/1.1 100"} {
			conn := f.dial()
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n", path)
			r := bufio.NewReader(conn)
			line, _ := r.ReadString('\n')
			if !strings.HasPrefix(line, want) {
				t.Errorf("%s: %q", path, line)
			}
			if path == "/yes" {
				fmt.Fprint(conn, strings.Repeat("a", 100000))
				_, _ = r.ReadString('\n')
				if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 200 {
					t.Errorf("%v, %v", resp, err)
				}
			}
		}
	})
}

func contextWithLocal(r *http.Request, addr string) context.Context {
	tcp, _ := net.ResolveTCPAddr("tcp", addr)
	return context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(tcp))
}
