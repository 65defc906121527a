package http1

import (
	"strings"
	"testing"
)

const getLine, hostLine, crlf = "GET / HTTP/1.1\r\n", "Host: a\r\n", "\r\n"

func TestRequest_RefusesWhatTwoReadersCouldReadInTwoWays(t *testing.T) {
	for _, c := range []struct {
		about, input string
		want         *Error
	}{
		{"9112 2.2: a line ends in CRLF", "GET / HTTP/1.1\nHost: a\r\n\r\n", errBareLF},
		{"9112 2.2: so does a field line", getLine + "Host: a\n\r\n", errBareLF},
		{"9112 2.2: so does the empty one", getLine + hostLine + "\n", errBareLF},
		{"9112 2.2: so does an empty one in front", "\nGET / HTTP/1.1\r\n", errBareLF},
		{"9112 2.2: a bare CR in the request line", "GET /\rx HTTP/1.1\r\n", errRequestLine},
		{"9112 2.2: a bare CR in a field", getLine + "X: a\rb\r\n", errFieldValue},
		{"9112 2.2: a bare CR where a line should begin", getLine + hostLine + "\rX: b\r\n\r\n", errFieldName},
		{"9112 2.2: CR CR LF", getLine + hostLine + "\r\r\n", errFieldName},
		{"9112 2.2: space before the first field", getLine + " Host: a\r\n", errFold},
		{"9112 2.2: a tab before the first field", getLine + "\tHost: a\r\n", errFold},
		{"9112 3: space in front", " GET / HTTP/1.1\r\n", errRequestLine},
		{"9112 3: no method", "/ HTTP/1.1\r\n", errRequestLine},
		{"9112 3: a method that is no token", "GE(T / HTTP/1.1\r\n", errRequestLine},
		{"9112 3: a method alone", "GET\r\n", errRequestLine},
		{"9112 3: no version", "GET /\r\n", errRequestLine},
		{"9112 3: nothing behind the space", "GET / \r\n", errVersion},
		{"9112 3: two spaces before the target", "GET  / HTTP/1.1\r\n", errRequestLine},
		{"9112 3: two spaces behind it", "GET /  HTTP/1.1\r\n", errVersion},
		{"9112 3: a tab for a space", "GET\t/ HTTP/1.1\r\n", errRequestLine},
		{"9112 3: a tab behind the target", "GET /\tHTTP/1.1\r\n", errRequestLine},
		{"9112 3: a space at the end", "GET / HTTP/1.1 \r\n", errVersion},
		{"9112 3: a space in the target", "GET /a b HTTP/1.1\r\n", errVersion},
		{"9112 3.2: NUL in the target", "GET /\x00 HTTP/1.1\r\n", errRequestLine},
		{"9112 3.2: DEL in the target", "GET /\x7f HTTP/1.1\r\n", errRequestLine},
		{"9112 3.2: a fragment", "GET /#a HTTP/1.1\r\n", errTarget},
		{"9112 3.2: a target of no form", getLine[:4] + "a HTTP/1.1\r\n" + hostLine + crlf, errTarget},
		{"9112 3.2.3: authority-form without CONNECT", "GET a:80 HTTP/1.1\r\n" + hostLine + crlf, errTarget},
		{"9112 3.2.4: asterisk-form without OPTIONS", "GET * HTTP/1.1\r\n" + hostLine + crlf, errTarget},
		{"9112 3.2.4: an asterisk and more", "OPTIONS *a HTTP/1.1\r\n" + hostLine + crlf, errTarget},
		{"9112 3.2.3: CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", errConnect},
		{"9112 3.2.3: CONNECT to a path", "CONNECT / HTTP/1.1\r\n" + hostLine + crlf, errConnect},
		{"9112 2.3: in lower case", "GET / http/1.1\r\n", errVersion},
		{"9112 2.3: two digits", "GET / HTTP/1.10\r\n", errVersion},
		{"9112 2.3: one number", "GET / HTTP/1\r\n", errVersion},
		{"9112 2.3: no point", "GET / HTTP/1,1\r\n", errVersion},
		{"9112 2.3: a letter", "GET / HTTP/1.x\r\n", errVersion},
		{"9112 2.3: another protocol", "GET / ICY/1.1\r\n", errVersion},
		{"9110 2.5: 0.9", "GET / HTTP/0.9\r\n", errOtherVersion},
		{"9110 2.5: 1.2", "GET / HTTP/1.2\r\n", errOtherVersion},
		{"9113 3.4: the preface of HTTP/2", "PRI / HTTP/1.0\r\n\r\n", errOtherVersion},
		{"9110 2.5: 2.0", "PRI * HTTP/2.0\r\n", errOtherVersion},
		{"9112 5.1: no colon", getLine + "Host\r\n", errFieldName},
		{"9112 5.1: no name", getLine + ": a\r\n", errFieldName},
		{"9112 5.1: a space before the colon", getLine + "Host : a\r\n", errFieldName},
		{"9112 5.1: a tab before the colon", getLine + "Host\t: a\r\n", errFieldName},
		{"9110 5.6.2: a name that is no token", getLine + "Ho(st: a\r\n", errFieldName},
		{"9110 5.6.2: a byte over 0x7f in a name", getLine + "H\xc3\xb6st: a\r\n", errFieldName},
		{"9112 5.2: a folded line", getLine + "X: a\r\n b\r\n", errFold},
		{"9112 5.2: folded with a tab", getLine + "X: a\r\n\tb\r\n", errFold},
		{"9112 5.2: folded with nothing behind", getLine + "X: a\r\n \r\n", errFold},
		{"9110 5.5: NUL in a value", getLine + "X: a\x00\r\n", errFieldValue},
		{"9110 5.5: DEL in a value", getLine + "X: \x7f\r\n", errFieldValue},
		{"9110 5.5: a vertical tab", getLine + "X: a\vb\r\n", errFieldValue},
		{"9112 3.2: no Host in HTTP/1.1", getLine + crlf, errNoHost},
		{"9112 3.2: two Hosts", getLine + hostLine + hostLine + crlf, errManyHosts},
		{"9112 3.2: two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" + hostLine + "HOST: b\r\n\r\n", errManyHosts},
		{"9112 6.1: both framings", post("Content-Length: 1", "Transfer-Encoding: chunked"), errLengthAndCoding},
		{"9112 6.1: both, the other way round", post("Transfer-Encoding: chunked", "Content-Length: 1"), errLengthAndCoding},
		{"9112 6.1: both in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", errLengthAndCoding},
		{"9112 6.1: a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", errOldCoding},
		{"9112 6.1: twice chunked", post("Transfer-Encoding: chunked, chunked"), errCoding},
		{"9112 6.1: twice chunked, in two lines", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), errCoding},
		{"9112 6.1: chunked, then identity", post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), errCoding},
		{"9112 6.3: chunked is not the last", post("Transfer-Encoding: chunked, gzip"), errCoding},
		{"9112 6.3: no chunked", post("Transfer-Encoding: gzip"), errCoding},
		{"9112 6.3: identity", post("Transfer-Encoding: identity"), errCoding},
		{"9112 6.3: empty", post("Transfer-Encoding:"), errCoding},
		{"9112 6.3: chunked and a comma", post("Transfer-Encoding: chunked,"), errCoding},
		{"9112 6.3: a comma and chunked", post("Transfer-Encoding: ,chunked"), errCoding},
		{"9112 6.3: almost chunked", post("Transfer-Encoding: xchunked"), errCoding},
		{"9112 6.1: another one and twice chunked", post("Transfer-Encoding: gzip, chunked, chunked"), errCoding},
		{"9112 6.3: in quotes", post(`Transfer-Encoding: "chunked"`), errCoding},
		{"9112 6.3: a tab behind it, which Node does not take for space", post("Transfer-Encoding: chunked\t"), errCoding},
		{"9112 6.3: a tab behind a space", post("Connection: upgrade", "Upgrade: x", "Transfer-Encoding: chunked \t"), errCoding},
		{"9112 6.3: with a parameter", post("Transfer-Encoding: chunked;q=1"), errCoding},
		{"9112 6.3: no list before it", post("Transfer-Encoding: a b, chunked"), errCoding},
		{"9112 6.1: another one before it", post("Transfer-Encoding: gzip, chunked"), errUnknownCoding},
		{"9112 6.1: two others before it", post("Transfer-Encoding: gzip,, br ,CHUNKED"), errUnknownCoding},
		{"9110 8.6: two lengths", post("Content-Length: 1", "Content-Length: 2"), errManyLengths},
		{"9110 8.6: the same length twice", post("Content-Length: 1", "Content-Length: 1"), errManyLengths},
		{"9110 8.6: a list of lengths", post("Content-Length: 1, 1"), errLength},
		{"9110 8.6: empty", post("Content-Length:"), errLength},
		{"9110 8.6: a sign", post("Content-Length: +1"), errLength},
		{"9110 8.6: another sign", post("Content-Length: -1"), errLength},
		{"9110 8.6: a space within", post("Content-Length: 1 0"), errLength},
		{"9110 8.6: hexadecimal", post("Content-Length: 0x1"), errLength},
		{"9110 8.6: 2^63", post("Content-Length: 9223372036854775808"), errLength},
		{"9110 8.6: 2^64 and one", post("Content-Length: 18446744073709551617"), errLength},
	} {
		r := readWhole(t, (*Head).Request, c.input, roomy)
		if r.err != error(c.want) {
			t.Errorf("%s: %q: %v, want %v", c.about, c.input, r.err, c.want)
		}
	}
}

