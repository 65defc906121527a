package cli

import (
	"context"
	"net"
	"strconv"
	"sync"

	"github.com/hashicorp/go-hclog"

	"pitstop/child"
)

// loopback is the app's port on the loopback addresses while the app listens on a private socket: sidecars and the app's
// own scripts find it where they always did, and go through the gate like everybody.
type loopback struct {
	port   string
	shared bool // pitstop listens there anyway
	keep   bool // no app will ever want it: it is reached by its socket only
	engine engine
	log    hclog.Logger

	mu        sync.Mutex
	listeners []net.Listener
}

func newLoopback(s settings, engine engine, log hclog.Logger) *loopback {
	return &loopback{port: strconv.Itoa(s.appPort), shared: s.sharesPort, keep: s.connect == child.ConnectUnix, engine: engine, log: log.Named("proxy")}
}

// Open implements supervisor.Port.
func (l *loopback) Open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shared || l.listeners != nil {
		return
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		ln, err := net.Listen("tcp", net.JoinHostPort(host, l.port))
		if err != nil {
			l.log.Debug("sidecars cannot reach the app at its port", "host", host, "port", l.port, "err", err)
			continue
		}
		l.listeners = append(l.listeners, ln)
		go func() { _ = l.engine.Serve(context.Background(), ln) }()
	}
}

// Close implements supervisor.Port.
func (l *loopback) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keep {
		return
	}
	for _, ln := range l.listeners {
		_ = ln.Close()
	}
	l.listeners = nil
}
