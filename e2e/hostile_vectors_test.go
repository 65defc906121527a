package e2e

import (
	"fmt"
	"strings"
)

// verdict is what is to become of a vector's first request.
type verdict string

const (
	pass   verdict = "pass"   // the app sees it
	refuse verdict = "refuse" // the app sees nothing
	either verdict = "either" // one of both
)

// vector is a request by hand. What follows it on the connection is a second request, unless the vector brings its own.
type vector struct {
	want verdict
	raw  string
}

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: smuggled.example\r\n\r\n"

// with heads and bodies: a request line, a Host and more lines.
func head(lines ...string) string  { return lined("GET /v HTTP/1.1", lines...) }
func post(lines ...string) string  { return lined("POST /v HTTP/1.1", lines...) }
func line(first string) string     { return lined(first) }
func chunked(chunks string) string { return post("Transfer-Encoding: chunked") + chunks }

func lined(first string, lines ...string) string {
	return strings.Join(append([]string{first, "Host: app.example"}, lines...), "\r\n") + "\r\n\r\n"
}

// vectors returns all of them.
func vectors() (all []vector) {
	add := func(want verdict, raws ...string) {
		for _, raw := range raws {
			all = append(all, vector{want, raw})
		}
	}
	lineVectors(add)
	targetVectors(add)
	hostVectors(add)
	fieldVectors(add)
	connectionVectors(add)
	lengthVectors(add)
	codingVectors(add)
	chunkVectors(add)
	trailerVectors(add)
	byteVectors(add)
	return all
}

// lineVectors: RFC 9112, 2.2 and 3.
func lineVectors(add func(verdict, ...string)) {
	add(pass, line("GET / HTTP/1.1"), line("HEAD /v HTTP/1.1"), line("DELETE /v HTTP/1.1"), line("OPTIONS /v HTTP/1.1"),
		line("PATCH /v HTTP/1.1"), line("PROPFIND /v HTTP/1.1"), line("GET /v HTTP/1.0"), "HEAD /v HTTP/1.1\r\nHost:app.example\r\n\r\n")
	add(either, "\r\n"+head(), "\r\n\r\n\r\n"+head(), "\n"+head(), "\r\n"+post("Content-Length: 2")+"ab", "GET /v HTTP/1.1\nHost: app.example\n\n",
		"GET /v HTTP/1.0\r\n\r\n", line("get /v HTTP/1.1"), line("FOO /v HTTP/1.1"), line("G-E.T /v HTTP/1.1"), line("GETGETGETGETGETGETGETGET /v HTTP/1.1"),
		line("GET /v HTTP/1.2"), line("GET /v HTTP/1.9"))
	add(refuse, line("GET /v HTTP/2.0"), line("GET /v HTTP/0.9"), line("GET /v HTTP/1"), line("GET /v HTTP/1.10"), line("GET /v HTTP/01.1"),
		line("GET /v HTTP/1.01"), line("GET /v HTTP/11.1"), line("GET /v http/1.1"), line("GET /v HTTP/1,1"), line("GET /v HTTP/1.1 "),
		line("GET /v HTTP/1.1x"), line("GET /v HTTPS/1.1"), line("GET /v HTTP /1.1"), line("GET /v HTTP/-1.1"), line("GET /v HTTP/3.0"),
		line("GET /v ICE/1.0"), line("GET /v RTSP/1.0"), line("GET /v"), line("GET"), line(""), line(" "), line("GET /v "), line("/v HTTP/1.1"),
		"GET /v\r\n\r\n", "GET /v\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		" "+head(), "\t"+head(), "\r"+head(), "\x00"+head(), "\v"+head(), "\ufeff"+head(),
		line("GET  /v HTTP/1.1"), line("GET /v  HTTP/1.1"), line("GET\t/v HTTP/1.1"), line("GET /v\tHTTP/1.1"), line("GET\v/v\vHTTP/1.1"),
		line("GET\f/v HTTP/1.1"), line("GET /v HTTP/1.1\t"), line("GET /v HTTP/1.1\r"), line("GET /v\rHTTP/1.1"), line("GET\r\n /v HTTP/1.1"),
		line("G\x00ET /v HTTP/1.1"), line("GE(T) /v HTTP/1.1"), line("G\xc3\xa9T /v HTTP/1.1"), line("GET: /v HTTP/1.1"), line("\"GET\" /v HTTP/1.1"),
		line("GET /v x HTTP/1.1"), line("GET /v HTTP/1.1 HTTP/1.1"), "GET /v HTTP/1.1", "GET /v HTTP/1.1\r\n", "GET /v HTTP/1.1\r\nHost: app.example\r\n",
		"GET /v HTTP/1.1\rHost: app.example\r\r", "GET /v HTTP/1.1\r\n Host: app.example\r\n\r\n", "GET /v HTTP/1.1\r\n\tX: y\r\nHost: app.example\r\n\r\n",
		"GET /v HTTP/1.1\r\n \r\nHost: app.example\r\n\r\n")
}

