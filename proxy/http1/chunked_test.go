package http1

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// chunks is what was read of a chunked body.
type chunks struct {
	data string
	n    int // bytes read
	done bool
	err  error
}

func (c chunks) String() string { return fmt.Sprintf("%q %d %v %v", c.data, c.n, c.done, c.err) }

// dechunked reads a body by Next, shown up to each of the cuts and then whole. Advance must say the same, and Between be
// true just where it may.
func dechunked(t testing.TB, body []byte, cuts ...int) (r chunks) {
	var next, advance Chunked
	for _, cut := range append(cuts, len(body)) {
		before := r
		for r.n < cut && !r.done && r.err == nil {
			var n int
			var data []byte
			n, data, r.done, r.err = next.Next(body[r.n:cut:cut])
			if n == 0 && r.err == nil {
				t.Fatalf("%q: nothing read at %d", body, r.n)
			}
			if string(data) != string(body[r.n+n-len(data):r.n+n]) {
				t.Fatalf("%q: the data is not the last that was read at %d", body, r.n)
			}
			r.n += n
			r.data += string(data)
		}
		n, data, done, err := advance.Advance(body[before.n:cut:cut])
		if n != r.n-before.n || int(data) != len(r.data)-len(before.data) || done != r.done || err != r.err {
			t.Fatalf("%q: Advance up to %d: %d %d %v %v, want %v", body, cut, n, data, done, err, r)
		}
		if next != advance {
			t.Fatalf("%q: %+v, %+v", body, next, advance)
		}
		if r.err == nil && !r.done {
			if probe := next; probe.Between() != lastFits(probe) {
				t.Fatalf("%q: Between at %d is %v", body, r.n, probe.Between())
			}
		}
		if r.done || r.err != nil {
			break
		}
	}
	return r
}

// lastFits says whether a last chunk could stand here.
func lastFits(c Chunked) bool {
	blank := c == Chunked{} // "0" behind a digit or in data would end too, or be data
	_, data, done, err := c.Advance([]byte("0\r\n"))
	return blank && data == 0 && done && err == nil
}

// dechunkedAnyhow reads a body in one piece, in any two, and byte by byte, which must be the same.
func dechunkedAnyhow(t testing.TB, body string) chunks {
	t.Helper()
	want := dechunked(t, []byte(body))
	var each []int
	for cut := range len(body) {
		each = append(each, cut)
		if got := dechunked(t, []byte(body), cut); got != want {
			t.Fatalf("%q cut at %d: %v, want %v", body, cut, got, want)
		}
	}
	if got := dechunked(t, []byte(body), each...); got != want {
		t.Fatalf("%q byte by byte: %v, want %v", body, got, want)
	}
	return want
}

