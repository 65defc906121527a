package logs

import (
	"strconv"
	"time"
)

const (
	timeField  = `{"time":"`
	timeFormat = "2006-01-02T15:04:05.000000000Z07:00" // RFC 3339 with all nine digits, so that text sorts as time
	timeLen    = len("2006-01-02T15:04:05.000000000Z")
)

// source is one stream of one process, as the output names it.
type source struct {
	tail    []byte // the head of its objects behind the time
	dropped int    // lines since the last that was taken; under the sink's lock
}

func newSource(commit string, pid int, stream string) *source {
	b := []byte(`","commit":"`)
	b, _, _ = appendQuoted(b, []byte(commit), 6*len(commit))
	b = append(b, `","pid":`...)
	b = strconv.AppendInt(b, int64(pid), 10)
	b = append(b, `,"stream":"`...)
	b = append(b, stream...)
	return &source{tail: append(b, `",`...)}
}

// head is the beginning of each of its objects, up to the comma behind the stream.
func (s *source) head(now time.Time) []byte {
	b := now.UTC().AppendFormat([]byte(timeField), timeFormat)
	return append(b, s.tail...)
}

func (s *source) notice(now time.Time) []byte {
	b := append(s.head(now), `"dropped":`...)
	b = strconv.AppendInt(b, int64(s.dropped), 10)
	return append(b, "}\n"...)
}
