package lean

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"pitstop/drain"
)

func TestEventEnd_IsATable(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "\n": false, "\n\n": true, "data: 1\n\n": true, "data: 1\n": false, "data: 1": false, "data: 1\r\r": true, "data: 1\r\n\r\n": true,
		"data: 1\r\n\r": false, "data: 1\n\nd": false, "data: 1\n\nid: 2\n": false, "a\n\n\n": true,
	} {
		for size := 1; size <= max(len(text), 1); size++ { // in pieces
			var e eventEnd
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				e.saw([]byte(rest[:n]))
				rest = rest[n:]
			}
			if e.here() != want {
				t.Errorf("%q in pieces of %d: not %t", text, size, want)
			}
		}
	}
}

const (
	streamChunked = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	streamClosed  = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
)

// listening is a client that listens to a stream or has a tunnel.
func (f *fixture) listening(b *drain.Backend, k drain.Kind, request string) *client {
	f.t.Helper()
	client := f.dial()
	client.say("%s", request)
	f.await(k.String(), func() bool { return b.Visits()[k] == 1 })
	return client
}

func TestEndless_AStreamIsEndedBehindAnEventAsIfItWereComplete(t *testing.T) {
	for name, said := range map[string]string{
		"chunked": streamChunked + "9\r\ndata: 1\n\n\r\n", "closed": streamClosed + "data: 1\n\n",
		"before the first event": streamChunked, "before the first event, closed": streamClosed,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			ended := make(chan struct{}, 1)
			b := f.backend(func(a *app) {
				a.head()
				a.say(said)
				_, _ = io.Copy(io.Discard, a)
				ended <- struct{}{}
			})
			f.gate.Serve(b)
			client := f.listening(b, drain.Stream, get)
			f.gate.Hold()
			b.EndStreams(0)
			_, events, _ := strings.Cut(said, "\r\n\r\n")
			if events != "" {
				events = "data: 1\n\n"
			}
			client.want(200, events)
			f.wait(ended)
			f.want(b, drain.Counts{})
			f.gate.Serve(f.backend(hello)) // and the connection goes on
			client.say(get)
			client.want(200, "hello")
		})
	}
}

func TestEndless_AStreamInTheMiddleOfAnEventIsEndedBehindIt(t *testing.T) {
	f := newFixture(t)
	more := make(chan struct{})
	b := f.backend(func(a *app) {
		a.head()
		a.say(streamChunked + "6\r\ndata: \r\n")
		<-more
		a.say("1\r\n1\r\n")
		a.say("2\r\n\n\n\r\n")
		_, _ = io.Copy(io.Discard, a)
	})
	f.gate.Serve(b)
	client := f.listening(b, drain.Stream, get)
	f.gate.Hold()
	b.EndStreams(0)
	f.awaitEnding(b)
	close(more)
	client.want(200, "data: 1\n\n")
}

// awaitEnding waits until the end of all that is endless has begun.
func (f *fixture) awaitEnding(b *drain.Backend) {
	f.t.Helper()
	p := f.e.poolFor(b)
	f.await("ending", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for l := range p.endless {
			if !l.isEnding() {
				return false
			}
		}
		return len(p.endless) > 0
	})
}

func TestEndless_AStreamThatStaysInTheMiddleOfAnEventIsCutAfterTheGoodbye(t *testing.T) {
	f := newFixture(t)
	b := f.backend(func(a *app) {
		a.head()
		a.say(streamChunked + "6\r\ndata: \r\n")
		_, _ = io.Copy(io.Discard, a)
	})
	f.gate.Serve(b)
	client := f.listening(b, drain.Stream, get)
	f.gate.Hold()
	start := time.Now()
	b.EndStreams(0)
	got, err := io.ReadAll(client.answer().Body)
	if string(got) != "data: " || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", got, err)
	}
	if took := time.Since(start); took < goodbye || took > 2*goodbye {
		t.Errorf("cut after %s", took)
	}
	f.want(b, drain.Counts{})
}

// A stream that begins while its backend is ending may be seen by both who looks for such and who ends all.
func TestEndless_TheEndBeginsOnceOnly(t *testing.T) {
	f := newFixture(t)
	b := f.gate.NewBackend("127.0.0.1:1")
	f.gate.Serve(b)
	f.gate.Hold()
	b.EndStreams(time.Hour)
	p := &upstreams{backend: b, clock: &f.e.clock, endless: make(map[*endless]struct{})}
	l := &endless{pool: p}
	p.add(l)
	timer := l.timer
	p.endAll()
	if timer == nil || l.timer != timer {
		t.Error("a second timer runs")
	}
	l.over()
	if timer.Stop() {
		t.Error("a timer is left")
	}
}

func TestEndless_ManyEndSpreadOverTime(t *testing.T) {
	f := newFixture(t)
	b := f.gate.NewBackend("127.0.0.1:1")
	f.gate.Serve(b)
	f.gate.Hold()
	b.EndStreams(time.Hour)
	p := &upstreams{backend: b}
	early, late := 0, 0
	for range 1000 {
		switch soon := p.soon(); {
		case soon < 0 || soon > time.Hour:
			t.Fatal(soon)
		case soon < 30*time.Minute:
			early++
		default:
			late++
		}
	}
	if early < 300 || late < 300 {
		t.Errorf("%d in the first half, %d in the second", early, late)
	}
}

