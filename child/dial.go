package child

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// unixPrefix marks an address that is the path of a unix socket.
const unixPrefix = "unix:"

// probeTimeout bounds one request to the ready path.
const probeTimeout = 5 * time.Second

// dial connects to an address as Ready returns it.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: time.Second}
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		return dialer.DialContext(ctx, "unix", path)
	}
	return dialer.DialContext(ctx, "tcp", addr)
}

// dialApp connects to the app's port on the loopback addresses: Node's "localhost" may be either.
func dialApp(ctx context.Context, port int) (conn net.Conn, err error) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		if conn, err = dial(ctx, net.JoinHostPort(host, strconv.Itoa(port))); err != nil {
			continue
		}
		// A connect to a free port of the ephemeral range can meet itself (RFC 9293, 3.5, simultaneous open).
		if conn.LocalAddr().String() != conn.RemoteAddr().String() {
			return conn, nil
		}
		_ = conn.Close()
		err = errors.New("connected to itself")
	}
	return nil, err
}

// CheckPort returns a *PortTakenError if somebody listens on the port already.
func CheckPort(port int) error {
	conn, err := dialApp(context.Background(), port)
	if err != nil {
		return nil
	}
	_ = conn.Close()
	return &PortTakenError{Port: port}
}

// probePath asks for the ready path and wants 2xx or 3xx.
func (s Spec) probePath(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+s.ReadyPath, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "pitstop-ready")
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, addr) },
		Protocols:         new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(!s.H2C)
	transport.Protocols.SetUnencryptedHTTP2(s.H2C)
	defer transport.CloseIdleConnections()
	client := http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", s.ReadyPath, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 399 {
		return fmt.Errorf("%s answers %d", s.ReadyPath, resp.StatusCode)
	}
	return nil
}
