package logs

import (
	"bytes"
	"strings"
	"testing"
)

// What comes out, read by encoding/json and joined, is what went in, with Go's own replacement of what is not UTF-8.
func FuzzSplitter(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "\n\n", "a", "a\n", "a\nb", "a\r\n\tb\x00\x1b[0m\n", `{"a":1}` + "\n", `{"a":1}`, "{\"a\":\"\xff\"}\n",
		"é\xc3\n\xa9", "\U0001F3CE\xf0\x9f\x8f", "\xff\xfe\xfd", "\ufffd\xff", "\xed\xa0\x80\n", "\u2028\u2029\n", `"\` + "\n",
		strings.Repeat("x", 800) + "\n", strings.Repeat("\U0001F3CE", 400), strings.Repeat("\x01\n\"", 500), strings.Repeat("\xc3", 900),
		strings.Repeat("x", 1500) + "\n" + strings.Repeat("y", 1023), `{"x":"` + strings.Repeat("y", 1000) + `"}` + "\n",
	} {
		for _, readMost := range []uint16{1, 7, 64, 4096} {
			f.Add([]byte(seed), readMost)
		}
	}
	f.Fuzz(func(t *testing.T, input []byte, readMost uint16) {
		out := split(input, minMaxLine, int(readMost)+1)
		for line := range bytes.Lines(out) {
			if len(line) > minMaxLine {
				t.Fatalf("a line of %d bytes", len(line))
			}
		}
		got := join(t, decode(t, out), "stdout")
		want := reference(input)
		if len(got) != len(want) {
			t.Fatalf("%d lines, want %d", len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("line %d: %+v, want %+v", i, got[i], want[i])
			}
		}
	})
}

func reference(input []byte) (lines []joined) {
	for line := range bytes.Lines(input) {
		text, terminated := bytes.CutSuffix(line, newline)
		s, invalid := replaced(text)
		lines = append(lines, joined{text: s, unterminated: !terminated, invalid: invalid})
	}
	return lines
}
