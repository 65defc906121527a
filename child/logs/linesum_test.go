package logs

import (
	"bytes"
	"fmt"
)

var digits = bytes.Repeat([]byte("0123456789abcdef"), 2<<10)

// lineSum adds up the parts of the long line without keeping them.
type lineSum struct {
	text, last, longest int
	wrong               string
}

func (s *lineSum) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		s.longest = max(s.longest, len(line))
		_, rest, _ := bytes.Cut(line, []byte(`"line":"`))
		text, mark, found := bytes.Cut(rest, []byte(`"`))
		if !found || len(text) == 0 || !bytes.HasPrefix(digits[s.text%16:], text) {
			s.wrong = fmt.Sprintf("at %d: %q", s.text, line)
		}
		s.text += len(text)
		s.last += bytes.Count(mark, []byte(`"last":true`))
	}
	return len(b), nil
}
