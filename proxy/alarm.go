package proxy

import (
	"sync/atomic"
	"time"
)

// tick is how coarse the engine's clock is: bounds of seconds need no better one, and a timer for each phase of each request
// would cost more than the phase.
const tick = 100 * time.Millisecond

// clock counts ticks since its engine began.
type clock struct{ now atomic.Int64 }

// alarm is a bound on one phase of a connection. Its owner sets and stops it; the engine's sweep rings it, which puts a
// deadline in the past on the socket. A deadline may so arrive late, in the next phase: who meets one asks the
// alarm, and takes it back when the alarm has not rung.
type alarm struct {
	at atomic.Int64 // tick; 0: off; rung
}

const rung = -1

func (a *alarm) set(c *clock, d time.Duration) {
	a.at.Store(c.now.Load() + int64(d/tick) + 1)
}

// stop turns the alarm off.
func (a *alarm) stop() { a.at.Store(0) }

// rang says whether time has run out.
func (a *alarm) rang() bool { return a.at.Load() == rung }

// due says, once, that it must ring now.
func (a *alarm) due(now int64) bool {
	at := a.at.Load()
	return at > 0 && at <= now && a.at.CompareAndSwap(at, rung)
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)
