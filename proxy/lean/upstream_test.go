package lean

import (
	"errors"
	"io"
	"testing"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// idle returns the pool's idle connections.
func (p *upstreams) idles() []*upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*upstream(nil), p.idle...)
}

const post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"

func TestUpstreams_OneThatTheChildHasClosedMeanwhileIsNotUsed(t *testing.T) {
	f := newFixture(t)
	b := f.backend(func(a *app) {
		if a.head() != "" {
			_, _ = io.CopyN(io.Discard, a, 2)
			a.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		}
	})
	f.gate.Serve(b)
	client := f.dial()
	for range 20 {
		client.say(post)
		client.want(200, "hello")
		for _, u := range f.e.poolFor(b).idles() {
			f.await("closed by the child", func() bool { return !u.wire.quiet() })
		}
	}
}

func TestUpstreams_AnAnswerWithoutAQuestionReachesNobody(t *testing.T) {
	for name, request := range map[string]string{"at once": get, "by an upload": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			more := make(chan struct{})
			b := f.backend(func(a *app) {
				if a.head() == "" {
					return
				}
				a.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
				if a.n == 0 {
					<-more
					a.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
				}
				_, _ = io.Copy(io.Discard, a)
			})
			f.gate.Serve(b)
			client := f.dial()
			client.say(get)
			client.want(200, "hello")
			close(more)
			idle := f.e.poolFor(b).idles()
			if len(idle) != 1 {
				t.Fatalf("%d idle", len(idle))
			}
			f.await("loud", func() bool { return !idle[0].wire.quiet() })
			client.say("%s", request)
			client.want(200, "hello")
		})
	}
}

func TestUpstreams_WhatComesBehindAResponseClosesTheConnection(t *testing.T) {
	for name, response := range map[string]string{
		"length":   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"chunked":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"trailers": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
		"none":     "HTTP/1.1 204 No Content\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			ended := make(chan struct{}, 2)
			b := f.backend(func(a *app) {
				a.head()
				a.say(response + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
				_, _ = io.Copy(io.Discard, a)
				ended <- struct{}{}
			})
			f.gate.Serve(b)
			client := f.dial()
			for range 2 {
				client.say(get)
				if got, err := io.ReadAll(client.answer().Body); err != nil || name != "none" && string(got) != "hello" {
					t.Fatalf("%q, %v", got, err)
				}
				f.wait(ended)
			}
		})
	}
}

func TestUpstreams_OneWhoseResponseEndedWellIsUsedAgain(t *testing.T) {
	f := newFixture(t)
	second := make(chan struct{}, 10)
	f.gate.Serve(f.backend(func(a *app) {
		if a.n > 0 {
			second <- struct{}{}
		}
		hello(a)
	}))
	client := f.dial()
	for range 10 {
		client.say(get)
		client.want(200, "hello")
	}
	if len(second) > 0 {
		t.Error("a second connection was made")
	}
}

func TestKeepIdle_IsATable(t *testing.T) {
	for seconds, want := range map[int]time.Duration{
		-1: proxy.BackendIdle, 0: 0, 1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second, 5: 4 * time.Second, 60: 59 * time.Second,
	} {
		if got := keepIdle(seconds); got != want {
			t.Errorf("%d: %s, want %s", seconds, got, want)
		}
	}
}

func TestUpstreams_OneIsNotUsedLongerThanTheChildSaysItKeepsIt(t *testing.T) {
	f := newFixture(t)
	b := f.backend(func(a *app) {
		for a.head() != "" {
			a.say("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 1\r\n\r\n" + string(rune('0'+a.n)))
		}
	})
	f.gate.Serve(b)
	client := f.dial()
	client.say(get)
	client.want(200, "0")
	client.say(get)
	client.want(200, "0")
	f.ticks(6) // the sweep comes each ten
	client.say(get)
	client.want(200, "1")
}

func TestUpstreams_ThoseThatAreIdleForTooLongAreClosed(t *testing.T) {
	f := newFixture(t)
	ended := make(chan struct{})
	b := f.backend(func(a *app) {
		a.head()
		a.say("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 5\r\n\r\nhello")
		_, _ = io.Copy(io.Discard, a)
		close(ended)
	})
	f.gate.Serve(b)
	client := f.dial()
	client.say(get)
	client.want(200, "hello")
	f.wait(ended)
	f.await("forgotten", func() bool { return len(f.e.poolFor(b).idles()) == 0 })
}

func TestUpstreams_AClosedPoolMakesNoConnectionUntilItsBackendServesAgain(t *testing.T) {
	f := newFixture(t)
	ended := make(chan struct{}, 1)
	b := f.backend(func(a *app) { hello(a); ended <- struct{}{} })
	f.gate.Serve(b)
	client := f.dial()
	client.say(get)
	client.want(200, "hello")
	f.gate.Hold()
	f.e.ClosePool(b)
	f.wait(ended)
	if _, err := f.e.poolFor(b).take(false); !errors.Is(err, proxy.ErrPoolClosed) {
		t.Errorf("took one: %v", err)
	}
	client.say(get)
	f.await("held", func() bool { return f.gate.Held().Now == 1 })
	f.gate.Serve(b)
	client.want(200, "hello")
}

func TestUpstreams_OneThatIsInUseWhenThePoolIsClosedIsNotKept(t *testing.T) {
	f := newFixture(t)
	asked, tell, ended := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	b := f.backend(silent(asked, tell, ended))
	f.gate.Serve(b)
	client := f.dial()
	client.say(get)
	f.wait(asked)
	f.gate.Hold()
	f.e.ClosePool(b)
	close(tell)
	client.want(200, "hello")
	if n := len(f.e.poolFor(b).idles()); n > 0 {
		t.Errorf("%d are kept", n)
	}
	f.wait(ended)
}

func TestUpstreams_APoolOfABackendThatIsGoneIsForgotten(t *testing.T) {
	f := newFixture(t)
	b := f.backend(hello)
	f.gate.Serve(b)
	client := f.dial()
	client.say(get)
	client.want(200, "hello")
	f.gate.Remove(b)
	f.e.ClosePool(b)
	n := 0
	f.e.pools.each(func(*upstreams) { n++ })
	if n != 0 {
		t.Errorf("%d pools", n)
	}
	if b.Visits() != (drain.Counts{}) {
		t.Error(b.Visits())
	}
}

// A deadline that was set for the last response is met by the next request.
func TestUpstreams_ALateDeadlineIsTakenBack(t *testing.T) {
	f := newFixture(t)
	b := f.backend(func(a *app) {
		for a.head() != "" {
			a.say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + string(rune('0'+a.n)))
		}
	})
	f.gate.Serve(b)
	client := f.dial()
	for range 3 {
		client.say(get)
		client.want(200, "0")
		for _, u := range f.e.poolFor(b).idles() {
			_ = u.SetReadDeadline(past)
		}
	}
}
