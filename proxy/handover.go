package proxy

import (
	"bytes"
	"net"
)

// preface is how HTTP/2 begins (RFC 9113, 3.4); no method of HTTP/1.1 does.
const preface = "PRI * HTTP/2.0\r\n"

// isForeign says whether a connection that begins with p is one for the other engine: HTTP/2, or TLS if that is
// welcome. When that cannot be told yet it is, since the other engine speaks HTTP/1.1 too.
func (e *Lean) isForeign(p []byte) bool {
	if p[0] == recordHandshake {
		return e.cfg.TLS != nil
	}
	n := min(len(p), len(preface))
	return string(p[:n]) == preface[:n]
}

// handOver gives a connection whose first bytes are in buf to the other engine.
func (c *conn) handOver(buf *[]byte) {
	first := bytes.Clone(*buf)
	c.e.in.put(buf)
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
