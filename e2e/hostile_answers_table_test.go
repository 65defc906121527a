package e2e

import "strings"

// hostileAnswer is what the app does instead of a decent answer, and what the client may get of it.
type hostileAnswer struct {
	name         string
	acts         []act
	want         []string         // "200 body", or one of those below
	known        map[string]known // what an engine does otherwise
	method       string
	fields, body string
	later        int  // ms between what follows
	glued        bool // another answer is behind it at once
	greets       bool // an answer on a new connection, where no proxy can know that it was there before the request
}

const (
	bad = "bad" // 502, or closed before a head
	cut = "cut" // a head, and a body that does not end
)

// known is what an engine does otherwise.
type known struct {
	want []string
	why  string
}

// poolsFirst are engines that may give a client what was glued to the answer before.
var poolsFirst = map[string]string{
	std: "net/http pools a connection before it looks whether there is more on it",
}

const (
	ok   = "HTTP/1.1 200 OK\r\n"
	evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"
)

func sends(bytes ...string) (acts []act) {
	for _, b := range bytes {
		acts = append(acts, act{Send: b})
	}
	return acts
}

func then(acts []act, more ...act) []act { return append(acts, more...) }

// hostileAnswers are all of them.
func hostileAnswers() (all []hostileAnswer) {
	add := func(answers ...hostileAnswer) {
		for _, a := range answers {
			if a.method == "" {
				a.method = "GET"
			}
			all = append(all, a)
		}
	}
	framingAnswers(add)
	chunkAnswers(add)
	headAnswers(add)
	gluedAnswers(add)
	cutAnswers(add)
	oddAnswers(add)
	return all
}

