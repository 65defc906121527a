package http1

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestHead_KeepsToItsLimits(t *testing.T) {
	limits := Limits{Bytes: 200, Target: 20, Fields: 3}
	line := func(bytes int) string { // with a field that fills a head up
		return getLine + hostLine + "X: " + strings.Repeat("x", bytes-len(getLine+hostLine+"X: "+crlf+crlf)) + crlf + crlf
	}
	for _, c := range []struct {
		about, input string
		want         error
	}{
		{"a head of just the limit", line(200), nil},
		{"one byte more", line(201), errLargeHead},
		{"much more", line(1000), errLargeHead},
		{"the limit, with more behind it", line(200) + line(100), nil},
		{"empty lines count", crlf + line(199), errLargeHead},
		{"nothing but empty lines", strings.Repeat(crlf, 100), errLargeHead},
		{"an error behind the limit is not looked for", line(1000)[:900] + "\n", errLargeHead},
		{"an error before it is", getLine + "X\r\n" + line(1000), errFieldName},
		{"a target of just the limit", "GET /" + strings.Repeat("a", 19) + " HTTP/1.1\r\n" + hostLine + crlf, nil},
		{"one byte more", "GET /" + strings.Repeat("a", 20) + " HTTP/1.1\r\n" + hostLine + crlf, errLongTarget},
		{"a line without end", "GET /" + strings.Repeat("a", 90), errLongTarget},
		{"behind empty lines", strings.Repeat(crlf, 10) + "GET /" + strings.Repeat("a", 90), errLongTarget},
		{"past the head's limit first", strings.Repeat(crlf, 70) + "GET /" + strings.Repeat("a", 90), errLargeHead},
		{"a method of all the room there is", strings.Repeat("M", 71) + " / HTTP/1.1\r\n" + hostLine + crlf, nil},
		{"one byte more", strings.Repeat("M", 72) + " / HTTP/1.1\r\n" + hostLine + crlf, errLongTarget},
		{"no request at all", strings.Repeat("\x16\x03\x01", 40), errLongTarget},
		{"just enough fields", getLine + hostLine + "X: 1\r\nX: 2\r\n\r\n", nil},
		{"one more", getLine + hostLine + "X: 1\r\nX: 2\r\nX: 3\r\n\r\n", errManyFields},
	} {
		r := readWhole(t, (*Head).Request, c.input, limits)
		if r.err != c.want || r.done != (c.want == nil) {
			t.Errorf("%s: %q: %v %v, want %v", c.about, c.input, r.done, r.err, c.want)
		}
	}
	if r := readWhole(t, (*Head).Response, "HTTP/1.1 200 "+strings.Repeat("a", 183)+crlf+crlf, limits); r.err != nil || r.head.Size != 200 {
		t.Errorf("a response of just the limit: %v", r.err)
	}
	if r := readWhole(t, (*Head).Response, "HTTP/1.1 200 "+strings.Repeat("a", 184)+crlf+crlf, limits); r.err != error(errLargeHead) {
		t.Errorf("one byte more: %v", r.err)
	}
}

func TestError_HasTheStatusThatTheClientGets(t *testing.T) {
	for err, want := range map[*Error]int{
		errRequestLine: 400, errHost: 400, errCoding: 400, errLongTarget: 414, errLargeHead: 431, errManyFields: 431, errUnknownCoding: 501,
		errConnect: 501, errOtherVersion: 505,
	} {
		if err.Status != want || err.Error() == "" {
			t.Errorf("%v: %d, want %d", err, err.Status, want)
		}
	}
}

func TestHead_WaitsForItsEnd(t *testing.T) {
	whole := crlf + getLine + hostLine + crlf
	for cut := range len(whole) {
		var h Head
		done, err := h.Request([]byte(whole[:cut]), roomy)
		if done || err != nil {
			t.Errorf("%q: %v %v", whole[:cut], done, err)
		}
		if started := cut > len(crlf); h.Started() != started && cut != 1 { // a CR alone may become a line
			t.Errorf("%q: started %v", whole[:cut], h.Started())
		}
	}
}

