package proxy

import (
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// AccessLog is an Observer that writes one JSON object a line. Each line is one Write, and they may come from many
// goroutines at once, as *os.File takes them: in a file opened with O_APPEND lines stay whole, also while others write to it.
type AccessLog struct {
	out   io.Writer
	lines sync.Pool
}

// NewAccessLog returns one that writes to out. Lines that cannot be written are lost.
func NewAccessLog(out io.Writer) *AccessLog { return &AccessLog{out: out} }

// keptLine is the largest buffer that is used again.
const keptLine = 16 << 10

// Done implements Observer.
func (l *AccessLog) Done(x *Exchange) {
	buf, _ := l.lines.Get().(*[]byte)
	if buf == nil {
		line := make([]byte, 0, 512)
		buf = &line
	}
	*buf = appendLine((*buf)[:0], x)
	_, _ = l.out.Write(*buf)
	if cap(*buf) <= keptLine {
		l.lines.Put(buf)
	}
}

func appendLine(b []byte, x *Exchange) []byte {
	b = append(b, `{"time":"`...)
	b = x.Start.AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	b = append(b, '"')
	b = appendText(b, "client", x.Client)
	b = appendText(b, "method", x.Method)
	b = appendText(b, "target", x.Target)
	b = appendText(b, "host", x.Host)
	b = appendText(b, "proto", x.Proto)
	b = appendNumber(b, "status", int64(x.Status))
	b = appendText(b, "kind", x.Kind.String())
	b = appendMillis(b, "took_ms", x.Took)
	b = appendMillis(b, "held_ms", x.Held)
	b = appendNumber(b, "received", x.Received)
	b = appendNumber(b, "sent", x.Sent)
	b = appendText(b, "request_id", x.RequestID)
	b = appendText(b, "backend", x.Backend)
	b = strconv.AppendBool(appendName(b, "replayed"), x.Replayed)
	if x.Err != nil {
		b = appendText(b, "error", x.Err.Error())
	}
	return append(b, '}', '\n')
}

func appendName(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendNumber(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(appendName(b, name), n, 10)
}

func appendMillis(b []byte, name string, d time.Duration) []byte {
	return strconv.AppendFloat(appendName(b, name), float64(d.Microseconds())/1000, 'f', -1, 64)
}

const hexDigits = "0123456789abcdef"

// appendText writes a string of JSON (RFC 8259, 7). Bytes that are no UTF-8, which JSON cannot hold, become the text \xNN.
func appendText[T []byte | string](b []byte, name string, text T) []byte {
	b = append(appendName(b, name), '"')
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			var next [utf8.UTFMax]byte
			size := copy(next[:], text[i:])
			if r, n := utf8.DecodeRune(next[:size]); r != utf8.RuneError || n > 1 {
				b = append(b, next[:n]...)
				i += n
				continue
			}
			b = append(b, '\\', '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
	}
	return append(b, '"')
}