// framingAnswers say in two ways, or in none, how long they are.
func framingAnswers(add func(...hostileAnswer)) {
	hello := func(fields ...string) []act { return sends(ok + strings.Join(fields, "\r\n") + "\r\n\r\nhello") }
	for _, fields := range [][]string{
		{"Content-Length: 5", "Content-Length: 4"}, {"Content-Length: 4, 5"}, {"Content-Length: +5"}, {"Content-Length: -5"}, {"Content-Length: 0x5"}, {"Content-Length: 5 5"},
		{"Content-Length: 5;"}, {"Content-Length: x"}, {"Content-Length: 99999999999999999999"}, {"Content-Length: 5\x00"}, {"Content-Length : 5"},
		{"Transfer-Encoding: xchunked"}, {"Transfer-Encoding: identity"}, {"Transfer-Encoding: chunked, identity"}, {"Transfer-Encoding: gzip, chunked"}, {"Transfer-Encoding: \vchunked"},
		{"Transfer-Encoding: chunked", "Transfer-Encoding: chunked"}, {"Transfer-Encoding: xchunked", "Content-Length: 5"},
	} {
		add(hostileAnswer{name: strings.Join(fields, " | "), acts: then(hello(fields...), act{End: true}), want: []string{bad}, known: stdHeads[strings.Join(fields, " | ")]})
	}
	add(
		hostileAnswer{name: "the same length twice", acts: hello("Content-Length: 5", "Content-Length: 5"), want: []string{bad, "200 hello"}},
		hostileAnswer{name: "the same length in a list", acts: hello("Content-Length: 5, 5"), want: []string{bad, "200 hello"}},
		hostileAnswer{name: "an empty length", acts: then(hello("Content-Length:"), act{End: true}), want: []string{bad}},
		hostileAnswer{name: "both framings", acts: sends(ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), want: []string{bad, "200 hello"}},
		hostileAnswer{name: "both framings the other way", acts: sends(ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + evil), want: []string{bad, "200 hello"}},
		hostileAnswer{name: "chunks in HTTP/1.0", acts: then(sends("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), act{End: true}), want: []string{bad, "200 hello"},
			known: map[string]known{std: {[]string{"200 5\r\nhello\r\n0\r\n\r\n"}, "net/http ignores the field in HTTP/1.0"}}},
	)
}

// chunkAnswers begin well: a client that has the head is cut off.
func chunkAnswers(add func(...hostileAnswer)) {
	for _, chunks := range []string{"x\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
		"5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhelloX0\r\n\r\n", "4\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nX Y: 1\r\n\r\n", "5\r\nhello\r\n0\r\n: 1\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n"} {
		a := hostileAnswer{name: "chunks " + chunks, acts: then(sends(ok+"Transfer-Encoding: chunked\r\n\r\n"+chunks), act{Wait: 50}, act{End: true}), want: []string{bad, cut}}
		if strings.Contains(chunks, "X Y") || strings.Contains(chunks, "\n: 1") {
			a.known = map[string]known{std: {[]string{"200 hello", cut}, "net/http reads trailers leniently"}}
		}
		add(a)
	}
	for _, chunks := range []string{"5;a=b\r\nhello\r\n0\r\n\r\n", "05\r\nhello\r\n000\r\n\r\n", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"} {
		add(hostileAnswer{name: "chunks " + chunks, acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n" + chunks), want: []string{"200 hello"}})
	}
	add(hostileAnswer{name: "a long extension", acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n5;" + strings.Repeat("x", 3000) + "\r\nhello\r\n0\r\n\r\n" + ""), want: []string{"200 hello", bad, cut}},
		hostileAnswer{name: "forbidden trailers", acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 1\r\nTransfer-Encoding: x\r\n\r\n"), want: []string{"200 hello", bad, cut}})
}

// headAnswers are malformed before the body.
func headAnswers(add func(...hostileAnswer)) {
	for _, line := range []string{"HTTP/1.1 abc OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 0200 OK", "HTTP/1.1", "HTTP/1.1 ", "HTTP/2.0 200 OK", "HTTP/9.9 200 OK", "ICY 200 OK", "http/1.1 200 OK",
		"HTTP/1.1  200 OK", " HTTP/1.1 200 OK", "200 OK", "hello", "\x00", "HTTP/1.1\t200 OK", "HTTP/1.1 200\x00OK", "HTTP/1.1 099 OK"} {
		add(hostileAnswer{name: "status line " + line, acts: then(sends(line+"\r\nContent-Length: 5\r\n\r\nhello"), act{Wait: 50}, act{End: true}), want: []string{bad}, known: stdHeads[line]})
	}
	for _, field := range []string{"nocolon", ": v", " X: v", "X Y: v", "X : v", "X\x00: v", "X: a\x00b", "X: a\rb", "X\x80: v", "X(): v"} {
		add(hostileAnswer{name: "field " + field, acts: then(sends(ok+field+"\r\nContent-Length: 5\r\n\r\nhello"), act{Wait: 50}, act{End: true}), want: []string{bad}, known: stdHeads[field]})
	}
	for _, field := range []string{"X: a\r\n b", "X: a\r\n\tb", "X: a\x01b", "X: \x7f", "X: a\nY: b", "X: \xff", "X:", "X: " + strings.Repeat("v", 9000)} {
		add(hostileAnswer{name: "field " + field, acts: sends(ok + field + "\r\nContent-Length: 5\r\n\r\nhello"), want: []string{bad, "200 hello"}})
	}
	add(
		hostileAnswer{name: "bare LF", acts: sends("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"), want: []string{bad, "200 hello"}},
		hostileAnswer{name: "no reason", acts: sends("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello"), want: []string{bad, "200 hello"}},
		hostileAnswer{name: "a reason of control bytes", acts: sends("HTTP/1.1 200 \x01\x1b\r\nContent-Length: 5\r\n\r\nhello"), want: []string{bad, "200 hello"}},
		hostileAnswer{name: "a huge field", acts: then([]act{{Send: ok + "X: "}, {Send: strings.Repeat("v", 1024), Times: 1024}}, act{Send: "\r\n\r\n"}, act{End: true}), want: []string{bad}, known: stdHeads["a huge field"]},
		hostileAnswer{name: "very many fields", acts: then([]act{{Send: ok}, {Send: "X-Many: v\r\n", Times: 50_000}}, act{Send: "\r\n"}, act{End: true}), want: []string{bad}, known: stdHeads["very many fields"]},
		hostileAnswer{name: "a head that does not end", acts: then(sends(ok+"X: "), act{End: true}), want: []string{bad}},
	)
}

// stdHeads are heads that net/http takes.
var stdHeads = map[string]map[string]known{
	"HTTP/2.0 200 OK":    {std: {hello, "net/http takes any version"}},
	"HTTP/9.9 200 OK":    {std: {hello, "net/http takes any version"}},
	"HTTP/1.1  200 OK":   {std: {hello, "net/http takes more than one space"}},
	"X Y: v":             {std: {hello, "net/http takes spaces in names, and does not pass such a field on"}},
	"X : v":              {std: {hello, "net/http takes spaces in names, and does not pass such a field on"}},
	"Content-Length : 5": {std: {hello, "net/http takes spaces in names: to it this is no length"}},
	"a huge field":       {std: {[]string{"200 "}, "net/http's bound is 10 MiB"}},
	"very many fields":   {std: {[]string{"200 "}, "net/http's bound is 10 MiB"}},
}

var hello = []string{"200 hello"}

// gluedAnswers have another answer behind them, at once or later.
func gluedAnswers(add func(...hostileAnswer)) {
	hello := ok + "Content-Length: 5\r\n\r\nhello"
	for _, a := range []hostileAnswer{
		{name: "glued to a length", acts: sends(hello + evil), want: []string{"200 hello"}},
		{name: "glued to a length, twice", acts: sends(hello + evil + evil), want: []string{"200 hello"}},
		{name: "glued to chunks", acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + evil), want: []string{"200 hello"}},
		{name: "glued to no body", acts: sends(ok + "Content-Length: 0\r\n\r\n" + evil), want: []string{"200 "}},
		{name: "behind a 204", acts: sends("HTTP/1.1 204 No Content\r\n\r\n" + evil), want: []string{"204 "}},
		{name: "a 204 with a length", acts: sends("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nEVIL"), want: []string{"204 ", bad}},
		{name: "a 204 with chunks", acts: sends("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nEVIL\r\n0\r\n\r\n"), want: []string{"204 ", bad}},
		{name: "behind a 304", acts: sends("HTTP/1.1 304 Not Modified\r\n\r\n" + evil), want: []string{"304 "}},
		{name: "a 304 with a length", acts: sends("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nEVIL"), want: []string{"304 "}},
		{name: "to HEAD", method: "HEAD", acts: sends(ok + "Content-Length: 4\r\n\r\nEVIL"), want: []string{"200 "}},
		{name: "to HEAD with chunks", method: "HEAD", acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nEVIL\r\n0\r\n\r\n"), want: []string{"200 "}},
		{name: "to HEAD, another", method: "HEAD", acts: sends(ok + "Content-Length: 4\r\n\r\n" + evil), want: []string{"200 "}},
	} {
		a.acts, a.glued = then(a.acts, act{Wait: 20}), true
		add(a)
	}
	for _, wait := range []int{1, 5, 20} {
		add(hostileAnswer{name: "another in the pool", acts: []act{{Send: hello}, {Wait: wait}, {Send: evil}}, want: []string{"200 hello"}, later: 100},
			hostileAnswer{name: "half of another in the pool", acts: []act{{Send: hello}, {Wait: wait}, {Send: "HTTP/1.1 200 OK\r\nContent-Le"}, {Wait: wait}, {Send: "ngth: 4\r\n\r\nEVIL"}}, want: []string{"200 hello"}, later: 100},
			hostileAnswer{name: "a byte in the pool", acts: []act{{Send: hello}, {Wait: wait}, {Send: "\r\n"}}, want: []string{"200 hello"}, later: 100})
	}
}

// cutAnswers end early: the client must be able to tell.
func cutAnswers(add func(...hostileAnswer)) {
	for _, how := range []act{{End: true}, {Reset: true}} {
		for _, a := range []hostileAnswer{
			{name: "before anything", want: []string{bad}},
			{name: "in the status line", acts: sends("HTTP/1.1 2"), want: []string{bad}},
			{name: "behind the head's lines", acts: sends(ok + "Content-Length: 5\r\n"), want: []string{bad}},
			{name: "behind the head", acts: sends(ok + "Content-Length: 5\r\n\r\n"), want: []string{cut, bad}},
			{name: "in a body", acts: sends(ok + "Content-Length: 10\r\n\r\nhello"), want: []string{cut, bad}},
			{name: "before a chunk", acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n"), want: []string{cut, bad}},
			{name: "in a chunk", acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n9\r\nhello"), want: []string{cut, bad}},
			{name: "between chunks", acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), want: []string{cut, bad}},
			{name: "in the last chunk", acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"), want: []string{cut, bad}},
			{name: "in a trailer", acts: sends(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n"), want: []string{cut, bad}},
			{name: "an interim answer alone", acts: sends("HTTP/1.1 103 Early Hints\r\n\r\n"), want: []string{bad}},
		} {
			a.acts = then(a.acts, act{Wait: 20}, how)
			if how.Reset {
				a.name += " by a reset"
			}
			add(a)
		}
	}
	add(
		hostileAnswer{name: "ended by the connection", acts: then(sends("HTTP/1.1 200 OK\r\n\r\nhello"), act{End: true}), want: []string{"200 hello"}},
		hostileAnswer{name: "ended by the connection in HTTP/1.0", acts: then(sends("HTTP/1.0 200 OK\r\n\r\nhello"), act{End: true}), want: []string{"200 hello"}},
		hostileAnswer{name: "ended by a reset", acts: then(sends("HTTP/1.1 200 OK\r\n\r\nhello"), act{Wait: 20}, act{Reset: true}), want: []string{cut, bad}},
		hostileAnswer{name: "ended by the connection, long", acts: then([]act{{Send: "HTTP/1.1 200 OK\r\n\r\n"}, {Send: "0123456789", Times: 20000}}, act{End: true}), want: []string{"200 " + strings.Repeat("0123456789", 20000)}},
	)
}

// oddAnswers are of the wrong kind, or come at the wrong time.
func oddAnswers(add func(...hostileAnswer)) {
	greeting := evil
	add(
		hostileAnswer{name: "101 that nobody asked for", acts: sends("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n" + evil), want: []string{bad}},
		hostileAnswer{name: "101 without a protocol", acts: sends("HTTP/1.1 101 Switching Protocols\r\n\r\n" + evil), want: []string{bad}},
		hostileAnswer{name: "101 to another protocol", fields: "Connection: Upgrade\r\nUpgrade: foo\r\n", acts: sends("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bar\r\n\r\n" + evil), want: []string{bad}},
		hostileAnswer{name: "interim answers without an end", acts: []act{{Send: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", Times: 50_000}, {Wait: 100}, {End: true}}, want: []string{bad}},
		hostileAnswer{name: "large interim answers without an end", acts: []act{{Send: "HTTP/1.1 103 Early Hints\r\nLink: <" + strings.Repeat("x", 3000) + ">\r\n\r\n", Times: 1000}, {Wait: 100}, {End: true}}, want: []string{bad}},
		hostileAnswer{name: "100 that nobody asked for", acts: sends("HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 5\r\n\r\nhello"), want: []string{"200 hello"}},
		hostileAnswer{name: "an interim answer with a length", acts: sends("HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n" + ok + "Content-Length: 5\r\n\r\nhello"), want: []string{"200 hello", bad}},
		hostileAnswer{name: "before the body", method: "POST", body: strings.Repeat("0123456789", 200_000), acts: sends(ok + "Content-Length: 5\r\n\r\nhello"), want: []string{"200 hello", bad}},
		hostileAnswer{name: "before the body, and closed", method: "POST", body: strings.Repeat("0123456789", 200_000), acts: then(sends(ok+"Content-Length: 5\r\nConnection: close\r\n\r\nhello"), act{End: true}), want: []string{"200 hello", bad}},
		hostileAnswer{name: "close, and another behind it", acts: sends(ok + "Content-Length: 5\r\nConnection: close\r\n\r\nhello" + evil), want: []string{"200 hello"}},
		hostileAnswer{name: "before it is asked", acts: []act{{Greet: &greeting}, {Send: ok + "Connection: close\r\nContent-Length: 5\r\n\r\nhello"}, {End: true}}, want: []string{"200 hello"}, greets: true},
	)
}