func TestRequest_AcceptsWhatIsJustWithinTheGrammar(t *testing.T) {
	for _, c := range []struct{ about, input, want string }{
		{"the least", getLine + hostLine + crlf, "GET / 1.1 [Host|a]"},
		{"9112 2.2: empty lines in front", crlf + crlf + getLine + hostLine + crlf, "GET / 1.1 [Host|a]"},
		{"what follows is left alone", getLine + hostLine + crlf + "GET", "GET / 1.1 [Host|a] +3"},
		{"9110 5.6.2: a method of every tchar", "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\n" + hostLine + crlf, "!#$%&'*+-.^_`|~09azAZ / 1.1 [Host|a]"},
		{"9110 5.6.2: a name of every tchar", getLine + hostLine + "!#$%&'*+-.^_`|~09azAZ: 1\r\n\r\n", "GET / 1.1 [Host|a] [!#$%&'*+-.^_`|~09azAZ|1]"},
		{"9112 3.2.1: what clients send in a path", "GET /\"<>[]\\^`{|}%zz?a?b HTTP/1.1\r\n" + hostLine + crlf, "GET /\"<>[]\\^`{|}%zz?a?b 1.1 [Host|a]"},
		{"9112 3.2.1: bytes over 0x7f in a path", "GET /\x80\xff HTTP/1.1\r\n" + hostLine + crlf, "GET /\x80\xff 1.1 [Host|a]"},
		{"9112 3.2.1: two slashes", "GET //b/c HTTP/1.1\r\n" + hostLine + crlf, "GET //b/c 1.1 [Host|a]"},
		{"9112 3.2.4: asterisk-form", "OPTIONS * HTTP/1.1\r\n" + hostLine + crlf, "OPTIONS * 1.1 [Host|a]"},
		{"9112 2.3: HTTP/1.0 needs no Host", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0 close"},
		{"9112 3.2: Host may be empty", getLine + "Host:\r\n\r\n", "GET / 1.1 [Host|]"},
		{"9112 5.1: no space, and much of it", getLine + hostLine + "X:a\r\nY: \t a \t \r\n\r\n", "GET / 1.1 [Host|a] [X|a] [Y|a]"},
		{"9112 5: an empty value", getLine + hostLine + "X:\r\nY: \t \r\n\r\n", "GET / 1.1 [Host|a] [X|] [Y|]"},
		{"9110 5.5: obs-text, tabs and spaces within", getLine + hostLine + "X: \x80\xff\ta  b\r\n\r\n", "GET / 1.1 [Host|a] [X|\x80\xff\ta  b]"},
		{"9112 5.1: a colon in a value", getLine + hostLine + "X::\r\n\r\n", "GET / 1.1 [Host|a] [X|:]"},
		{"9110 8.6: nothing", post("Content-Length: 0"), "POST / 1.1 [Host|a] [Content-Length|0] 0"},
		{"9110 8.6: leading zeros", post("CONTENT-LENGTH:\t007 "), "POST / 1.1 [Host|a] [CONTENT-LENGTH|007] 7"},
		{"9110 8.6: 2^63-1", post("Content-Length: 9223372036854775807"), "POST / 1.1 [Host|a] [Content-Length|9223372036854775807] 9223372036854775807"},
		{"9112 7: chunked in any case", post("transfer-ENCODING: \tChunked  "), "POST / 1.1 [Host|a] [transfer-ENCODING|Chunked] chunked"},
		{"9112 6.3: a length with GET", getLine + hostLine + "Content-Length: 3\r\n\r\nabc", "GET / 1.1 [Host|a] [Content-Length|3] 3 +3"},
		{"9110 8.6: a length in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", "POST / 1.0 [Content-Length|3] 3 close"},
	} {
		r := readWhole(t, (*Head).Request, c.input, roomy)
		if got := r.told(c.input); !r.done || r.err != nil || got != c.want {
			t.Errorf("%s: %q: %v %v\n%s, want\n%s", c.about, c.input, r.done, r.err, got, c.want)
		}
	}
}

func TestRequest_KeepsToTheGrammarOfHost(t *testing.T) { // RFC 9110, 7.2; RFC 3986, 3.2.2
	for host, want := range map[string]bool{
		"": true, "a": true, "A-b.c_d~1": true, "a:80": true, "a:": true, "a:000000": true, ":80": true, "%41": true, "a,b;c=d": true,
		"!$&'()*+,;=": true, "127.0.0.1:8080": true, "[::1]": true, "[::1]:80": true, "[::1]:": true, "[v1.a:b]": true,
		"[::ffff:127.0.0.1]:1": true,
		"a:b":                  false, "a:80:80": false, "a:-1": false, "a@b": false, "a/b": false, "a?b": false, "a#b": false, "a b": false, "a\tb": false,
		`a\b`: false, `"a"`: false, "<a>": false, "a|b": false, "a^b": false, "a\x80": false, "a, b": false,
		"::1": false, "[::1": false, "::1]": false, "[::1]a": false, "[::1]:a": false, "[[::1]]": false, "[a/b]": false, "a[b]": false, "[fe80::1\x80]": false,
	} {
		r := readWhole(t, (*Head).Request, getLine+"Host: "+host+"\r\n\r\n", roomy)
		if want && r.err != nil || !want && r.err != error(errHost) {
			t.Errorf("%q: %v", host, r.err)
		}
	}
}

func TestRequest_ATargetMustNotDifferFromHost(t *testing.T) { // RFC 9112, 3.2.2
	for _, c := range []struct {
		target, host string
		want         error
	}{
		{"http://a/b?c", "a", nil}, {"HTTP://A", "a", nil}, {"http://a?b", "a", nil}, {"https://a/", "a", nil},
		{"http://a:80/", "a", nil}, {"http://a/", "a:80", nil}, {"http://a:/", "a:80", nil}, {"http://a/", "a:", nil},
		{"https://a:443/", "a", nil}, {"https://a/", "a:443", nil}, {"http://a:8080/", "A:8080", nil},
		{"http://[::1]:80/", "[::1]", nil}, {"http://a/://b@c/", "a", nil}, {"http://a?http://b/", "a", nil}, {"http://a/\xff", "a", nil},
		{"http://a/", "b", errHostDiffers}, {"http://a/", "", errHostDiffers}, {"http://a:443/", "a", errHostDiffers},
		{"https://a:80/", "a", errHostDiffers}, {"http://a/", "a:8080", errHostDiffers}, {"http://a:080/", "a", errHostDiffers},
		{"http://a:8080/", "a", errHostDiffers}, {"http://[::1]/", "[::2]", errHostDiffers}, {"http://a/", "a.", errHostDiffers},
		{"http:///", "", errTarget}, {"http://:80/", ":80", errTarget}, {"http://?a", "", errTarget}, {"http:/a", "a", errTarget},
		{"http:a", "a", errTarget}, {"http://", "", errTarget}, {"://a/", "a", errTarget}, {"ftp://a/", "a", errTarget}, {"xhttp://a/", "a", errTarget},
		{"http://u@a/", "a", errTarget}, {"http://u:p@a/", "a", errTarget}, {`http://a\@b/`, "a", errTarget}, {"http://a:b/", "a:b", errHost},
		{"http://a:b/", "a", errTarget}, {"http://[::1/", "a", errTarget}, {"http://a\x80/", "a", errTarget}, {"ws://a/", "a", errTarget},
	} {
		r := readWhole(t, (*Head).Request, "GET "+c.target+" HTTP/1.1\r\nHost: "+c.host+"\r\n\r\n", roomy)
		if r.err != c.want {
			t.Errorf("%q with %q: %v, want %v", c.target, c.host, r.err, c.want)
		}
	}
	if r := readWhole(t, (*Head).Request, "GET http://a/ HTTP/1.0\r\n\r\n", roomy); r.err != nil || !r.done {
		t.Errorf("no Host to differ from: %v", r.err)
	}
}

// post is the head of a POST with these field lines beside Host.
func post(lines ...string) string {
	return "POST / HTTP/1.1\r\n" + hostLine + strings.Join(lines, "\r\n") + "\r\n\r\n"
}
