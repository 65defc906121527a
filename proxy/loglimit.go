package proxy

import (
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
)

// perSecond is how many lines on malformed requests are logged in a second: whoever sends them must not fill the disk.
const perSecond = 10

// logLimit counts them.
type logLimit struct{ lines, more atomic.Int64 }

func (l *logLimit) allow() bool {
	if l.lines.Add(1) <= perSecond {
		return true
	}
	l.more.Add(1)
	return false
}

// second begins the next second.
func (l *logLimit) second(log hclog.Logger) {
	l.lines.Store(0)
	if n := l.more.Swap(0); n > 0 {
		log.Warn("more requests were refused", "n", n)
	}
}
