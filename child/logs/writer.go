package logs

import (
	"bytes"
	"io"
	"strconv"
	"time"
)

// atomicWrite is PIPE_BUF: as much as a pipe takes without mixing it with what others write there (pipe(7)). Pitstop's
// own log may go to the same pipe. A Write for each line would cost more than all the rest.
const atomicWrite = 4096

// run is the writer: the only one that touches Out.
func (s *Sink) run() {
	defer close(s.done)
	for block := s.take(); block != nil; block = s.take() {
		for rest := block; len(rest) > 0; {
			n := wholeLines(rest)
			s.write(rest[:n])
			rest = rest[n:]
			if !s.wrote(rest) {
				return
			}
		}
		s.release(block)
	}
}

// take waits for lines; nil when it is time to end.
func (s *Sink) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if block := s.queue.take(); block != nil {
			s.writing = block
			return block
		}
		if s.closing {
			return nil
		}
		s.work.Wait()
	}
}

// wrote notes what is left of the block, and says whether to go on.
func (s *Sink) wrote(rest []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = rest
	return !s.given
}

func (s *Sink) release(block []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.release(block)
	s.tellLocked()
}

// wholeLines is the length of the lines at the head of the block that fit into one atomic write, or of the first.
func wholeLines(block []byte) int {
	if len(block) <= atomicWrite {
		return len(block)
	}
	if i := bytes.LastIndexByte(block[:atomicWrite], '\n'); i >= 0 {
		return i + 1
	}
	return bytes.IndexByte(block, '\n') + 1
}

// write hands lines to Out. What it has refused before is told first; while that is refused too, nothing else is tried.
func (s *Sink) write(lines []byte) {
	s.mu.Lock()
	refused, err := s.refused, s.err
	s.mu.Unlock()
	if refused > 0 {
		if _, err := s.send(refusal(s.torn, refused, err)); err != nil {
			s.refuse(countLines(lines), err)
			return
		}
		s.refuse(-refused, nil)
	}
	if n, err := s.send(lines); err != nil {
		s.refuse(countLines(lines[n:]), err)
	}
}

func (s *Sink) send(b []byte) (n int, err error) {
	n, err = s.out.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
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
