package lean

import (
	"io"
	"strings"
	"testing"

	"pitstop/drain"
)

// silent answers a head only when it is told to, and closes ended when the connection has ended.
func silent(asked chan<- struct{}, tell <-chan struct{}, ended chan<- struct{}) func(*app) {
	return func(a *app) {
		if a.head() == "" {
			return
		}
		asked <- struct{}{}
		if tell != nil {
			<-tell
			a.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		}
		_, _ = io.Copy(io.Discard, a)
		close(ended)
	}
}

func TestGone_AHalfClosedClientThatIsHeldIsGoneAtOnce(t *testing.T) {
	f := newFixture(t)
	client := f.dial()
	client.say(get)
	f.await("held", func() bool { return f.gate.Held().Now == 1 })
	_ = client.CloseWrite()
	f.await("gone", func() bool { return f.gate.Held().Now == 0 })
	client.wantEnd()
	f.wantNone()
}

func TestGone_AHalfClosedClientWhoseRequestIsWithTheChildIsAskedAndGetsItsAnswer(t *testing.T) {
	f := newFixture(t)
	asked, tell, ended := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	f.gate.Serve(f.backend(silent(asked, tell, ended)))
	client := f.dial()
	client.say(get)
	f.wait(asked)
	_ = client.CloseWrite()
	line, err := client.r.ReadString('\n') // http.ReadResponse reads past an interim response's end
	if err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if line, err := client.r.ReadString('\n'); err != nil || line != "\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	close(tell)
	client.want(200, "hello")
	client.wantEnd()
	f.wantNone()
}

func TestGone_AnHTTP10ClientGetsNoInterimResponse(t *testing.T) {
	f := newFixture(t)
	asked, tell, ended := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	f.gate.Serve(f.backend(silent(asked, tell, ended)))
	client := f.dial()
	client.say("GET / HTTP/1.0\r\n\r\n")
	f.wait(asked)
	_ = client.CloseWrite()
	c := f.conn()
	f.await("noticed", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.halfClosed })
	f.ticks(int64(probeAfter/tick) + 3)
	close(tell)
	client.want(200, "hello")
}

func TestGone_OneThatHasClosedIsNoticedWhileItsRequestIsWithTheChild(t *testing.T) {
	f := newFixture(t)
	asked, ended := make(chan struct{}, 1), make(chan struct{})
	b := f.backend(silent(asked, nil, ended))
	f.gate.Serve(b)
	client := f.dial()
	client.say(get)
	f.wait(asked)
	from := f.e.clock.now.Load()
	_ = client.Close()
	f.wait(ended)
	if took := f.e.clock.now.Load() - from; took > 3*int64(probeAfter/tick) {
		t.Errorf("after %d ticks", took)
	}
	f.wantNone()
	if b.Visits() != (drain.Counts{}) {
		t.Error(b.Visits())
	}
}

// HTTP/1.0, so that nothing but the reset itself can tell.
func TestGone_AResetEndsTheRequestAtTheChildAtOnce(t *testing.T) {
	f := newFixture(t)
	asked, ended := make(chan struct{}, 1), make(chan struct{})
	f.gate.Serve(f.backend(silent(asked, nil, ended)))
	client := f.dial()
	client.say("GET / HTTP/1.0\r\n\r\n")
	f.wait(asked)
	_ = client.SetLinger(0)
	_ = client.Close()
	f.wait(ended)
	f.wantNone()
}

func TestGone_AListenerToAStreamThatHalfClosesIsGoneAtOnce(t *testing.T) {
	f := newFixture(t)
	ended := make(chan struct{})
	b := f.backend(func(a *app) {
		a.head()
		a.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
		_, _ = io.Copy(io.Discard, a)
		close(ended)
	})
	f.gate.Serve(b)
	client := f.dial()
	client.say(get)
	if resp := client.answer(); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	f.await("a stream", func() bool { return b.Visits() == drain.Counts{drain.Stream: 1} })
	_ = client.CloseWrite()
	f.wait(ended)
	f.wantNone()
}

func TestGone_AClientThatHalfClosedBeforeItsResponseTurnedOutToBeAStreamIsGoneThen(t *testing.T) {
	f := newFixture(t)
	asked, tell, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	f.gate.Serve(f.backend(func(a *app) {
		a.head()
		asked <- struct{}{}
		<-tell
		a.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
		_, _ = io.Copy(io.Discard, a)
		close(ended)
	}))
	client := f.dial()
	client.say(get)
	f.wait(asked)
	_ = client.CloseWrite()
	c := f.conn()
	f.await("noticed", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.halfClosed })
	close(tell)
	f.wait(ended)
	f.wantNone()
}

// The connection was a stream's before; its next request is an ordinary one.
func TestGone_WhatTheLastRequestWasDoesNotMatterToTheNext(t *testing.T) {
	f := newFixture(t)
	asked, tell := make(chan struct{}), make(chan struct{})
	f.gate.Serve(f.backend(func(a *app) {
		for head := a.head(); head != ""; head = a.head() {
			if strings.HasPrefix(head, "GET /stream ") {
				a.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
				<-tell
				a.say("0\r\n\r\n")
				continue
			}
			asked <- struct{}{}
			<-tell
			a.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		}
	}))
	client := f.dial()
	client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
	resp := client.answer()
	tell <- struct{}{}
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Fatalf("%q, %v", rest, err)
	}
	client.say("GET / HTTP/1.0\r\n\r\n")
	f.wait(asked)
	_ = client.CloseWrite()
	c := f.conn()
	f.await("noticed", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.halfClosed })
	close(tell)
	client.want(200, "hello")
}

func TestGone_NoInterimResponseIsSentIntoAResponse(t *testing.T) {
	f := newFixture(t)
	asked, begin, end := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	f.gate.Serve(f.backend(func(a *app) {
		a.head()
		asked <- struct{}{}
		<-begin
		a.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
		<-end
		a.say("lo")
	}))
	client := f.dial()
	client.say(get)
	f.wait(asked)
	_ = client.CloseWrite()
	c := f.conn()
	f.await("to be asked", func() bool { return c.probeAt.Load() > 0 })
	close(begin)
	resp := client.answer()
	f.await("asked, or not", func() bool { return c.probeAt.Load() == 0 })
	close(end)
	if got, err := io.ReadAll(resp.Body); string(got) != "hello" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
