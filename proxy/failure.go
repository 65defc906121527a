package proxy

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"pitstop/drain"
	"pitstop/proxy/http1"
)

// StatusClientGone is what the log says of a client that left: nobody is there to read it.
const StatusClientGone = 499

var (
	// ErrClientGone is a client that left before it had its answer.
	ErrClientGone = errors.New("the client left")
	// ErrBadBody is a request's body that could not be read: malformed, or cut short by its client.
	ErrBadBody = errors.New("the request's body cannot be read")
	// ErrSlowHead and ErrSlowBody are what a client did not send in time.
	ErrSlowHead = errors.New("the request's head did not come in time")
	ErrSlowBody = errors.New("the request's body did not come in time")
	// ErrLargeBody is a body beyond Limits.Body.
	ErrLargeBody = errors.New("the request's body is too large")
	// ErrNoResponse is a child that was silent for Limits.ResponseTime.
	ErrNoResponse = errors.New("the app did not answer in time")
	// ErrBadResponse is what a child sent that is no response to this request.
	ErrBadResponse = errors.New("the app's response cannot be understood")
)

// Refusal is what the gate said of a request that it did not let in.
type Refusal struct{ Err error }

func (r *Refusal) Error() string { return "not let in: " + r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// StatusOf is the table from failure to status.
func StatusOf(err error) int {
	var refused *Refusal
	var netErr net.Error
	var malformed *http1.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, ErrClientGone):
		return StatusClientGone
	case errors.Is(err, ErrBadResponse):
		return http.StatusBadGateway
	case errors.As(err, &malformed):
		return malformed.Status
	case errors.Is(err, ErrSlowHead), errors.Is(err, ErrSlowBody):
		return http.StatusRequestTimeout
	case errors.Is(err, ErrLargeBody):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrBadBody):
		return http.StatusBadRequest
	case errors.Is(err, drain.ErrAlive):
		return http.StatusBadGateway
	case errors.As(err, &refused):
		return http.StatusServiceUnavailable
	case errors.Is(err, ErrNoResponse), errors.As(err, &netErr) && netErr.Timeout():
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}

// FailureBody is what the engine says of a failure, as the client's Accept asks for. It tells nothing of the app's inside.
func FailureBody(status int, accept string) (contentType, body string) {
	text := http.StatusText(status)
	if strings.Contains(accept, "json") && !strings.Contains(accept, "text/html") {
		return "application/json", `{"status":` + strconv.Itoa(status) + `,"error":"` + text + `"}` + "\n"
	}
	return "text/plain; charset=utf-8", text + "\n"
}

// RetryAfter writes a duration as RFC 9110, 10.2.3, wants it: whole seconds, at least one.
func RetryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
