package logs

import (
	"io"
	"testing"
	"testing/synctest"
	"time"
)

func TestPacer_GivesWayToAnOutputThatMovesAndNotToAStuckOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(t, SinkConfig{Out: io.Discard})
		defer closeSink(t, s)
		<-s.room // of the writer's start
		p := newPacer()
		gave := func(times int, between func()) time.Duration {
			start := time.Now()
			for range times {
				between()
				p.giveWay(s)
			}
			return time.Since(start)
		}
		if got := gave(1000, func() { s.writes.Add(1) }); got != 1000*turn {
			t.Errorf("gave way %v to an output that moves", got)
		}
		if got := gave(1000, func() {}); got < stuckAfter || got > stuckAfter+2*turn {
			t.Errorf("gave way %v to one that is stuck", got)
		}
		if got := gave(3, func() { s.writes.Add(1); s.room <- struct{}{} }); got != 0 {
			t.Errorf("waited %v with room in the queue", got)
		}
	})
}
