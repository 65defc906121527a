package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/drain"
)

// headTimeout bounds the reading of a request's head, against clients that never finish one.
const headTimeout = 60 * time.Second

// Std is the engine on net/http and httputil.ReverseProxy.
type Std struct {
	cfg      Config
	pools    pools
	server   *http.Server
	lameDuck atomic.Bool
}

// NewStd makes the engine.
func NewStd(cfg Config) *Std {
	e := &Std{cfg: cfg}
	quiet := cfg.Logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug})
	reverse := &httputil.ReverseProxy{
		Rewrite:      rewrite,
		Transport:    newExchange(cfg, &e.pools),
		ErrorHandler: e.fail,
		ErrorLog:     quiet,
		BufferPool:   &bufferPool{},
	}
	e.server = &http.Server{
		Handler:           e.answer(reverse),
		ReadHeaderTimeout: headTimeout,
		IdleTimeout:       cfg.IdleTimeout,
		ErrorLog:          quiet,
	}
	return e
}

// Serve accepts connections from ln until Drain, until ln is closed, or until it fails. It may be called for several.
func (e *Std) Serve(_ context.Context, ln net.Listener) error {
	err := e.server.Serve(ln)
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// LameDuck turns the health path red and tells clients to close their connections; requests are still served.
func (e *Std) LameDuck() { e.lameDuck.Store(true) }

// Drain stops accepting connections and waits until the clients have got their answers. When ctx ends
// first, it cuts the rest and returns the context's cause.
func (e *Std) Drain(ctx context.Context) error {
	if err := e.server.Shutdown(ctx); err != nil {
		_ = e.server.Close()
		return context.Cause(ctx)
	}
	return nil
}

// ClosePool closes the connections to a backend that is about to be stopped: it is to find none when it gets
// SIGTERM. No new one is opened after it.
func (e *Std) ClosePool(b *drain.Backend) { e.pools.close(b) }

// answer handles what is the engine's own, and leaves the rest to next.
func (e *Std) answer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Set to nil, so that net/http adds none that the child did not send.
		w.Header()["Content-Type"], w.Header()["Date"] = nil, nil
		if e.lameDuck.Load() && r.ProtoMajor == 1 && r.Header.Get("Upgrade") == "" {
			w.Header().Set("Connection", "close")
		}
		if e.cfg.HealthPath != "" && r.URL.Path == e.cfg.HealthPath {
			e.health(w)
			return
		}
		rc := http.NewResponseController(w)
		if r.ProtoMajor == 1 && r.ContentLength < 0 {
			_ = rc.EnableFullDuplex() // such a body may be one side of a conversation
		}
		ctx := context.WithValue(r.Context(), controllerKey{}, rc)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (e *Std) health(w http.ResponseWriter) {
	err := e.cfg.Health()
	if err == nil && e.lameDuck.Load() {
		err = errors.New("ending")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Del("Date")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, err.Error()+"\n")
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

// rewrite makes the child's request of the client's: the same target, host and fields, with the way it came.
func rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme = "http"
	r.Out.URL.Host = "backend" // the exchange knows which
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	// The path as it came, not as net/url would write it.
	if path, _, _ := strings.Cut(r.In.RequestURI, "?"); strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") {
		r.Out.URL.Opaque = path
	}
	forward(r.Out.Header, r.In)
}

// fail answers a request that no child has answered.
func (e *Std) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	w.Header().Del("Date")
	e.cfg.Logger.Debug("request failed", "method", r.Method, "status", status, "err", err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter(e.cfg.RetryAfter))
	}
	http.Error(w, http.StatusText(status), status)
}