func TestHead_ResetLeavesNothingOfTheLastOne(t *testing.T) {
	var h Head
	first := "POST /first HTTP/1.0\r\nHost: a\r\nTransfer: b\r\nContent-Length: 7\r\nConnection: upgrade, x\r\nUpgrade: y\r\n\r\n"
	second := getLine + hostLine + crlf
	for _, input := range []string{first, first[:50], getLine + "\n", "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"} {
		read := (*Head).Request
		if strings.HasPrefix(input, "HTTP") {
			read = (*Head).Response
		}
		_, _ = read(&h, []byte(input), roomy)
		h.Reset()
		r := reading{}
		r.done, r.err = h.Request([]byte(second), roomy)
		r.head = h
		same(t, shown((*Head).Request, []byte(second), roomy), r, second, "after "+input)
		h.Reset()
	}
	if cap(h.Fields) == 0 {
		t.Error("the fields' place is not kept")
	}
}

func TestHead_ReadsTheConnectionOptions(t *testing.T) { // RFC 9110, 7.6.1; RFC 9112, 9.3
	for _, c := range []struct{ version, lines, want string }{
		{"1.1", "", ""},
		{"1.1", "Connection:", ""},
		{"1.1", "Connection: close", "close"},
		{"1.1", "connection: CLOSE", "close"},
		{"1.1", "Connection: keep-alive", ""},
		{"1.1", "Connection: keep-alive, close", "close"},
		{"1.1", "Connection: keep-alive\r\nConnection: close", "close"},
		{"1.1", "Connection: ,, close ,", "close"},
		{"1.1", "Connection: closed", "nominated"},
		{"1.1", `Connection: "close"`, "nominated"},
		{"1.1", "Connection: close keep-alive", "nominated"},
		{"1.1", "Connection: Upgrade", "upgrade"},
		{"1.1", "Connection: keep-alive, Upgrade", "upgrade"},
		{"1.1", "Upgrade: websocket", ""},
		{"1.1", "Connection: x-a, close,UPGRADE", "close upgrade nominated"},
		{"1.1", "Proxy-Connection: close", ""},
		{"1.0", "", "close"},
		{"1.0", "Connection: keep-alive", ""},
		{"1.0", "Connection: Keep-Alive, close", "close"},
		{"1.0", "Connection: close\r\nConnection: keep-alive", "close"},
		{"1.0", "Connection: x", "close nominated"},
		{"1.0", "Proxy-Connection: keep-alive", "close"},
	} {
		for _, m := range []struct {
			read  reader
			first string
		}{{(*Head).Request, "GET / HTTP/" + c.version}, {(*Head).Response, "HTTP/" + c.version + " 200 OK"}} {
			input := m.first + "\r\n" + hostLine + c.lines + "\r\n\r\n"
			if c.lines == "" {
				input = m.first + "\r\n" + hostLine + "\r\n"
			}
			r := readWhole(t, m.read, input, roomy)
			_, made, _ := strings.Cut(r.told(input), "] ")
			got := strings.Fields(made[strings.LastIndex(made, "]")+1:])
			got = slices.DeleteFunc(got, func(w string) bool { return w != "close" && w != "upgrade" && w != "nominated" })
			if strings.Join(got, " ") != c.want || r.err != nil {
				t.Errorf("%q: %v, want %q; %v", input, got, c.want, r.err)
			}
		}
	}
}