// targetVectors: RFC 9112, 3.2; odd bytes may pass, but as they are.
func targetVectors(add func(verdict, ...string)) {
	for _, target := range []string{"/%00", "/%zz", "/%", "/a%2fb", "/a/../b", "/./", "//v", "///", "/?", "/??", "/;x", "/a=b&c", "/*", "/:80", "/@x", "/http://x/",
		"/~!$&'()*+,;=:@-._", "/a?b?c/d", "/%c3%bc", "/" + strings.Repeat("v", 4000)} {
		add(pass, line("GET "+target+" HTTP/1.1"))
	}
	for _, target := range []string{"/\xc3\xbc", "/\xff", "/|", "/{}", "/\"", "/<>", "/^", "/`", "/\\", "/[]", "/v#f", "/#", "/v?q#f", "/\\..\\v", "/?\xc3\xbc",
		"http://app.example/v", "http://app.example", "http://app.example?q", "http://app.example/v#f", "HTTP://app.example/v", "http://other.example/v",
		"http://user@app.example/v", "http://app.example:80/v", "https://app.example/v", "ftp://app.example/v", "http://[::1]/v", "http://[::1/v",
		"http://app.example:x/v", "http:///v"} {
		add(either, line("GET "+target+" HTTP/1.1"))
	}
	for _, target := range []string{"v", "?q", "#f", "*", "**", "*/", "app.example", "app.example:80", "http:/v", "http:v", "://v", ":80", "@/v", ".", "..", "\\v", "%2fv",
		"/v\x00", "/v\x01", "/\x7f", "/v\t", "/v\r", "/v\x1f", "\xff"} {
		add(refuse, line("GET "+target+" HTTP/1.1"))
	}
	add(either, line("OPTIONS * HTTP/1.1"), line("GET /"+strings.Repeat("v", 9000)+" HTTP/1.1"), line("OPTIONS http://app.example HTTP/1.1"))
	add(refuse, line("GET * HTTP/1.1"), line("POST * HTTP/1.1"), line("CONNECT app.example:80 HTTP/1.1"), line("CONNECT / HTTP/1.1"),
		line("CONNECT app.example HTTP/1.1"), line("CONNECT http://app.example/ HTTP/1.1"), line("CONNECT * HTTP/1.1"))
	add(either, line("GET /"+strings.Repeat("v", 20<<10)+" HTTP/1.1"), line("GET /"+strings.Repeat("v", 100<<10)+" HTTP/1.1"))
}

