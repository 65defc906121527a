package lean

import (
	"time"
)

const (
	// lingerTime and lingerBytes bound how long a connection that is about to be closed is read from.
	lingerTime  = time.Second
	lingerBytes = 256 << 10
)

// linger says that no more will come, and throws away what the client still sends for a moment: closing a socket with
// unread bytes in it resets the connection, and the answer would be lost with it (RFC 9112, 9.6).
func (c *conn) linger() {
	closeWrite(c.nc)
	_ = c.nc.SetReadDeadline(time.Now().Add(lingerTime))
	buf := c.e.in.get()
	defer c.e.in.put(buf)
	for total := 0; total < lingerBytes; {
		n, err := c.wire.Read((*buf)[:cap(*buf)])
		if total += n; err != nil {
			return
		}
	}
}
