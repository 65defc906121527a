package http1

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// frame is a frame as another library writes it.
func frame(t testing.TB, length int, masked bool) []byte {
	t.Helper()
	f := ws.NewBinaryFrame(bytes.Repeat([]byte{0x81}, length))
	if masked {
		f = ws.MaskFrameWith(f, [4]byte{1, 2, 3, 4})
	}
	b, err := ws.CompileFrame(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// boundaries are where frames end, shown up to each of the cuts and then whole. Advance must come to the same.
func boundaries(t testing.TB, p []byte, cuts ...int) (ends []int, f Frames) {
	var all Frames
	n := 0
	for _, cut := range append(cuts, len(p)) {
		all.Advance(p[n:cut:cut])
		for n < cut {
			read := f.Next(p[n:cut:cut])
			if n += read; read == 0 || n > cut {
				t.Fatalf("%x: %d read, to %d of %d", p, read, n, cut)
			}
			if f.Between() {
				ends = append(ends, n)
			} else if n < cut {
				t.Fatalf("%x: stopped at %d, within a frame", p, n)
			}
		}
		if all.left != f.left || all.have != f.have {
			t.Fatalf("%x: Advance to %d: %+v, want %+v", p, cut, all, f)
		}
	}
	return ends, f
}

func TestFrames_EndWhereTheyEnd(t *testing.T) { // RFC 6455, 5.2
	for _, masked := range []bool{false, true} {
		for _, length := range []int{0, 1, 125, 126, 127, 65535, 65536} {
			p := frame(t, length, masked)
			several := slices.Concat(p, p, frame(t, 0, !masked), p)
			want := []int{len(p), 2 * len(p), 2*len(p) + len(frame(t, 0, !masked)), len(several)}
			if got, _ := boundaries(t, several); !slices.Equal(got, want) {
				t.Errorf("%d bytes, masked %v: %v, want %v", length, masked, got, want)
			}
			for cut := 0; cut < len(several); cut++ {
				if cut == 40 && len(several) > 1<<10 { // the rest is payload, but for the last bytes
					cut = len(several) - len(p) - 20
				}
				if cut == len(several)-len(p)+20 && len(p) > 1<<10 {
					break
				}
				if got, _ := boundaries(t, several, cut); !slices.Equal(got, want) {
					t.Fatalf("%d bytes, masked %v, cut at %d: %v, want %v", length, masked, cut, got, want)
				}
			}
		}
	}
}

func TestFrames_EndWhereTheyEndByteByByte(t *testing.T) {
	p := slices.Concat(frame(t, 3, true), frame(t, 0, true), frame(t, 200, false), frame(t, 0, false), frame(t, 126, true))
	want, _ := boundaries(t, p)
	var each []int
	for cut := range len(p) {
		each = append(each, cut)
	}
	if got, _ := boundaries(t, p, each...); len(want) != 5 || !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestFrames_AreNotBetweenWithinOne(t *testing.T) {
	p := frame(t, 300, true)
	for cut := range len(p) + 1 {
		var f Frames
		f.Advance(p[:cut])
		if f.Between() != (cut == 0 || cut == len(p)) {
			t.Errorf("at %d: %v", cut, f.Between())
		}
	}
}

func TestFrames_TakeALengthThatNobodyNeedsForLong(t *testing.T) {
	for _, c := range []struct {
		head string
		left uint64
	}{
		{"\x82\x7e\x00\x05", 5}, {"\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x05", 5}, // longer than need be
		{"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 1<<63 - 1}, {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff1234", 1<<64 - 1},
	} {
		var f Frames
		if n := f.Next([]byte(c.head)); n != len(c.head) || f.left != c.left || f.Between() {
			t.Errorf("%x: %d read, %d left", c.head, n, f.left)
		}
	}
}

func TestAppendClose_IsAFrameToAnotherReader(t *testing.T) { // RFC 6455, 5.5.1
	for _, reason := range []string{"", "going away", strings.Repeat("r", 123)} {
		p := AppendClose([]byte("before"), 1001, reason)
		r := bytes.NewReader(p[len("before"):])
		h, err := ws.ReadHeader(r)
		if err != nil || h.Length != int64(r.Len()) {
			t.Fatalf("%x: %v %+v, %d left", p, err, h, r.Len())
		}
		if err := ws.CheckHeader(h, ws.StateClientSide); err != nil || h.OpCode != ws.OpClose || !h.Fin || h.Masked {
			t.Errorf("%x: %v %+v", p, err, h)
		}
		if code, text := ws.ParseCloseFrameData(p[len(p)-r.Len():]); code != 1001 || text != reason || ws.CheckCloseFrameData(code, text) != nil {
			t.Errorf("%x: %d %q", p, code, text)
		}
		if ends, _ := boundaries(t, p[len("before"):]); !slices.Equal(ends, []int{len(p) - len("before")}) {
			t.Errorf("%x ends at %v", p, ends)
		}
	}
}

// otherBoundaries are where frames end by another library, and whether the bytes end in the midst of one.
func otherBoundaries(p []byte) (ends []int, within bool) {
	r := bytes.NewReader(p)
	for r.Len() > 0 {
		h, err := ws.ReadHeader(r)
		if err != nil {
			return ends, true
		}
		if n, err := io.CopyN(io.Discard, r, h.Length); err != nil || n != h.Length {
			return ends, true
		}
		ends = append(ends, len(p)-r.Len())
	}
	return ends, false
}
