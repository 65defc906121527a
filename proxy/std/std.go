package std

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/drain"
	"pitstop/proxy"
)

// Engine is the engine on net/http and httputil.ReverseProxy.
type Engine struct {
	cfg      proxy.Config
	pools    pools
	server   *http.Server
	acceptor *acceptor
	serving  sync.Once
	lameDuck atomic.Bool
}

// New makes the engine.
func New(cfg proxy.Config) *Engine {
	e := &Engine{cfg: cfg, pools: pools{protocol: cfg.AppProtocol, responseTime: cfg.Limits.ResponseTime}}
	quiet := cfg.Logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug})
	reverse := &httputil.ReverseProxy{
		Rewrite:       e.rewrite,
		Transport:     newExchange(cfg, &e.pools),
		ErrorHandler:  e.fail,
		ErrorLog:      quiet,
		BufferPool:    &bufferPool{},
		FlushInterval: -1, // what the child has written the client is to have
	}
	e.server = &http.Server{
		Handler:                      e.answer(reverse),
		ReadHeaderTimeout:            cfg.Limits.HeadTime,
		MaxHeaderBytes:               cfg.Limits.Head,
		IdleTimeout:                  cfg.IdleTimeout,
		DisableGeneralOptionsHandler: true, // OPTIONS * is the child's too
		Protocols:                    new(http.Protocols),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams, MaxReadFrameSize: maxFrame, SendPingTimeout: pingAfter, PingTimeout: pingAfter, WriteByteTimeout: cfg.Limits.BodyTime,
		},
		ConnContext: connContext,
		ConnState:   connState,
		ErrorLog:    quiet,
	}
	e.server.Protocols.SetHTTP1(true)
	e.server.Protocols.SetHTTP2(true)
	e.server.Protocols.SetUnencryptedHTTP2(true)
	e.acceptor = newAcceptor(cfg, e.refuse)
	return e
}

const (
	// maxStreams bounds what one HTTP/2 connection may ask at once.
	maxStreams = 250
	// maxFrame is the smallest that RFC 9113, 4.2, allows; each connection keeps a buffer of that size.
	maxFrame = 16 << 10
	// pingAfter is how long an HTTP/2 client may be silent before it is asked whether it lives, and how long it may think.
	pingAfter = 30 * time.Second
)

func connState(c net.Conn, state http.ConnState) {
	if s := underStd(c); s != nil && state == http.StateIdle {
		s.idle()
	}
}

// Serve accepts connections from ln until Drain, until ln is closed, or until it fails. It may be called for several.
func (e *Engine) Serve(_ context.Context, ln net.Listener) error {
	e.start()
	return e.acceptor.serve(ln)
}

// ServeConn serves a connection that was accepted elsewhere, in the clear or with TLS, HTTP/1.1 or HTTP/2. It returns at
// once. Its first bytes are those that were read of it already.
func (e *Engine) ServeConn(conn net.Conn, first []byte) {
	e.start()
	e.acceptor.take(&replayed{Conn: conn, first: first})
}

func (e *Engine) start() {
	e.serving.Do(func() { go func() { _ = e.server.Serve(e.acceptor) }() })
}

// LameDuck turns the health path red and tells clients to close their connections; requests are still served.
func (e *Engine) LameDuck() { e.lameDuck.Store(true) }

// Drain stops accepting connections and waits until the clients have got their answers. When ctx ends
// first, it cuts the rest and returns the context's cause.
func (e *Engine) Drain(ctx context.Context) error {
	e.acceptor.drain(ctx)
	err := e.server.Shutdown(ctx)
	_ = e.acceptor.Close() // also where the server never began
	if err != nil {
		_ = e.server.Close()
		return context.Cause(ctx)
	}
	return nil
}

// ClosePool closes the connections to a backend that is about to be stopped: it is to find none when it gets
// SIGTERM. No new one is opened after it.
func (e *Engine) ClosePool(b *drain.Backend) { e.pools.close(b) }

