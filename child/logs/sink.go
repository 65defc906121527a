package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultBuffer is how many bytes of output may wait.
	DefaultBuffer = 8 << 20
	// DefaultMaxLine is what Docker (daemon/logger/copier.go) and containerd carry as one line, its newline too.
	DefaultMaxLine = 16 << 10

	minMaxLine, maxMaxLine = 1 << 10, 1 << 20
)

// SinkConfig says where lines go.
type SinkConfig struct {
	// Out gets the lines. When it is os.Stdout and its reader goes away, Go ends the program unless SIGPIPE is asked
	// for by signal.Notify (package os/signal); with it the error is counted like any other.
	Out io.Writer
	// Buffer is how many bytes may wait for Out; 0: DefaultBuffer. Room is given in blocks of 64 KiB, two at least.
	Buffer int
	// MaxLine bounds one line of output, its newline too, in bytes from 1 KiB to 1 MiB; 0: DefaultMaxLine.
	MaxLine int
}

// Sink is one output, shared by all the children that live during pitstop's life. Safe for concurrent use.
type Sink struct {
	maxLine int
	done    chan struct{} // closed when the writer has ended

	// the writer's
	out  io.Writer
	torn bool // it took half a line and no more

	// shared with the writer, which takes no lock for each Write: it would wait behind those who fill the queue
	written atomic.Int64  // bytes of the block that it has
	writes  atomic.Int64  // ever
	given   atomic.Bool   // end now
	room    chan struct{} // gets one when the queue is not crowded any more

	mu      sync.Mutex
	work    sync.Cond // there are lines, or closing has begun
	queue   queue
	writing []byte    // the block that the writer has
	lost    []*source // those whose dropped lines have not been told
	refused int       // lines that Out has refused and not been told of; changed by the writer only
	err     error     // the last refusal; as above
	closing bool      // end when all is written
}

// LostError says how many lines never reached the output.
type LostError struct {
	Lines int
	Err   error
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%d lines of the child's output were lost: %v", e.Lines, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }

// NewSink starts the writer, which lives until Close. It fails for a MaxLine out of bounds.
func NewSink(c SinkConfig) (*Sink, error) {
	if c.Buffer == 0 {
		c.Buffer = DefaultBuffer
	}
	if c.MaxLine == 0 {
		c.MaxLine = DefaultMaxLine
	}
	if c.MaxLine < minMaxLine || c.MaxLine > maxMaxLine {
		return nil, fmt.Errorf("a line of at most %d bytes: want %d to %d", c.MaxLine, minMaxLine, maxMaxLine)
	}
	s := &Sink{out: c.Out, maxLine: c.MaxLine, done: make(chan struct{}), room: make(chan struct{}, 1), queue: newQueue(c.Buffer, c.MaxLine)}
	s.work.L = &s.mu
	go s.run()
	return s, nil
}

// Close writes what waits and ends the writer. When ctx ends first it returns a *LostError with the context's cause, and
// the writer ends as soon as Out lets it go; it returns one too when the last lines were refused. All Pipes must be closed
// before: what comes later has nobody to write it.
func (s *Sink) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	s.work.Signal()
	s.mu.Unlock()
	var cause error
	select {
	case <-s.done:
	case <-ctx.Done():
		cause = context.Cause(ctx)
	}
	s.given.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if lines := s.unwrittenLocked(); lines > 0 {
		return &LostError{lines, errors.Join(cause, s.err)}
	}
	return nil
}

func (s *Sink) unwrittenLocked() int {
	lines := s.refused + countLines(s.writing[s.written.Load():]) + s.queue.lines()
	for _, src := range s.lost {
		lines += src.dropped
	}
	return lines
}

// put takes whole lines, never blocks, and says whether the queue is crowded.
func (s *Sink) put(src *source, lines []byte) (crowded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src.dropped == 0 { // after a gap nothing may pass the line that tells of it
		lines = s.queue.add(lines)
		s.work.Signal()
	}
	if len(lines) > 0 {
		s.dropLocked(src, countLines(lines))
	}
	return s.queue.crowded()
}

func (s *Sink) dropLocked(src *source, lines int) {
	if src.dropped == 0 {
		s.lost = append(s.lost, src)
	}
	src.dropped += lines
}

// tellLocked puts the count of each source's dropped lines where they are missing, as far as there is room.
func (s *Sink) tellLocked() {
	for len(s.lost) > 0 {
		src := s.lost[0]
		if rest := s.queue.add(src.notice(time.Now())); len(rest) > 0 {
			return
		}
		src.dropped = 0
		s.lost = s.lost[1:]
	}
}

func countLines(b []byte) int { return bytes.Count(b, newline) }

var newline = []byte{'\n'}
