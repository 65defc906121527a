package cli

import (
	"context"
	"os"

	"github.com/hashicorp/go-hclog"

	"pitstop/proxy"
)

// accessLog is where --access-log goes. Requests do not wait for it: what a stuck reader or a slow disk has no room for
// is dropped, and pitstop's own log says how much.
type accessLog struct {
	queue *logQueue
	file  *os.File // nil: it is stdout
}

// openAccessLog opens --access-log. It returns nil where there is to be none.
func (f *proxyFlags) openAccessLog(stdout *os.File, log hclog.Logger, m *mistakes) *accessLog {
	l := &accessLog{}
	out := stdout
	switch f.AccessLog {
	case "":
		return nil
	case "-":
	default:
		var err error
		if l.file, err = os.OpenFile(f.AccessLog, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640); err != nil {
			m.setting("%s: %s", both("--access-log"), err)
			return nil
		}
		out = l.file
	}
	l.queue = newLogQueue(out, func(dropped int) { log.Warn("lines of the access log were dropped", "n", dropped) })
	return l
}

// observer learns of every exchange; nil where there is no log.
func (l *accessLog) observer() proxy.Observer {
	if l == nil {
		return nil
	}
	return proxy.NewAccessLog(l.queue)
}

// close writes what waits, until ctx ends.
func (l *accessLog) close(ctx context.Context) {
	if l == nil {
		return
	}
	l.queue.close(ctx)
	if l.file != nil {
		_ = l.file.Close()
	}
}
