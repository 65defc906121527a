package proxy

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"

	"pitstop/drain"
)

// statusClientGone is what the log says of a client that left: nobody is there to read it.
const statusClientGone = 499

// refusal is what the gate said of a request that it did not let in.
type refusal struct{ err error }

func (r *refusal) Error() string { return "not let in: " + r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// statusOf is the table from failure to status.
func statusOf(err error) int {
	var refused *refusal
	var netErr net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return statusClientGone
	case errors.Is(err, errSlowBody):
		return http.StatusRequestTimeout
	case errors.Is(err, errBadBody):
		return http.StatusBadRequest
	case errors.Is(err, drain.ErrAlive):
		return http.StatusBadGateway
	case errors.As(err, &refused):
		return http.StatusServiceUnavailable
	case errors.As(err, &netErr) && netErr.Timeout():
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}

// retryAfter writes a duration as RFC 9110, 10.2.3, wants it: whole seconds, at least one.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
