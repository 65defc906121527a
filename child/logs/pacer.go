package logs

import "time"

const (
	// turn is how long a reader gives way to the writer, at most, before it reads on: a block's worth of output each
	// time. So the pipes are read at 64 MB/s of output and more, whatever the output does.
	turn = time.Millisecond
	// stuckAfter is how long an output that takes nothing is given way to. A writer that waits for a processor, on a busy
	// machine, is not yet an output that is stuck.
	stuckAfter = 100 * time.Millisecond
)

// pacer lets a reader give way to a writer that has half a buffer to write and is at it. Without it the reader, which is
// always ready, fills the queue while the writer waits for a processor, and lines are lost that had somewhere to go.
type pacer struct {
	timer  *time.Timer
	writes int64     // as last seen
	moved  time.Time // when it was another
}

func newPacer() *pacer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &pacer{timer: t}
}

func (p *pacer) giveWay(s *Sink) {
	now := time.Now()
	if writes := s.writes.Load(); writes != p.writes || p.moved.IsZero() {
		p.writes, p.moved = writes, now
	} else if now.Sub(p.moved) > stuckAfter {
		return
	}
	p.timer.Reset(turn)
	select {
	case <-s.room:
		p.timer.Stop()
	case <-p.timer.C:
	}
}
