package proxy

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// budget is the memory that small bodies may take together while they are read and until their response begins.
type budget struct {
	left atomic.Int64
}

// take takes n bytes if they are left.
func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

// give returns what was taken.
func (b *budget) give(n int64) { b.left.Add(n) }

// controllerKey finds the http.ResponseController of a request in its context.
type controllerKey struct{}

// setReadDeadline bounds the reading from the client, if its connection can, until the returned function is called.
func setReadDeadline(ctx context.Context, t time.Time) (clear func()) {
	rc, _ := ctx.Value(controllerKey{}).(*http.ResponseController)
	if rc == nil || rc.SetReadDeadline(t) != nil {
		return func() {}
	}
	return func() { _ = rc.SetReadDeadline(time.Time{}) }
}
