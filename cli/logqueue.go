package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"syscall"
	"time"
)

// queuedLines is how many lines of a log may wait: all of pitstop's own of a few reloads, under a megabyte.
const queuedLines = 4096

// batchSize is from how many bytes on lines are written.
const batchSize = 32 << 10

// logQueue takes the lines of a log and never blocks: the supervisor's loop writes there too, and would stand
// still with a reader of stderr that does. What it has no room for is dropped, counted, and told where it is missing.
type logQueue struct {
	out  io.Writer
	tell func(dropped int) // writes to out
	done chan struct{}     // closed when the writer has ended

	mu      sync.Mutex
	work    sync.Cond // something waits, or closing has begun
	lines   [][]byte
	dropped int // after the last of lines
	closing bool
}

func newLogQueue(out io.Writer, tell func(dropped int)) *logQueue {
	q := &logQueue{out: out, tell: tell, done: make(chan struct{})}
	q.work.L = &q.mu
	go q.run()
	return q
}

// Write takes one line. It never fails.
func (q *logQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) < queuedLines {
		q.lines = append(q.lines, slices.Clone(line))
	} else { // so it stays until the writer has taken all, and nothing passes the line that tells of the gap
		q.dropped++
	}
	q.work.Signal()
	return len(line), nil
}

// run is the writer, the only one that waits for out. What that refuses is lost: there is nobody to tell.
func (q *logQueue) run() {
	defer close(q.done)
	for {
		lines, dropped := q.take()
		if len(lines) == 0 {
			return
		}
		q.write(lines)
		if dropped > 0 {
			q.tell(dropped)
		}
	}
}

// write writes the lines, many at once: lines may come faster than a system call for each.
func (q *logQueue) write(lines [][]byte) {
	var batch []byte
	for i, line := range lines {
		batch = append(batch, line...)
		if len(batch) >= batchSize || i == len(lines)-1 {
			q.writeWhole(batch)
			batch = batch[:0]
		}
	}
}

// writeWhole writes what may wait: an app that was given the same pipe may make it one that does not block for a while
// (Node does as it starts), and then a full one refuses instead.
func (q *logQueue) writeWhole(p []byte) {
	for {
		n, err := q.out.Write(p)
		p = p[min(n, len(p)):]
		if !errors.Is(err, syscall.EAGAIN) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// take waits for lines and takes them all; nothing when it is time to end.
func (q *logQueue) take() (lines [][]byte, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.lines) == 0 && !q.closing {
		q.work.Wait()
	}
	lines, dropped = q.lines, q.dropped
	q.lines, q.dropped = nil, 0
	return lines, dropped
}

// close lets the writer write what waits, until ctx ends. What is written later may be lost.
func (q *logQueue) close(ctx context.Context) {
	q.mu.Lock()
	q.closing = true
	q.work.Signal()
	q.mu.Unlock()
	select {
	case <-q.done:
	case <-ctx.Done():
	}
}
