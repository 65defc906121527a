package child

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// readyPoll is how often the app's port is tried. A refused connect on loopback costs some microseconds.
	readyPoll = 5 * time.Millisecond
	slowPoll  = 100 * time.Millisecond
	// confirmation is how long a socket must stay announced before it counts: a prober of ports closes it again at once.
	confirmation = 5 * time.Millisecond
)

// Ready waits until the app accepts connections, and answers on its ready path if it has one. It returns the address to
// reach it at, "host:port" or "unix:/path", an *ExitedError when the process ended instead, or the context's cause.
func (c *Child) Ready(ctx context.Context) (addr string, err error) {
	reason := errors.New("it was not looked at")
	for began := time.Now(); ; {
		changed := c.sockets.announcement()
		addr, err := c.probe(ctx)
		if err == nil && !c.hasExited() {
			c.addr = addr
			c.apps() // notes their groups: when what stands between has died alone, they cannot be found any more
			return addr, nil
		}
		if ctx.Err() == nil { // a probe that was cut off tells nothing
			reason = err
		}
		select {
		case <-c.exited:
			return "", &ExitedError{Exit: c.exit}
		case <-ctx.Done():
			return "", fmt.Errorf("%w: %w", context.Cause(ctx), reason)
		case <-changed:
		case <-time.After(c.pollAfter(time.Since(began))):
		}
	}
}

// pollAfter is the wait for the next probe: an app that needs long is not flooded with requests for its ready path.
func (c *Child) pollAfter(waited time.Duration) time.Duration {
	if c.spec.ReadyPath != "" && waited > time.Second {
		return slowPoll
	}
	return readyPoll
}

func (c *Child) hasExited() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// probe tries once. Its error says what is still missing.
func (c *Child) probe(ctx context.Context) (addr string, err error) {
	addr, err = c.probeSocket(ctx)
	if err != nil && c.spec.reachableByTCP() {
		addr, err = c.probePort(ctx)
	}
	if ports := c.sockets.otherPorts(); err != nil && len(ports) > 0 {
		err = fmt.Errorf("%w; it listens on port %s: tell pitstop with --app-port, or let the app read the variable PORT", err, list(ports))
	}
	if err != nil || c.spec.ReadyPath == "" {
		return addr, err
	}
	return addr, c.spec.probePath(ctx, addr)
}

// list writes ports as "3000, 9090".
func list(ports []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ports), " ", ", "), "[]")
}

// probePort looks whether somebody listens on the app's port.
func (c *Child) probePort(ctx context.Context) (addr string, err error) {
	conn, err := dialApp(ctx, c.spec.Port)
	if err != nil {
		return "", fmt.Errorf("the app does not listen on port %d", c.spec.Port)
	}
	_ = conn.Close()
	return conn.RemoteAddr().String(), nil
}

// probeSocket looks whether a private socket is announced, accepts, and stays.
func (c *Child) probeSocket(ctx context.Context) (addr string, err error) {
	path := c.sockets.socket()
	if path == "" {
		return "", fmt.Errorf("the app does not listen on port %d", c.spec.Port)
	}
	conn, err := dial(ctx, unixPrefix+path)
	if err != nil {
		return "", fmt.Errorf("the app's socket does not accept: %w", err)
	}
	_ = conn.Close()
	select {
	case <-time.After(confirmation):
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if c.sockets.socket() != path {
		return "", errors.New("the app has closed its socket again")
	}
	return unixPrefix + path, nil
}

// Private says that the app listens on a socket of its own, so that its port is free. It may be asked once it is ready.
func (c *Child) Private() bool { return strings.HasPrefix(c.addr, unixPrefix) }

// Overlaps says why a second process of the app cannot run beside this one, nil if one can. It may be asked once it is
// ready.
func (c *Child) Overlaps() error {
	if !c.Private() {
		return fmt.Errorf("the app is reached over TCP, and only one process can listen on its port %d%s", c.spec.Port, c.sockets.reason())
	}
	if ports := c.sockets.otherPorts(); len(ports) > 0 {
		return fmt.Errorf("the app also listens on port %s, which a second process could not", list(ports))
	}
	return nil
}

// Entry is the real path of the script that runs, as its process says; empty if it does not.
func (c *Child) Entry() string { return c.sockets.entryScript() }
