package lean

import (
	"errors"
	"net"
	"pitstop/proxy"
)

// preface is how HTTP/2 begins (RFC 9113, 3.4); no method of HTTP/1.1 does.
const preface = "PRI "

var errForeign = errors.New("not HTTP/1")

// isForeign says whether a connection that begins with p is one for the other engine: HTTP/2, or TLS if that is
// welcome. A client that sends less than tells them apart is not.
func (e *Engine) isForeign(p []byte) bool {
	if p[0] == proxy.RecordHandshake {
		return e.cfg.TLS != nil
	}
	return len(p) >= len(preface) && string(p[:len(preface)]) == preface
}

// handOver gives a connection of which these bytes have been read to the other engine.
func (c *conn) handOver(first []byte) {
	c.e.gone.remove(c)
	c.e.forget(c)
	c.e.std.ServeConn(&begunConn{Conn: c.nc, first: first})
}

// begunConn is a connection of which the first bytes have been read: they are read again.
type begunConn struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (c *begunConn) Read(p []byte) (int, error) {
	if len(c.first) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.first)
	c.first = c.first[n:]
	return n, nil
}

// CloseWrite is what the connection can, so that its wrapper can too.
func (c *begunConn) CloseWrite() error {
	closeWrite(c.Conn)
	return nil
}