func TestHead_KnowsWhichFieldsConnectionNominates(t *testing.T) {
	input := []byte(getLine + hostLine + "Connection: close, X-One ,,x-two\r\nX-One: x-three\r\nconnection: x-FOUR\r\n\r\n")
	r := readWhole(t, (*Head).Request, string(input), roomy)
	for name, want := range map[string]bool{
		"x-one": true, "X-TWO": true, "X-Four": true, "close": true, "x-three": false, "x": false, "": false, "x-one ": false, "X-One ,": false,
	} {
		if got := r.head.Nominates(input, []byte(name)); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestHead_FindsTheKnownFields(t *testing.T) {
	var lines []string
	for id := Host; int(id) < len(Names); id++ {
		if id != TransferEncoding && id != Connection {
			lines = append(lines, fmt.Sprintf("%s: %d", strings.ToUpper(Names[id]), id), fmt.Sprintf("x%s: 0", Names[id][1:]))
		}
	}
	input := []byte(getLine + strings.Join(lines, "\r\n") + "\r\nAccept: second\r\n\r\n")
	r := readWhole(t, (*Head).Request, string(input), roomy)
	if r.err != nil {
		t.Fatal(r.err)
	}
	for id := Host; int(id) < len(Names); id++ {
		want := fmt.Sprint(id)
		if id == TransferEncoding || id == Connection {
			want = ""
		}
		if got := string(r.head.Find(input, id)); got != want || r.head.HasField(id) != (want != "") {
			t.Errorf("%s: %q, want %q", Names[id], got, want)
		}
		if Identify([]byte(Names[id])) != id || Identify([]byte(Names[id]+"s")) != Other || Identify([]byte(Names[id][1:])) != Other {
			t.Errorf("%s is not told apart", Names[id])
		}
	}
	if Identify([]byte(strings.Repeat("x", 40))) != Other || Identify(nil) != Other {
		t.Error("a field of no known length")
	}
}

func TestField_NextIsWhereTheNextLineBegins(t *testing.T) {
	input := []byte(crlf + getLine + hostLine + "X:\r\nYes:  a \r\n\r\n")
	r := readWhole(t, (*Head).Request, string(input), roomy)
	for i, want := range []string{"X:\r\n", "Yes: ", "\r\n"} {
		if rest := string(input[r.head.Fields[i].Next:]); !strings.HasPrefix(rest, want) {
			t.Errorf("behind field %d is %q", i, rest)
		}
	}
}

func TestHead_ReadsTrailers(t *testing.T) { // RFC 9112, 7.1.2
	for _, c := range []struct {
		input string
		want  error
	}{
		{"\r\n", nil}, {"X: 1\r\nY:\r\n\r\n", nil}, {"Content-Length: x\r\n\r\n", nil}, {"\r\nGET", nil}, {"X: 1\r\n\r\n\r\n", nil},
		{"\n", errBareLF}, {"X: 1\n", errBareLF}, {"X: 1\r\n a\r\n", errFold}, {" X: 1\r\n", errFold}, {"X : 1\r\n", errFieldName}, {"X\r\n", errFieldName},
		{"X: \x00\r\n", errFieldValue}, {strings.Repeat("X: 1\r\n", 101), errManyFields}, {"X: " + strings.Repeat("x", 1<<16), errLargeHead},
	} {
		if len(c.input) > 1<<10 { // every cut would take long
			if r := shown((*Head).Trailers, []byte(c.input), roomy, 1, 1<<9, 1<<10); r.err != c.want {
				t.Errorf("%.20q: %v", c.input, r.err)
			}
			continue
		}
		r := readWhole(t, (*Head).Trailers, c.input, roomy)
		if r.err != c.want || r.done != (c.want == nil) {
			t.Errorf("%q: %v %v, want %v", c.input, r.done, r.err, c.want)
		}
		if at := strings.Index(c.input, "\r\n\r\n"); r.done && r.head.Size != max(at, -2)+4 && r.head.Size != 2 {
			t.Errorf("%q: ends at %d", c.input, r.head.Size)
		}
	}
}

func TestTokens_AreTheElementsOfAList(t *testing.T) { // RFC 9110, 5.6.1
	for list, want := range map[string]string{
		"": "", ",": "", " , ,\t": "", "a": "a", " a\t": "a", "a,b": "a|b", ",a ,, b c,": "a|b c",
	} {
		var got []string
		Tokens([]byte(list), func(p []byte) bool { got = append(got, string(p)); return true })
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q", list, got)
		}
	}
	calls := 0
	Tokens([]byte("a,b,c"), func([]byte) bool { calls++; return calls < 2 })
	if calls != 2 {
		t.Errorf("it goes on after %d", calls)
	}
}
