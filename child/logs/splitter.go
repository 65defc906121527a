package logs

import (
	"bytes"
	"unicode/utf8"
)

const readSize = 64 << 10

// splitter finds the lines in what is read, with a buffer that does not grow. One goroutine uses it.
type splitter struct {
	enc        *encoder
	buf        []byte
	start, end int // what is read and not yet encoded; less than half of the buffer between two calls
}

func newSplitter(enc *encoder) *splitter {
	return &splitter{enc: enc, buf: make([]byte, max(readSize, 2*(enc.room+utf8.UTFMax)))}
}

// space is where to read to; never empty.
func (s *splitter) space() []byte {
	if s.start == s.end {
		s.start, s.end = 0, 0
	}
	if s.end > len(s.buf)/2 {
		s.start, s.end = 0, copy(s.buf, s.buf[s.start:s.end])
	}
	return s.buf[s.end:]
}

// took encodes what can be of the n bytes that were read into space.
func (s *splitter) took(n int) {
	s.end += n
	for {
		text := s.buf[s.start:s.end]
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			s.enc.line(text[:i], terminated)
			s.start += i + 1
		} else if len(text) >= s.enc.room+utf8.UTFMax {
			s.start += s.enc.object(text, goesOn)
		} else {
			return
		}
	}
}

// finish encodes the last words.
func (s *splitter) finish() {
	if s.start < s.end {
		s.enc.line(s.buf[s.start:s.end], unterminated)
	}
	s.start, s.end = 0, 0
}
