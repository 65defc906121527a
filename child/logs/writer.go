package logs

import (
	"bytes"
	"strconv"
	"time"
)

// atomicWrite is PIPE_BUF: as much as a pipe takes without mixing it with what others write there (pipe(7)). Pitstop's
// own log may go to the same pipe. A Write for each line would cost more than all the rest.
const atomicWrite = 4096

// run is the writer: the only one that touches Out.
func (s *Sink) run() {
	defer close(s.done)
	for b := s.next(nil); b != nil; b = s.next(b) {
		for rest := b.lines; len(rest) > 0; {
			n := wholeLines(rest)
			s.write(rest[:n])
			rest = rest[n:]
			s.written.Add(int64(n))
			s.writes.Add(1)
			if s.given.Load() {
				return
			}
		}
	}
}

// next gives the written block back and waits for another; nil when it is time to end.
func (s *Sink) next(old *block) *block {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = nil
	s.written.Store(0)
	if old != nil {
		s.queue.release(old)
		s.tellLocked()
	}
	if !s.queue.crowded() {
		select {
		case s.room <- struct{}{}:
		default: // nobody has taken the last one
		}
	}
	for {
		if b := s.queue.take(); b != nil {
			s.writing = b.lines
			return b
		}
		if s.closing {
			return nil
		}
		s.work.Wait()
	}
}

// wholeLines is the length of the lines at the head that fit into one atomic write, or of the first.
func wholeLines(lines []byte) int {
	if len(lines) <= atomicWrite {
		return len(lines)
	}
	if i := bytes.LastIndexByte(lines[:atomicWrite], '\n'); i >= 0 {
		return i + 1
	}
	return bytes.IndexByte(lines, '\n') + 1
}

// write hands lines to Out. What it has refused before is told first; while that is refused too, nothing else is tried.
func (s *Sink) write(lines []byte) {
	if s.refused > 0 {
		if _, err := s.send(refusal(s.torn, s.refused, s.err)); err != nil {
			s.refuse(countLines(lines), err)
			return
		}
		s.refuse(-s.refused, nil)
	}
	if n, err := s.send(lines); err != nil {
		s.refuse(countLines(lines[n:]), err)
	}
}

func (s *Sink) send(b []byte) (n int, err error) {
	n, err = s.out.Write(b)
	if n > 0 {
		s.torn = b[n-1] != '\n'
	}
	return n, err
}

func (s *Sink) refuse(lines int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused += lines
	s.err = err
}

func refusal(torn bool, lines int, err error) (b []byte) {
	if torn {
		b = append(b, '\n')
	}
	b = append(b, timeField...)
	b = time.Now().UTC().AppendFormat(b, timeFormat)
	b = append(b, `","dropped":`...)
	b = strconv.AppendInt(b, int64(lines), 10)
	b = append(b, `,"error":"`...)
	b, _, _ = appendQuoted(b, []byte(err.Error()), 512)
	return append(b, "\"}\n"...)
}
