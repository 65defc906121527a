package logs

import (
	"errors"
	"os"
	"time"
)

// stream reads one pipe, from Started until its end.
type stream struct {
	name string
	sink *Sink
	r, w *os.File

	done chan struct{} // closed when the reader has ended
	held bool          // it ended at the deadline, with writers left; read after done
}

func newStream(name string, sink *Sink) (*stream, error) {
	r, w, err := newPipe(name)
	return &stream{name: name, sink: sink, r: r, w: w}, err
}

func (s *stream) start(src *source) {
	pace := newPacer()
	enc := newEncoder(src, s.sink.maxLine, func(lines []byte) {
		if s.sink.put(src, lines) {
			pace.giveWay(s.sink)
		}
	})
	s.done = make(chan struct{})
	go s.run(newSplitter(enc))
}

func (s *stream) run(split *splitter) {
	defer close(s.done)
	if late := s.read(split); late {
		s.held = readLeft(s.r, split)
	}
	split.enc.at(time.Now())
	split.finish()
	split.enc.flush()
}

// read reads until the end, or says that the deadline has come.
func (s *stream) read(split *splitter) (late bool) {
	for {
		n, err := s.r.Read(split.space())
		if n > 0 {
			encode(split, n)
		}
		if err != nil {
			return errors.Is(err, os.ErrDeadlineExceeded)
		}
	}
}

// readLeft reads what was in the pipe when the deadline came, and no more, for whoever holds it may write for ever. It says
// whether somebody does: behind a deadline Read tells nothing any more, not even the end.
func readLeft(r *os.File, split *splitter) (held bool) {
	for left := pipeSize; left > 0; {
		n, err := readNow(r, split.space())
		if err != nil || n == 0 {
			return err != nil
		}
		encode(split, n)
		left -= n
	}
	return true
}

// encode hands on what was read at once: nobody knows when the next read returns.
func encode(split *splitter, n int) {
	split.enc.at(time.Now())
	split.took(n)
	split.enc.flush()
}

// close closes both ends; the second time it does nothing.
func (s *stream) close() {
	_, _ = s.r.Close(), s.w.Close()
}
