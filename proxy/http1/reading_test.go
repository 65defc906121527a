package http1

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// roomy are limits that nothing here comes near to.
var roomy = Limits{Bytes: 1 << 16, Target: 8 << 10, Fields: 100}

// reader is (*Head).Request, Response or Trailers.
type reader func(*Head, []byte, Limits) (bool, error)

// reading is all that there is to know of a head after bytes were shown to it.
type reading struct {
	head Head
	done bool
	err  error
}

// shown is the reading of a head to which the input was shown up to each of the cuts, and then whole. The bytes behind
// a cut are out of its reach.
func shown(read reader, input []byte, limits Limits, cuts ...int) (r reading) {
	for _, cut := range append(cuts, len(input)) {
		if r.done, r.err = read(&r.head, input[:cut:cut], limits); r.done || r.err != nil {
			break
		}
	}
	return r
}

// readWhole is the reading in one piece, which must be that of any two pieces, and that of one byte after the other.
func readWhole(t testing.TB, read reader, input string, limits Limits) reading {
	t.Helper()
	want := shown(read, []byte(input), limits)
	var each []int
	for cut := range len(input) {
		each = append(each, cut)
		same(t, want, shown(read, []byte(input), limits, cut), input, cut)
	}
	same(t, want, shown(read, []byte(input), limits, each...), input, "each byte")
	return want
}

func same(t testing.TB, want, got reading, input any, cut any) {
	t.Helper()
	if want.done != got.done || want.err != got.err || !slices.Equal(want.head.Fields, got.head.Fields) {
		t.Fatalf("%q cut at %v: %v %v %+v,\nwant %v %v %+v", input, cut, got.done, got.err, got.head, want.done, want.err, want.head)
	}
	want.head.Fields, got.head.Fields = nil, nil
	if want.err != nil {
		want.head.scan, got.head.scan = 0, 0 // of no meaning any more
	}
	if !reflect.DeepEqual(want.head, got.head) {
		t.Fatalf("%q cut at %v: %+v,\nwant %+v", input, cut, got.head, want.head)
	}
}

// told writes a head down: the first line, the fields in brackets, and what was made of them.
func (r reading) told(input string) string {
	h, buf := &r.head, []byte(input)
	var b strings.Builder
	if h.Status > 0 {
		fmt.Fprintf(&b, "%d %q 1.%d", h.Status, h.Reason.In(buf), h.Minor)
	} else {
		fmt.Fprintf(&b, "%s %s 1.%d", h.Method.In(buf), h.Target.In(buf), h.Minor)
	}
	for _, f := range h.Fields {
		fmt.Fprintf(&b, " [%s|%s]", f.Name.In(buf), f.Value.In(buf))
	}
	if h.Length >= 0 {
		fmt.Fprintf(&b, " %d", h.Length)
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{{h.Chunked, "chunked"}, {h.Close, "close"}, {h.Upgrade, "upgrade"}, {h.Nominated, "nominated"}} {
		if flag.set {
			b.WriteString(" " + flag.name)
		}
	}
	if rest := len(input) - h.Size; rest > 0 {
		fmt.Fprintf(&b, " +%d", rest)
	}
	return b.String()
}