// answer handles what is the engine's own, and leaves the rest to next.
func (e *Engine) answer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _ := r.Context().Value(stdConnKey{}).(*stdConn)
		f := &flight{start: conn.begin(), asked: r, rc: http.NewResponseController(w), id: requestID(r.Header[proxy.RequestIDField])}
		defer f.leave()
		out := &writer{ResponseWriter: w, flight: f, request: r, lameDuck: e.lameDuck.Load, stall: e.cfg.Limits.BodyTime}
		if e.cfg.HealthPath != "" && r.URL.Path == e.cfg.HealthPath {
			e.health(out)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), flightKey{}, f))
		e.carry(out, r, next)
	})
}

// carry is one exchange.
func (e *Engine) carry(w *writer, r *http.Request, next http.Handler) {
	if e.cfg.Observer != nil {
		defer w.flight.over(e.cfg.Observer, r)
	}
	defer w.last()
	defer w.flight.leaveChild()
	if err := acceptable(r, &e.cfg.Limits); err != nil {
		if r.ProtoMajor == 1 {
			w.flight.clientFailed(err) // so it is the connection's last
		}
		e.fail(w, r, err)
		return
	}
	withoutH2C(r.Header)
	in := r.WithContext(r.Context())
	if r.Body == nil || r.Body == http.NoBody {
		next.ServeHTTP(w, in)
		return
	}
	body := &clientBody{ReadCloser: r.Body, flight: w.flight, stall: e.cfg.Limits.BodyTime, limit: e.cfg.Limits.Body}
	defer body.end() // also where it panics
	in.Body, w.body = body, body
	if r.ProtoMajor == 1 {
		_ = w.flight.rc.EnableFullDuplex() // the child may answer before it has all of it
	}
	next.ServeHTTP(w, in)
	body.readRest(r)
}

func (e *Engine) health(w http.ResponseWriter) {
	status, body := e.cfg.HealthAnswer(e.lameDuck.Load())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// rewrite makes the child's request of the client's: the same target, host and fields, with the way it came.
func (e *Engine) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme = "http"
	r.Out.URL.Host = "backend" // the exchange knows which
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	// The path as it came, not as net/url would write it.
	if path, _, _ := strings.Cut(r.In.RequestURI, "?"); path != "*" && !strings.HasPrefix(path, "//") {
		r.Out.URL.Opaque = path
	}
	e.cfg.Forwarded.Apply(r.Out.Header, r.In)
	r.Out.Header[proxy.RequestIDField] = []string{flightOf(r.In.Context()).id}
	passTrailers(r.Out, r.In)
}

// fail answers a request that no child has answered.
func (e *Engine) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, f := proxy.StatusOf(err), flightOf(r.Context())
	f.failed(err)
	e.cfg.Logger.Debug("request failed", "method", r.Method, "status", status, "err", err)
	contentType, body := proxy.FailureBody(status, r.Header.Get("Accept"))
	h := w.Header()
	clear(h)
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set(proxy.RequestIDField, f.id)
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", proxy.RetryAfter(e.cfg.RetryAfter))
	}
	if f.clientError() != nil {
		h.Set("Connection", "close") // where its next request begins, nobody knows
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// refuse answers on a connection whose head net/http did not hand to the handler.
func (e *Engine) refuse(c *stdConn, status int, err error) error {
	f := &flight{start: time.Unix(0, c.first.Load()), status: status, id: string(proxy.NewID(nil)), err: err}
	contentType, body := proxy.FailureBody(status, "")
	n, writeErr := fmt.Fprintf(c.Conn, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s: %s\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), contentType, len(body), proxy.RequestIDField, f.id, body)
	e.cfg.Logger.Debug("request refused", "status", status, "err", err)
	if f.sent.Store(int64(min(n, len(body)))); e.cfg.Observer != nil {
		f.over(e.cfg.Observer, &http.Request{RemoteAddr: c.RemoteAddr().String(), Proto: "HTTP/1.1"})
	}
	return writeErr
}
