package lean

import (
	"errors"

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
	c.e.std.ServeConn(c.nc, first)
}
