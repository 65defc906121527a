package proxy

import (
	"time"

	"pitstop/proxy/http1"
)

// leanExchange is one request and its response in the lean engine. It lives in its connection's goroutine; an upload and a
// tunnel have a second one. Its buffers are borrowed while it lives.
type leanExchange struct {
	e *Lean
	c *conn

	// in holds what the client has sent: the head, a small body, and what follows; inBuf is the pool's part of it.
	in    []byte
	inBuf *[]byte
	req   http1.Head
	// headRead says that req is whole.
	headRead bool
	ownID    [32]byte // of a request that has none

	// out holds what is written next: the head for the child, then the one for the client.
	out    []byte
	outBuf *[]byte
	// back holds what the child has sent, from the head of its response on.
	back    []byte
	backBuf *[]byte
	resp    http1.Head
	trailer http1.Head
	stop    func() error // childStops
	relayed relay

	exchangeState
}

// newExchange begins with the first bytes of a request in buf.
func (e *Lean) newExchange(c *conn, buf *[]byte) *leanExchange {
	x, ok := e.exchanges.Get().(*leanExchange)
	if !ok {
		x = &leanExchange{}
		x.stop = x.childStops
	}
	x.e, x.c, x.in, x.inBuf = e, c, *buf, buf
	x.req.Reset()
	x.headRead, x.exchangeState = false, exchangeState{}
	return x
}

// next makes x ready for what the client has sent behind its last request, if it has.
func (x *leanExchange) next() bool {
	rest := x.plan.end
	if rest >= len(x.in) {
		return false
	}
	x.in = x.in[:copy(x.in, x.in[rest:])]
	x.req.Reset()
	x.headRead, x.exchangeState = false, exchangeState{}
	x.lendBack()
	return true
}

// mayCome says whether the client may have sent what nobody will read.
func (x *leanExchange) mayCome() bool {
	return len(x.in) > x.plan.end || !x.plan.whole && (x.upload == nil || !x.upload.whole)
}

// release gives everything back.
func (x *leanExchange) release() {
	x.lendBack()
	*x.inBuf = x.in
	x.e.in.put(x.inBuf)
	x.in, x.inBuf, x.c = nil, nil, nil
	x.exchangeState = exchangeState{}
	x.e.exchanges.Put(x)
}

// abandon is release after a crash: nothing is used again.
func (x *leanExchange) abandon() {
	x.drop()
	x.leave(false)
}

// borrow takes the buffers that a request needs once its head is whole.
func (x *leanExchange) borrow() {
	if x.outBuf == nil {
		x.outBuf = x.e.out.get()
		x.out = (*x.outBuf)[:0]
	}
	if x.backBuf == nil {
		x.backBuf = x.e.back.get()
		x.back = (*x.backBuf)[:0]
	}
}

// lendBack gives back all but what the client has sent.
func (x *leanExchange) lendBack() {
	if x.outBuf != nil {
		*x.outBuf = x.out
		x.e.out.put(x.outBuf)
		x.out, x.outBuf = nil, nil
	}
	if x.backBuf != nil {
		*x.backBuf = x.back
		x.e.back.put(x.backBuf)
		x.back, x.backBuf = nil, nil
	}
}

// begin notes when it began, if anybody wants to know.
func (x *leanExchange) begin() {
	x.c.requests++
	if x.e.cfg.Observer != nil {
		x.began = time.Now()
	}
}

// observe tells what became of it.
func (x *leanExchange) observe(err error) {
	if x.e.cfg.Observer == nil || x.seen.Status == 0 {
		return
	}
	s := &x.seen
	s.Start, s.Took, s.Client, s.Err = x.began, time.Since(x.began), x.c.peer, err
	s.RequestID, s.Kind = x.requestID, x.asked.Kind
	s.Proto = "HTTP/1.1"
	if x.headRead {
		s.Method, s.Target, s.Host = x.req.Method.In(x.in), x.req.Target.In(x.in), x.req.Find(x.in, http1.Host)
		if x.req.Minor == 0 {
			s.Proto = "HTTP/1.0"
		}
	}
	x.e.cfg.Observer.Done(s)
}
