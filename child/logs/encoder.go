package logs

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	// marks is what stands around a line at most, with the largest numbers.
	marks = len(`"line":"","part":9223372036854775807,"last":true,"unterminated":true,"invalid_bytes":1048576}` + "\n")
	// minRoom is for at least one character in its longest form, and for commits that are not the only thing to be read.
	minRoom = 256
	// flushAt is how many encoded bytes are gathered before they are handed on.
	flushAt = 64 << 10
)

// ending says what comes behind a text.
type ending int

const (
	goesOn       ending = iota // more of the same line
	terminated                 // its newline
	unterminated               // nothing: the stream has ended
)

// encoder makes objects of lines. One goroutine uses it.
type encoder struct {
	head []byte // up to the comma behind the stream
	room int    // bytes for a line's text, quoted
	part int    // parts of the line under way that are out
	out  []byte
	put  func(lines []byte)
}

func newEncoder(src *source, maxLine int, put func(lines []byte)) *encoder {
	head := src.head(time.Time{})
	return &encoder{head: head, room: maxLine - len(head) - marks, put: put}
}

// checkRoom fails when the bound leaves too little room beside the commit, whatever the process's number.
func checkRoom(commit string, maxLine int) error {
	e := newEncoder(newSource(commit, math.MaxInt32, "stdout"), maxLine, nil)
	if e.room < minRoom {
		return fmt.Errorf("output lines of %d bytes have no room beside a commit of %d bytes", maxLine, len(commit))
	}
	return nil
}

// at sets the time of what follows.
func (e *encoder) at(now time.Time) {
	now.UTC().AppendFormat(e.head[:len(timeField)], timeFormat)
}

// line encodes the rest of a line, in parts where it does not fit.
func (e *encoder) line(text []byte, end ending) {
	if e.embeds(text) {
		e.embed(text, end)
		return
	}
	for {
		took := e.object(text, end)
		if took == len(text) {
			return
		}
		text = text[took:]
	}
}

// object encodes as much of the text as fits, and says how much that was. A text that goes on must be longer than room by
// utf8.UTFMax: then no character is cut, and no empty part can follow.
func (e *encoder) object(text []byte, end ending) (took int) {
	e.out = append(e.out, e.head...)
	e.out = append(e.out, `"line":"`...)
	var invalid int
	e.out, took, invalid = appendQuoted(e.out, text, e.room)
	e.out = append(e.out, '"')
	last := took == len(text) && end != goesOn
	if !last || e.part > 0 {
		e.part++
		e.number(`,"part":`, e.part)
	}
	if last && e.part > 0 {
		e.out = append(e.out, `,"last":true`...)
		e.part = 0
	}
	if last && end == unterminated {
		e.out = append(e.out, `,"unterminated":true`...)
	}
	if invalid > 0 {
		e.number(`,"invalid_bytes":`, invalid)
	}
	e.close()
	return took
}

// embeds says whether the text is a whole line, a JSON object and nothing else, and fits.
func (e *encoder) embeds(text []byte) bool {
	n := len(text)
	return e.part == 0 && n > 1 && n <= e.room && text[0] == '{' && text[n-1] == '}' && utf8.Valid(text) && json.Valid(text)
}

func (e *encoder) embed(text []byte, end ending) {
	e.out = append(e.out, e.head...)
	e.out = append(e.out, `"json":`...)
	e.out = append(e.out, text...)
	if end == unterminated {
		e.out = append(e.out, `,"unterminated":true`...)
	}
	e.close()
}

func (e *encoder) number(name string, n int) {
	e.out = strconv.AppendInt(append(e.out, name...), int64(n), 10)
}

func (e *encoder) close() {
	if e.out = append(e.out, "}\n"...); len(e.out) >= flushAt {
		e.flush()
	}
}

func (e *encoder) flush() {
	if len(e.out) > 0 {
		e.put(e.out)
		e.out = e.out[:0]
	}
}