func TestChunked_ReadsABody(t *testing.T) { // RFC 9112, 7.1
	long := strings.Repeat("d", 300)
	for _, c := range []struct {
		about, body, data string
		rest              int // bytes behind the last chunk's line
	}{
		{"nothing", "0\r\n\r\n", "", 2},
		{"one", "5\r\nhello\r\n0\r\n\r\n", "hello", 2},
		{"two, and what looks like the last", "3\r\n0\r\n\r\n2\r\n\r\n\r\n0\r\n", "0\r\n\r\n", 0},
		{"a trailer and a request are left alone", "1\r\na\r\n0\r\nX: y\r\n\r\nGET", "a", 11},
		{"hexadecimal in any case", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n", "01234567890123456789", 0},
		{"two digits", "12c\r\n" + long + "\r\n0\r\n", long, 0},
		{"leading zeros", "0001\r\na\r\n000\r\n", "a", 0},
		{"sixteen digits", "0000000000000001\r\na\r\n0000000000000000\r\n", "a", 0},
		{"an extension", "1;a\r\nb\r\n0;c\r\n", "b", 0},
		{"values", "1;a=b;c=\"d\";e\r\nx\r\n0\r\n", "x", 0},
		{"every tchar", "1;!#$%&'*+-.^_`|~09azAZ=!#$%&'*+-.^_`|~09azAZ\r\nx\r\n0\r\n", "x", 0},
		{"in quotes", "1;a=\"\";b=\";=\t \x80\xff#\"\r\nx\r\n0\r\n", "x", 0},
		{"quoted pairs", "1;a=\"\\\"\\\\\\a\\\t\\\xff\"\r\nx\r\n0\r\n", "x", 0},
		{"an extension of just the limit", "1;" + strings.Repeat("a", 255) + "\r\nx\r\n0\r\n", "x", 0},
		{"the limit is a chunk's own", strings.Repeat("1;"+strings.Repeat("a", 100)+"\r\nx\r\n", 5) + "0\r\n", "xxxxx", 0},
	} {
		got := dechunkedAnyhow(t, c.body)
		if want := (chunks{c.data, len(c.body) - c.rest, true, nil}); got != want {
			t.Errorf("%s: %q: %v, want %v", c.about, c.body, got, want)
		}
	}
}

func TestChunked_WaitsForTheRest(t *testing.T) {
	body := "1;a=\"b\"\r\nx\r\n0;a\r\n"
	for cut := range len(body) {
		if got := dechunked(t, []byte(body[:cut])); got.done || got.err != nil || got.n != cut {
			t.Errorf("%q: %v", body[:cut], got)
		}
	}
	for size, left := range map[string]uint64{"7fffffffffffffff": 1<<63 - 1, "0fffffffffffffff": 1<<60 - 1, "7FFFFFFFFFFFFFF0": 1<<63 - 16} {
		var c Chunked
		if n, data, done, err := c.Advance([]byte(size + "\r\nx")); n != 19 || data != 1 || done || err != nil || c.left != left-1 {
			t.Errorf("%s: %d %d %v %v, %d left", size, n, data, done, err, c.left)
		}
	}
}

func TestChunked_RefusesWhatTwoReadersCouldReadInTwoWays(t *testing.T) {
	for _, c := range []struct {
		about, body string
		at          int // where the first byte stands that cannot be
		want        *Error
	}{
		{"no size", "\r\n", 0, errChunkSize},
		{"no size but an extension", ";a\r\n", 0, errChunkSize},
		{"no number", "x\r\n", 0, errChunkSize},
		{"behind f", "g\r\n", 0, errChunkSize},
		{"a sign", "-1\r\n", 0, errChunkSize},
		{"a prefix", "0x1\r\n", 1, errChunkSize},
		{"an underscore", "1_0\r\n", 1, errChunkSize},
		{"a space in front", " 1\r\n", 0, errChunkSize},
		{"a space behind", "1 \r\n", 1, errChunkSize},
		{"a tab behind", "1\t\r\n", 1, errChunkSize},
		{"a space before an extension", "1 ;a\r\n", 1, errChunkSize},
		{"a bare LF", "1\n", 1, errChunkSize},
		{"a bare CR", "1\ra", 2, errChunkSize},
		{"two CRs", "1\r\r\n", 2, errChunkSize},
		{"2^63", "8000000000000000\r\n", 15, errChunkSize},
		{"2^64-1", "ffffffffffffffff\r\n", 15, errChunkSize},
		{"seventeen digits", "10000000000000000\r\n", 16, errChunkSize},
		{"seventeen zeros", "00000000000000000\r\n", 16, errChunkSize},
		{"a zero before sixteen digits", "07fffffffffffffff\r\n", 16, errChunkSize},
		{"data too long", "1\r\nab\r\n", 4, errChunkEnd},
		{"a bare LF behind the data", "1\r\na\n", 4, errChunkEnd},
		{"a bare CR behind the data", "1\r\na\r0\r\n", 5, errChunkEnd},
		{"data too short", "3\r\na\r\n0\r\n\r\n", 6, errChunkEnd},
		{"an empty line between chunks", "1\r\na\r\n\r\n0\r\n", 6, errChunkSize},
		{"an extension without a name", "1;\r\n", 2, errChunkExtension},
		{"two semicolons", "1;;a\r\n", 2, errChunkExtension},
		{"a semicolon behind a name", "1;a;\r\n", 4, errChunkExtension},
		{"two semicolons behind a value", "1;a=\"b\";;c\r\n", 8, errChunkExtension},
		{"a value without a name", "1;=a\r\n", 2, errChunkExtension},
		{"a name without its value", "1;a=\r\n", 4, errChunkExtension},
		{"a semicolon for a value", "1;a=;b\r\n", 4, errChunkExtension},
		{"two values", "1;a=b=c\r\n", 5, errChunkExtension},
		{"a space before a name", "1; a\r\n", 2, errChunkExtension},
		{"a space behind a name", "1;a =b\r\n", 3, errChunkExtension},
		{"a space before a value", "1;a= b\r\n", 4, errChunkExtension},
		{"a space behind a value", "1;a=b \r\n", 5, errChunkExtension},
		{"a space behind quotes", "1;a=\"b\" \r\n", 7, errChunkExtension},
		{"more behind quotes", "1;a=\"b\"c\r\n", 7, errChunkExtension},
		{"quotes in a value", "1;a=b\"c\"\r\n", 5, errChunkExtension},
		{"a name in quotes", "1;\"a\"\r\n", 2, errChunkExtension},
		{"a line's end in quotes", "1;a=\"\r\n", 5, errChunkExtension},
		{"a bare LF in quotes", "1;a=\"\n", 5, errChunkExtension},
		{"a quoted line's end", "1;a=\"\\\r\n", 6, errChunkExtension},
		{"NUL in quotes", "1;a=\"\x00\r\n", 5, errChunkExtension},
		{"a bare LF behind an extension", "1;a\n", 3, errChunkExtension},
		{"a bare LF behind a value", "1;a=b\n", 5, errChunkExtension},
		{"a bare LF behind quotes", "1;a=\"b\"\n", 7, errChunkExtension},
		{"a bare CR behind an extension", "1;a\rb", 4, errChunkSize},
		{"a byte over 0x7f in a name", "1;\x80\r\n", 2, errChunkExtension},
		{"an extension over the limit", "1;" + strings.Repeat("a", 256) + "\r\n", 258, errChunkExtension},
		{"quotes over the limit", "1;a=\"" + strings.Repeat("a", 300), 258, errChunkExtension},
	} {
		if got := dechunkedAnyhow(t, c.body); got.err != error(c.want) || got.n != c.at || got.done {
			t.Errorf("%s: %q: %v, want %v at %d", c.about, c.body, got, c.want, c.at)
		}
	}
}

func TestChunked_IsBetweenChunksOnlyWhereOneBegins(t *testing.T) {
	body, want := "1;a\r\nx\r\n02\r\nyz\r\n0\r\n", []int{0, 8, 16}
	var got []int
	for cut := range len(body) {
		var c Chunked
		if _, _, _, err := c.Advance([]byte(body[:cut])); err != nil {
			t.Fatal(err)
		}
		if c.Between() {
			got = append(got, cut)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("between at %v, want %v", got, want)
	}
}
