package child

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	// readyPoll is how often the app's port is tried. A refused connect on loopback costs some microseconds.
	readyPoll = 5 * time.Millisecond
	// probeTimeout bounds one request to the ready path.
	probeTimeout = 5 * time.Second
)

// Ready waits until the app accepts connections, and answers on its ready path if it has one. It returns
// the address to reach it at, an *ExitedError when the process ended instead, or the context's cause.
func (c *Child) Ready(ctx context.Context) (addr string, err error) {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	var reason error
	for {
		if addr, reason = c.probe(ctx); reason == nil && !c.hasExited() {
			return addr, nil
		}
		select {
		case <-c.exited:
			return "", &ExitedError{Exit: c.exit}
		case <-ctx.Done():
			return "", fmt.Errorf("%w: %w", context.Cause(ctx), reason)
		case <-tick.C:
		}
	}
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
	conn, err := dialApp(c.spec.Port)
	if err != nil {
		return "", fmt.Errorf("nothing listens on port %d", c.spec.Port)
	}
	addr = conn.RemoteAddr().String()
	_ = conn.Close()
	if c.spec.ReadyPath == "" {
		return addr, nil
	}
	return addr, probePath(ctx, addr, c.spec.ReadyPath)
}

func probePath(ctx context.Context, addr, path string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "pitstop-ready")
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", path, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 399 {
		return fmt.Errorf("%s answers %d", path, resp.StatusCode)
	}
	return nil
}

// CheckPort returns a *PortTakenError if somebody listens on the port already.
func CheckPort(port int) error {
	conn, err := dialApp(port)
	if err != nil {
		return nil
	}
	_ = conn.Close()
	return &PortTakenError{Port: port}
}

// dialApp connects to the app's port on the loopback addresses: Node's "localhost" may be either.
func dialApp(port int) (net.Conn, error) {
	var err error
	for _, host := range []string{"127.0.0.1", "::1"} {
		var conn net.Conn
		conn, err = net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(port)), time.Second)
		if err != nil {
			continue
		}
		// A connect to a free port of the ephemeral range can meet itself (RFC 9293, 3.5, simultaneous open).
		if conn.LocalAddr().String() == conn.RemoteAddr().String() {
			_ = conn.Close()
			err = fmt.Errorf("connected to itself")
			continue
		}
		return conn, nil
	}
	return nil, err
}
