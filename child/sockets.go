package child

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"pitstop/child/preload"
)

// sockets is what one generation has announced: where it listens, on what else, and that its event loop turns.
type sockets struct {
	dir  string
	pipe *os.File

	mu          sync.Mutex
	changed     chan struct{}       // closed and replaced at each announcement
	listening   []preload.Listening // in the order of their announcement
	others      map[int]bool        // other TCP ports
	beat        time.Time           // of the last beat of any process
	entries     map[int]string      // real paths of the processes' scripts
	unsupported string              // why it listens on its port all the same
}

// read takes the announcements until close.
func (s *sockets) read() {
	lines := bufio.NewReaderSize(s.pipe, preload.MaxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		if e, err := preload.Parse(line); err == nil { // anything else is the app's own, who may write here too
			s.take(e)
		}
	}
}

// take notes an announcement. The app itself could write anything here, so a socket must lie in the generation's folder.
func (s *sockets) take(e preload.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := e.(type) {
	case preload.Listening:
		if filepath.Dir(e.Socket) != s.dir {
			return
		}
		s.listening = append(s.listening, e)
	case preload.Closed: // a prober of ports announces, closes, and announces again
		s.listening = slices.DeleteFunc(s.listening, func(l preload.Listening) bool { return l == preload.Listening(e) })
	case preload.Other:
		s.others[e.Port] = true
	case preload.OtherClosed:
		delete(s.others, e.Port)
	case preload.Main:
		s.entries[e.PID] = e.Entry
	case preload.Unsupported:
		s.unsupported = e.Reason
	case preload.Beat:
		s.beat = time.Now()
		return // nobody waits for it
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// The methods below may be called on nil, which has announced nothing: an app without the preload.

// announcement is closed at the next announcement; nil is never.
func (s *sockets) announcement() <-chan struct{} {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// socket returns the path that was announced first and is not closed; empty if there is none.
func (s *sockets) socket() string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listening) == 0 {
		return ""
	}
	return s.listening[0].Socket
}

// reason says why the app listens on its port all the same, as the end of a sentence; empty if it is not known.
func (s *sockets) reason() string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsupported == "" {
		return ""
	}
	return " (" + s.unsupported + ")"
}

// entryScript is what the process runs that listens.
func (s *sockets) entryScript() string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listening) == 0 {
		return ""
	}
	return s.entries[s.listening[0].PID]
}

// otherPorts are the TCP ports beside the app's own, in order.
func (s *sockets) otherPorts() []int {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var ports []int
	for port := range s.others {
		ports = append(ports, port)
	}
	slices.Sort(ports)
	return ports
}

// lastBeat is when an event loop last turned, as far as told; zero if never.
func (s *sockets) lastBeat() time.Time {
	if s == nil {
		return time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beat
}

// close removes the generation's folder, once its processes have gone.
func (s *sockets) close() {
	if s == nil {
		return
	}
	_ = s.pipe.Close()
	_ = os.RemoveAll(s.dir)
}