// hostVectors: RFC 9112, 3.2.
func hostVectors(add func(verdict, ...string)) {
	bare := func(lines ...string) string {
		return "GET /v HTTP/1.1\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
	}
	add(pass, bare("Host: app.example"), bare("host: app.example"), bare("HOST:app.example"), bare("X-First: 1", "Host: app.example"))
	add(either, bare("Host: app.example:80"), bare("Host: [::1]"), bare("Host: [::1]:80"), bare("Host:"), bare("Host: a,b"), bare("Host: a@b"), bare("Host: a:b"),
		bare("Host: \xc3\xbc"), bare("Host: a%20b"), bare("Host: a:80:80"), bare("Host: :80"), bare("Host: [::1"), bare("Host: app.example\r\n "))
	add(refuse, bare(), bare("X-A: 1"), bare("Host: a", "Host: a"), bare("Host: a", "Host: b"), bare("Host: a", "host: b"), bare("Host : a"), bare("Host\t: a"),
		bare("Host: a b"), bare("Host: a/b"), bare("Host: a?b"), bare("Host: a#b"), bare("Host: a\tb"), bare("Host: <a>"), bare("Host: a\x01b"), bare("Host: a\\b"),
		bare("Host: \"a\""), bare("Host: a\x00b"), bare(" Host: a"), bare("Host: a", "Host : b"), bare("Host: a", " Host: b", "Host: c"), bare("Hos\x00t: a"), bare("Host"),
		bare("H\xc3\xb6st: a"), bare("X-A: 1", "\tHost: a"), bare("Host: http://a/"), bare("Host: a{b}"))
	add(refuse, "GET http://app.example/v HTTP/1.1\r\n\r\n", "GET http://app.example/v HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET /v HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "GET http:// HTTP/1.1\r\nHost: a\r\n\r\n")
}

// fieldVectors: RFC 9112, 5; RFC 9110, 5.5.
func fieldVectors(add func(verdict, ...string)) {
	add(pass, head("X-A:"), head("X-A: "), head("X-A:b"), head("X-A: \t b \t "), head("X-A: a:b"), head("X-A: \"q\\\"\""), head("X-A: \xc3\xbc\xff"), head("1: 2"),
		head("!#$%&'*+-.^_`|~: all that a token may have"), head("X_A: under_score"), head("Content_Length: 5"), head("Content-Length-: 5"), head("x-lower: 1", "X-UPPER: 2"),
		head("X-A: 1", "X-B: 2", "X-A: 3"), head("Cookie: a=b; c", "Cookie: d=e"), head("X-A: "+strings.Repeat("v", 4000)), head("X-Forwarded-For: 192.0.2.1"),
		head("X-Forwarded-For: 192.0.2.1, 192.0.2.2", "X-Forwarded-For: 192.0.2.3", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.1"), head("Via: 1.1 lb"),
		head("Max-Forwards: 0"), head("Range: bytes=0-0"), head("If-None-Match: *"), head("Authorization: Basic YTpi"), head("Date: never"), head("Accept-Encoding: chunked"))
	add(either, head("X-A: 1\r\n 2"), head("X-A: 1\r\n\t2\r\n\t\t3"), head("X-A:\r\n 2"), head("X-A: 1\r\n "), head("X-A: 1\n"+"X-B: 2"), head("X-A: 1\r"), head("X-A: 1\r\r\rX-B: 2"),
		head("X-A: 1\rGET /smuggled HTTP/1.1"), head("X-A: a\x0bb"), head("X-A: \x7f"), head("X-A: \x1b[31m"), head("X-A: a\x08"),
		head("X-A: "+strings.Repeat("v", 15<<10)), head("X-A: "+strings.Repeat("v", 100<<10)), head(strings.Repeat("n", 20<<10)+": v"),
		head(strings.Split(strings.TrimSuffix(strings.Repeat("X-Many: 1\n", 500), "\n"), "\n")...), head(strings.Split(strings.TrimSuffix(strings.Repeat("a:\n", 990), "\n"), "\n")...),
		head("Content-Length:\r\n 0"), post("Content-Length: \r\n\t3")+"abc", post("Transfer-Encoding:\r\n chunked")+"0\r\n\r\n", "GET /v HTTP/1.1\r\nHost: app.example\r\nX: y\n\n")
	for _, name := range []string{"", " ", "X A", "X-A ", "X-A\t", "X\x00A", "X(A)", "X,A", "X/A", "X;A", "X=A", "X?A", "X@A", "X[A]", "X{A}", "X\"A\"", "X\\A", "X<A>", "X\x7fA", "X\xc3\xa9",
		"Content-Length ", "Transfer-Encoding ", "Transfer-Encoding\t", "Transfer-Encoding\v", "Transfer-Encoding\x00", "Transfer\x00-Encoding", "\x00X", "X\r", "\r", "\rX"} {
		add(refuse, head(name+": 1"))
		if name != " " { // that would be a fold
			add(refuse, head("X-First: 1", name+": 1"))
		}
	}
	add(refuse, head("no colon"), head("nocolon"), head("X-A: 1", "nocolon", "X-B: 2"), head("X-A 1"), head("GET /smuggled HTTP/1.1"), head(": v"), head(":"), head("X-A: a\x00b"), head("X-A: \x00"),
		"GET /v HTTP/1.1\r\nHost: app.example\r\nX-A: 1\r\n\r", "GET /v HTTP/1.1\r\nHost: app.example\r\nX-A: 1\r\n\rX")
}

// connectionVectors: RFC 9110, 7.6.1, 7.8 and 10.1.1: what one hop takes off, and what it must not.
func connectionVectors(add func(verdict, ...string)) {
	named := []string{"host", "content-length", "transfer-encoding", "x-forwarded-for", "x-forwarded-proto", "forwarded", "cookie", "authorization", "close", "x-a", "te", "upgrade",
		"connection", "keep-alive", "x-request-id", "*", "\"x-a\"", "", ",", ", ,x-a"}
	for _, name := range named {
		add(pass, head("Connection: "+name, "X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.9", "Cookie: a=b", "X-A: 1"),
			post("Connection: keep-alive, "+name, "Content-Length: 3", "X-A: 1")+"abc")
	}
	add(pass, head("Connection: "+strings.Join(named, ", ")), head("Connection: Host", "Connection: Content-Length", "Content-Length: 0"), head("Keep-Alive: timeout=5"),
		head("Proxy-Connection: keep-alive"), head("TE: trailers"), head("TE: trailers, deflate;q=0.5", "Connection: TE"), head("Connection: Upgrade"),
		head("Connection: Upgrade", "Upgrade: foo/2"), head("Upgrade: websocket"), head("Connection: close"), head("Connection: CLOSE"), head("Connection: close, keep-alive"),
		post("Connection: Content-Length", "Content-Length: 3")+"abc", post("Connection: Transfer-Encoding", "Transfer-Encoding: chunked")+"3\r\nabc\r\n0\r\n\r\n",
		"GET /v HTTP/1.0\r\nHost: app.example\r\nConnection: close\r\n\r\n", head("HTTP2-Settings: AAMAAABkAAQAAP__", "Connection: HTTP2-Settings"),
		post("Expect: 100-continue", "Content-Length: 3")+"abc", post("Expect: 100-Continue", "Content-Length: 0"), post("Expect: 100-continue", "Transfer-Encoding: chunked")+"1\r\na\r\n0\r\n\r\n",
		head("Expect: 100-continue"))
	add(either, head("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), head("Connection: Upgrade", "Upgrade: H2C"),
		head("Connection: Upgrade", "Upgrade: foo, h2c"), head("Upgrade: h2c"), post("Connection: Upgrade", "Upgrade: h2c", "Content-Length: 3")+"abc",
		head("Expect: 200-ok"), head("Expect: 100-continue, x"), head("Expect: "), "GET /v HTTP/1.0\r\nHost: app.example\r\nConnection: keep-alive\r\n\r\n",
		"POST /v HTTP/1.0\r\nHost: app.example\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc")
	add(pass, head("Connection: Upgrade", "Upgrade: websocket", "Content-Length: 0"))
}

// lengthVectors: RFC 9112, 6.3; RFC 9110, 8.6.
func lengthVectors(add func(verdict, ...string)) {
	length := func(values ...string) string {
		for i, v := range values {
			values[i] = "Content-Length:" + v
		}
		return post(values...) + "abcde"
	}
	add(pass, length(" 5"), length("5"), length(" 05"), length(" 0000000005"), lined("GET /v HTTP/1.1", "Content-Length: 5")+"abcde",
		lined("HEAD /v HTTP/1.1", "Content-Length: 5")+"abcde", lined("DELETE /v HTTP/1.1", "Content-Length: 5")+"abcde", lined("OPTIONS /v HTTP/1.1", "content-length: 5")+"abcde",
		"POST /v HTTP/1.0\r\nHost: app.example\r\nContent-Length: 5\r\n\r\nabcde", post("Content-Length: 0"), post("Content-Length: 00"), post(), lined("PUT /v HTTP/1.1"),
		lined("GET /v HTTP/1.1", fmt.Sprintf("Content-Length: %d", len(smuggled)))+smuggled, post(fmt.Sprintf("Content-Length: %d", len(smuggled)))+smuggled,
		post("Content-Length: 100000")+strings.Repeat("0123456789", 10000))
	add(either, length("\t5"), length(" \t5 \t"), length(" 5", " 5"), length(" 5, 5"), length(" 5,5,5"), length(" 5", " 5", " 5"))
	add(refuse, length(" 5", " 6"), length(" 6", " 5"), length(" 5", " 05"), length(" 5, 6"), length(" 0", " 5"), length(" 5", " 0"), length(" +5"), length(" -5"), length(" -0"),
		length(" 5 5"), length(" 5 a"), length(" 5a"), length(" a5"), length(" 0x5"), length(" 5_0"), length(" 5.0"), length(" 5e0"), length(" 5;"), length(" 5,"), length(" ,5"), length(" "), length(""),
		length(" five"), length(" \v5"), length(" 5\v"), length(" \x005"), length(" 5\x00\x30"), length(" \"5\""), length(" '5'"), length(" 5\r6"), length(" \xd9\xa5"), length(" 1e1000"),
		length(" 9223372036854775808"), length(" 18446744073709551621"), length(" 18446744073709551615"), length(" 4294967301x"), length(" 99999999999999999999999999"), length(" 5", " "), length(" ", " 5"),
		length(" 5", " x"), length(" 6"), length(" 4294967301"), length(" 9223372036854775807"), length(" 5, , 5, x"))
}

// codingVectors: RFC 9112, 6.1 and 6.3.
func codingVectors(add func(verdict, ...string)) {
	coded := func(values ...string) string {
		for i, v := range values {
			values[i] = "Transfer-Encoding:" + v
		}
		return post(values...) + "3\r\nabc\r\n0\r\n\r\n"
	}
	add(pass, coded(" chunked"), coded("chunked"), coded(" CHUNKED"), coded(" Chunked"), coded(" chunked "),
		lined("GET /v HTTP/1.1", "transfer-encoding: chunked")+"3\r\nabc\r\n0\r\n\r\n", lined("HEAD /v HTTP/1.1", "Transfer-Encoding: chunked")+"3\r\nabc\r\n0\r\n\r\n",
		lined("DELETE /v HTTP/1.1", "Transfer-Encoding: chunked")+"3\r\nabc\r\n0\r\n\r\n")
	add(either, coded("\tchunked\t"), coded(" \t chunked"), coded(" ,chunked"), coded(" chunked,"), coded(" , chunked ,"), coded("", " chunked"),
		post("Content-Length: 5", "Transfer-Encoding: chunked")+"0\r\n\r\n", post("Transfer-Encoding: chunked", "Content-Length: 5")+"0\r\n\r\n",
		post("Content-Length: 4", "Transfer-Encoding: chunked")+"3\r\nabc\r\n0\r\n\r\n", post("Content-Length: x", "Transfer-Encoding: chunked")+"0\r\n\r\n",
		post("Content-Length: 0", "Transfer-Encoding: chunked")+"0\r\n\r\n", post("Content-Length: 5, 6", "Transfer-Encoding: chunked")+"0\r\n\r\n")
	for _, v := range []string{" xchunked", " chunkedx", " chunked, identity", " identity, chunked", " identity", " chunked chunked", " chunked, chunked", " \vchunked", " \fchunked", " chunked\v",
		" \x00chunked", " chunk\x00ed", " chun\rked", " \"chunked\"", " 'chunked'", " chunked;q=1", " chunked;", " chunked=x", " gzip", " gzip, chunked", " chunked, gzip", " x-gzip", " cow", " cow, chunked", "",
		" ", " ,", " chunked/1", " [chunked]", " chunk-ed", " chunked\xff", " \xa0chunked", " chunked:", " chunked\x01", " c", " none", " trailers", " CHUN\xe2\x84\xaaED", " tchunked", " \\chunked"} {
		add(refuse, coded(v), post("Transfer-Encoding:"+v, "Content-Length: 5")+"0\r\n\r\n", post("Content-Length: 5", "Transfer-Encoding:"+v)+"0\r\n\r\n")
	}
	add(refuse, coded(" chunked", " chunked"), coded(" chunked", " identity"), coded(" identity", " chunked"), coded(" chunked", " x"), coded(" gzip", " chunked"), coded(" chunked", " cow"))
	old := func(lines ...string) string {
		return "POST /v HTTP/1.0\r\nHost: app.example\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
	add(refuse, old("Transfer-Encoding: chunked")+"3\r\nabc\r\n0\r\n\r\n", old("Transfer-Encoding: chunked", "Connection: keep-alive")+"0\r\n\r\n",
		old("Transfer-Encoding: identity"), old("Transfer-Encoding: chunked", "Content-Length: 5", "Connection: keep-alive")+"0\r\n\r\n",
		old("Transfer-Encoding: chunked", "Content-Length: 0", "Connection: keep-alive")+smuggled)
}

// chunkVectors: RFC 9112, 7.1.
func chunkVectors(add func(verdict, ...string)) {
	add(pass, chunked("0\r\n\r\n"), chunked("3\r\nabc\r\n0\r\n\r\n"), chunked("A\r\n0123456789\r\n0\r\n\r\n"), chunked("a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n"), chunked("03\r\nabc\r\n0\r\n\r\n"),
		chunked("3\r\nabc\r\n000\r\n\r\n"), chunked("2\r\n\r\n\r\n0\r\n\r\n"), chunked("5\r\n0\r\n\r\n\r\n0\r\n\r\n"), chunked(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled)),
		chunked(strings.Repeat("1\r\nx\r\n", 2000)+"0\r\n\r\n"), chunked("186a0\r\n"+strings.Repeat("0123456789", 10000)+"\r\n0\r\n\r\n"))
	for _, behind := range []string{";a", ";a=b", ";a=\"b\"", ";a=\"b;c\"", ";a=\"\\\"\"", " ;a", "\t; a = b", ";a;b;c=d", " ", "\t", "  ", ";", ";;", ";=", ";a=", ";a=\"", "; a b", ";\xc3\xbc", ";" + strings.Repeat("x", 100), ";" + strings.Repeat("x", 5000), ";" + strings.Repeat("x", 200<<10)} {
		add(either, chunked("3"+behind+"\r\nabc\r\n0\r\n\r\n"), chunked("3\r\nabc\r\n0"+behind+"\r\n\r\n"))
	}
	add(either, chunked("0000000003\r\nabc\r\n0\r\n\r\n"), chunked("00000000000000000003\r\nabc\r\n0\r\n\r\n"), chunked("3\r\nabc\r\n"+strings.Repeat("0", 100)+"\r\n\r\n"))
	for _, size := range []string{"", " 3", "\t3", "+3", "-3", "0x3", "3h", "x", "g", "3,", "3.0", "3_", "_3", "\"3\"", "3\x00", "\x003", "3\v", "3\r", "3\r\r", "\r3", "3;a\r", "3;\x01", "3;a=\x00", "3;a\x7f", "3 3",
		"3 a", "\xd9\xa3", "ffffffffffffffff", "fffffffffffffffff", "10000000000000003", "100000000000000000000003", "8000000000000003", "80000003", "7fffffffffffffff", "4", "2", "fffffffd", "03g", "3\\"} {
		add(refuse, chunked(size+"\r\nabc\r\n0\r\n\r\n"))
	}
	for _, body := range []string{"3\nabc\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabc\r\n0\n\r\n", "3\nabc\n0\n\n", "3;a\nabc\r\n0\r\n\r\n", "3;a\n3\r\nabc\r\n0\r\n\r\n", "3\rabc\r0\r\r", "3\r\nabc0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n",
		"3\r\nab\r\n0\r\n\r\n", "3\r\nabc\r0\r\n\r\n", "3\r\nabc\r\r\n0\r\n\r\n", "3\r\nabcXX0\r\n\r\n", "3\r\nabc\r\n\r\n0\r\n\r\n", "\r\n3\r\nabc\r\n0\r\n\r\n", "3\r\n\r\nabc\r\n0\r\n\r\n", "abc", "3", "3\r", "3\r\n", "3\r\nabc", "3\r\nabc\r\n",
		"3\r\nabc\r\n0", "3\r\nabc\r\n0\r\n", "3\r\nabc\r\n0\r\n\r", "3\r\nabc\r\n0\r\nX", "0\r\nX-A: 1\r\n", "0\r\n\rGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", "3\r\nabc\n\n0\r\n\r\n", "2;\nxx\r\n4c\r\n0\r\n\r\n"} {
		add(refuse, chunked(body))
	}
}

// trailerVectors: RFC 9112, 7.1.2.
func trailerVectors(add func(verdict, ...string)) {
	for _, trailer := range []string{"X-Sum: 1", "X-Sum:", "X-Sum: 1\r\nX-Sum: 2", "Content-Length: 5", "Transfer-Encoding: chunked", "Host: smuggled.example", "Connection: close", "Cookie: a=b", "Authorization: x",
		"X-Forwarded-For: 192.0.2.66", "Trailer: x", "X-Sum: 1\r\n 2", "X-Sum: 1\nX-B: 2", "X-A: \x01", "X-A: " + strings.Repeat("v", 20<<10), "TE: trailers", "Upgrade: h2c", "Expect: 100-continue",
		strings.TrimSuffix(strings.Repeat("X-Many: 1\r\n", 300), "\r\n")} {
		add(either, chunked("3\r\nabc\r\n0\r\n"+trailer+"\r\n\r\n"), post("Trailer: X-Sum, Content-Length, Host", "Transfer-Encoding: chunked")+"3\r\nabc\r\n0\r\n"+trailer+"\r\n\r\n")
	}
	for _, trailer := range []string{"X Sum: 1", "X-Sum : 1", " X-Sum: 1", ": 1", "nocolon", "GET /smuggled HTTP/1.1", "X\x00: 1", "X-A: a\x00b", "X\xff: 1", "X(): 1"} {
		add(refuse, chunked("3\r\nabc\r\n0\r\n"+trailer+"\r\n\r\n"))
	}
}

// byteVectors puts every control byte, and some others, at the places where readers differ.
func byteVectors(add func(verdict, ...string)) {
	for c := 0; c < 256; c++ {
		b := string([]byte{byte(c)})
		if c > 0x20 && c != 0x7f && c != 0x85 && c != 0xa0 || c == '\n' {
			continue
		}
		add("", line("GET"+b+" /v HTTP/1.1"), line("GET /"+b+"v HTTP/1.1"), line("GET /v"+b+" HTTP/1.1"), line("GET /v HTTP/1.1"+b), head("X-A"+b+": 1"), head("X"+b+"A: 1"), head(b+"X-A: 1"),
			head("X-A: "+b+"1"), head("X-A: 1"+b+"2"), head("X-A: 1"+b), post("Content-Length: 3"+b)+"abc", post("Content-Length:"+b+"3")+"abc", post("Content-Length"+b+": 3")+"abc",
			post("Transfer-Encoding: chunked"+b)+"0\r\n\r\n", post("Transfer-Encoding:"+b+"chunked")+"0\r\n\r\n", post("Transfer-Encoding"+b+": chunked")+"0\r\n\r\n", post(b+"Transfer-Encoding: chunked")+"0\r\n\r\n",
			chunked("3"+b+"\r\nabc\r\n0\r\n\r\n"), chunked(b+"3\r\nabc\r\n0\r\n\r\n"), chunked("3;"+b+"\r\nabc\r\n0\r\n\r\n"), chunked("3\r\nabc"+b+"\r\n0\r\n\r\n"), chunked("0\r\nX"+b+": 1\r\n\r\n"), chunked("0\r\n"+b+"\r\n"))
	}
}
