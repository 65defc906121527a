package lean

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
	"pitstop/proxy/http1"
)

// serviceRestart is the status of a WebSocket close that asks the client to come back (RFC 6455, 7.4.2, registered by
// IANA).
const serviceRestart = 1012

// tunnel passes bytes both ways after the child has switched protocols (RFC 9110, 7.8), until both sides have ended.
func (x *exchange) tunnel() error {
	head := x.appendResponseFields(x.appendStatus(x.out[:0]), 0)
	x.out = append(head, "Connection: Upgrade\r\n\r\n"...)
	x.becomeEndless(drain.Tunnel)
	defer x.endless.over()
	t := &tunnelled{x: x, webSocket: http1.EqualFold(x.resp.Find(x.back, http1.Upgrade), "websocket")}
	x.responded, x.again = true, false
	x.c.responding()
	early := append([]byte(nil), x.back[x.resp.Size:]...)
	sent := append([]byte(nil), x.in[x.plan.end:]...) // the client need not have waited
	if err := x.writeClient(x.out, nil); err != nil {
		return err
	}
	x.lendBack() // an idle tunnel holds no buffer
	if err := t.down(early); err != nil {
		return err
	}
	upEnded := make(chan struct{})
	go func() {
		defer close(upEnded)
		defer x.c.guard()
		t.up(sent)
	}()
	err := t.copyDown()
	<-upEnded
	x.leave(false)
	return err
}

// tunnelled is a tunnel under way.
type tunnelled struct {
	x         *exchange
	webSocket bool
	frames    http1.Frames // of what the client gets
}

// up passes on what the client sends, until it sends no more.
func (t *tunnelled) up(first []byte) {
	x := t.x
	if _, err := x.up.Write(first); err != nil {
		_ = x.up.Close()
		return
	}
	var r lazyReader
	if r.init(x.c.nc.(syscall.Conn), &x.e.in) != nil {
		_ = x.up.Close()
		return
	}
	for {
		buf, err := r.read()
		if errors.Is(err, os.ErrDeadlineExceeded) && !x.c.reading.rang() {
			_ = x.c.nc.SetReadDeadline(time.Time{})
			continue
		}
		n := 0
		if err == nil {
			n = len(*buf)
			x.seen.Received += int64(n)
			if n > 0 {
				_, err = x.up.Write(*buf)
			}
			x.e.in.put(buf)
		}
		if err != nil {
			_ = x.up.Close()
			return
		}
		if n == 0 {
			closeWrite(x.up.Conn)
			return
		}
	}
}

// copyDown passes on what the child sends, until it sends no more, or the tunnel must end.
func (t *tunnelled) copyDown() error {
	x := t.x
	var r lazyReader
	if err := r.init(x.up.Conn.(syscall.Conn), &x.e.back); err != nil {
		return t.hangUp(err)
	}
	for {
		if x.endless.isEnding() && t.mayEnd() {
			return t.sayGoodbye()
		}
		buf, err := r.read()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && x.endless.isEnding():
			x.endless.last(x.up)
			continue
		case errors.Is(err, os.ErrDeadlineExceeded):
			_ = x.up.SetReadDeadline(time.Time{})
			continue
		case err != nil:
			return t.hangUp(err)
		case len(*buf) == 0:
			x.e.back.put(buf)
			x.c.sayNoMore()
			x.c.reading.set(&x.e.clock, x.e.cfg.Limits.BodyTime) // what the client still has to say
			return nil
		}
		err = t.down(*buf)
		x.e.back.put(buf)
		if err != nil {
			return t.hangUp(err)
		}
	}
}

// mayEnd says whether a close frame could stand here. What is no WebSocket can be cut anywhere.
func (t *tunnelled) mayEnd() bool { return !t.webSocket || t.frames.Between() }

// down writes to the client, when the tunnel is ending only up to the end of a frame.
func (t *tunnelled) down(p []byte) error {
	if t.webSocket && t.x.endless.isEnding() {
		p = p[:t.frames.Next(p)]
	} else if t.webSocket {
		t.frames.Advance(p)
	}
	t.x.seen.Sent += int64(len(p))
	return t.x.writeClient(nil, p)
}

// sayGoodbye closes a WebSocket as RFC 6455, 7.1.2, wants it: our close frame, then the client's, which goes to the child
// like all that the client sends, and closes it there. Then the connection.
func (t *tunnelled) sayGoodbye() error {
	x := t.x
	if t.webSocket {
		if err := x.writeClient(nil, http1.AppendClose(nil, serviceRestart, "service restart")); err != nil {
			return t.hangUp(err)
		}
	}
	deadline := time.Now().Add(goodbye)
	_ = x.up.SetReadDeadline(deadline)
	if t.webSocket {
		_, _ = io.Copy(io.Discard, x.up.Conn) // until the child has closed in turn
	}
	return t.hangUp(nil)
}

// hangUp closes both sides, so that the other direction ends too.
func (t *tunnelled) hangUp(err error) error {
	_ = t.x.up.Close()
	_ = t.x.c.nc.Close()
	if err != nil {
		return fmt.Errorf("%w: %w", proxy.ErrClientGone, err)
	}
	return nil
}

// closeWrite says that no more will come.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