func (f *fixture) want(b *drain.Backend, counts drain.Counts) {
	f.t.Helper()
	f.await("visits "+counts.String(), func() bool { return b.Visits() == counts })
}

const (
	upgrade  = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	textHi   = "\x81\x02hi"
	goingOn  = "\x88\x11\x03\xf4service restart" // 1012
	bye      = "\x88\x82\x00\x00\x00\x00\x03\xf4"
)

// tunnelTo opens a tunnel and reads its head.
func (f *fixture) tunnelTo(b *drain.Backend, request string) *client {
	f.t.Helper()
	client := f.listening(b, drain.Tunnel, request)
	if resp := client.answer(); resp.StatusCode != 101 {
		f.t.Fatal(resp.Status)
	}
	return client
}

func (c *client) wantBytes(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
		c.t.Fatalf("%q, %v; want %q", got[:n], err, want)
	}
}

func TestTunnel_AWebSocketIsClosedAsTheRFCWants(t *testing.T) {
	f := newFixture(t)
	heard := make(chan []byte, 1)
	b := f.backend(func(a *app) {
		a.head()
		a.say(switched + textHi)
		frame := make([]byte, len(bye))
		_, _ = io.ReadFull(a, frame)
		heard <- frame
	})
	f.gate.Serve(b)
	client := f.tunnelTo(b, upgrade)
	client.wantBytes(textHi)
	f.gate.Hold()
	b.EndStreams(0)
	client.wantBytes(goingOn)
	client.say(bye)
	if got := <-heard; string(got) != bye {
		t.Errorf("the child heard %q", got)
	}
	client.wantEnd()
	f.want(b, drain.Counts{})
	f.wantNone()
}

func TestTunnel_AWebSocketInTheMiddleOfAFrameIsClosedBehindIt(t *testing.T) {
	f := newFixture(t)
	more := make(chan struct{})
	b := f.backend(func(a *app) {
		a.head()
		a.say(switched + textHi[:3])
		<-more
		a.say(textHi[3:] + textHi)
		_, _ = io.Copy(io.Discard, a)
	})
	f.gate.Serve(b)
	client := f.tunnelTo(b, upgrade)
	client.wantBytes(textHi[:3])
	f.gate.Hold()
	b.EndStreams(0)
	f.awaitEnding(b)
	close(more)
	client.wantBytes(textHi[3:] + goingOn)
	_ = client.Close()
	f.want(b, drain.Counts{})
}

func TestTunnel_OneThatIsNoWebSocketIsJustClosed(t *testing.T) {
	f := newFixture(t)
	ended := make(chan struct{})
	b := f.backend(func(a *app) {
		a.head()
		a.say(strings.Replace(switched, "websocket", "other", 1) + "\x81\x7f")
		_, _ = io.Copy(io.Discard, a)
		close(ended)
	})
	f.gate.Serve(b)
	client := f.tunnelTo(b, strings.Replace(upgrade, "websocket", "other", 1))
	client.wantBytes("\x81\x7f")
	f.gate.Hold()
	b.EndStreams(0)
	client.wantEnd()
	f.wait(ended)
	f.want(b, drain.Counts{})
}

func TestTunnel_ItsClientsEndReachesTheChildAndTheChildsAnswerTheClient(t *testing.T) {
	f := newFixture(t)
	b := f.backend(func(a *app) {
		a.head()
		a.say(switched)
		got, _ := io.ReadAll(a)
		a.say("heard " + string(got))
	})
	f.gate.Serve(b)
	client := f.tunnelTo(b, upgrade+"early ")
	client.say("late")
	_ = client.CloseWrite()
	client.wantBytes("heard early late")
	client.wantEnd()
	f.want(b, drain.Counts{})
}

// When both have said that they say no more, the socket looks as if it had been reset; there may be much to be passed on.
func TestTunnel_AllThatTheClientSaidAfterTheChildsEndReachesTheChild(t *testing.T) {
	f := newFixture(t)
	more, heard := make(chan struct{}), make(chan int64, 1)
	b := f.backend(func(a *app) {
		a.head()
		a.say(switched)
		_ = a.Conn.(*net.TCPConn).SetReadBuffer(4096)
		closeWrite(a.Conn)
		<-more
		n, _ := io.Copy(io.Discard, a)
		heard <- n
	})
	f.gate.Serve(b)
	client := f.tunnelTo(b, upgrade)
	client.wantEnd()
	c := f.conn()
	c.mu.Lock()
	_ = c.up.Conn.(*net.TCPConn).SetWriteBuffer(4096) // so that not all of it is on its way at once
	c.mu.Unlock()
	const size = 100_000
	_, _ = client.Write(bytes.Repeat([]byte("a"), size))
	_ = client.CloseWrite()
	f.await("noticed", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.halfClosed })
	close(more)
	if got := <-heard; got != size {
		t.Errorf("the child heard %d of %d", got, size)
	}
	f.want(b, drain.Counts{})
}
