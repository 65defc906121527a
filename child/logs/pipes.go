package logs

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// DefaultDrainTimeout is how long the output is read behind the end of its process.
const DefaultDrainTimeout = time.Second

// ErrHeld says that another process still held the pipes when the drain's bound had passed.
var ErrHeld = errors.New("a process that the child left behind still holds its output")

// Config says whose output it is and where it goes.
type Config struct {
	// Stdout and Stderr are where the streams go: one sink for both, or one each.
	Stdout, Stderr *Sink
	// Commit is the release's name.
	Commit string
	// DrainTimeout bounds the reading behind the end of the process, when others hold its pipes; 0: DefaultDrainTimeout.
	DrainTimeout time.Duration
}

// Pipes are the output of one process. New, then Started or (when the start has failed) Close; Close behind the process's end.
type Pipes struct {
	commit  string
	drain   time.Duration
	streams [2]*stream

	mu      sync.Mutex
	started bool
	closed  bool
	err     error // of the first Close
}

// New makes the pipes. It fails when the process may have no more files, or the sink's MaxLine is too small for the commit.
func New(c Config) (*Pipes, error) {
	if c.DrainTimeout == 0 {
		c.DrainTimeout = DefaultDrainTimeout
	}
	for _, sink := range []*Sink{c.Stdout, c.Stderr} {
		if err := checkRoom(c.Commit, sink.maxLine); err != nil {
			return nil, err
		}
	}
	stdout, err := newStream("stdout", c.Stdout)
	if err != nil {
		return nil, err
	}
	stderr, err := newStream("stderr", c.Stderr)
	if err != nil {
		stdout.close()
		return nil, err
	}
	return &Pipes{commit: c.Commit, drain: c.DrainTimeout, streams: [2]*stream{stdout, stderr}}, nil
}

// Stdout is the end to hand to os/exec as the process's standard output. Started closes it.
func (p *Pipes) Stdout() *os.File { return p.streams[0].w }

// Stderr is the end for the standard error.
func (p *Pipes) Stderr() *os.File { return p.streams[1].w }

// Started says that the process runs. It closes our copies of its ends, without which there is no end to read, and reads
// from then on.
func (p *Pipes) Started(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started || p.closed {
		return
	}
	p.started = true
	for _, s := range p.streams {
		_ = s.w.Close()
		s.start(newSource(p.commit, pid, s.name))
	}
}

// Close reads what the process has left in its pipes and closes them. It returns ErrHeld when others held them until the
// bound had passed or ctx ended; what was in the pipes has then been read as well, and these others get EPIPE from now on.
// It does not wait for the sink to write, and returns the same however often it is called.
func (p *Pipes) Close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return p.err
	}
	p.closed = true
	if p.started {
		p.err = p.awaitEnd(ctx)
	}
	for _, s := range p.streams {
		s.close()
	}
	return p.err
}

func (p *Pipes) awaitEnd(ctx context.Context) error {
	p.setDeadline(time.Now().Add(p.drain))
	defer context.AfterFunc(ctx, func() { p.setDeadline(time.Now()) })()
	held := false
	for _, s := range p.streams {
		<-s.done
		held = held || s.held
	}
	if held {
		return ErrHeld
	}
	return nil
}

func (p *Pipes) setDeadline(t time.Time) {
	for _, s := range p.streams {
		_ = s.r.SetReadDeadline(t) // fails only when it has been closed: then nobody reads
	}
}
