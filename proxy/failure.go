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

// statusClientGone is what the log says of a client that left: nobody is there to read it.
const statusClientGone = 499

var (
	// errClientGone is a client that left before it had its answer.
	errClientGone = errors.New("the client left")
	// errBadBody is a request's body that could not be read: malformed, or cut short by its client.
	errBadBody = errors.New("the request's body cannot be read")
	// errSlowHead and errSlowBody are what a client did not send in time.
	errSlowHead = errors.New("the request's head did not come in time")
	errSlowBody = errors.New("the request's body did not come in time")
	// errLargeBody is a body beyond Limits.Body.
	errLargeBody = errors.New("the request's body is too large")
	// errNoResponse is a child that was silent for Limits.ResponseTime.
	errNoResponse = errors.New("the app did not answer in time")
	// errBadResponse is what a child sent that is no response to this request.
	errBadResponse = errors.New("the app's response cannot be understood")
)

// refusal is what the gate said of a request that it did not let in.
type refusal struct{ err error }

func (r *refusal) Error() string { return "not let in: " + r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// statusOf is the table from failure to status.
func statusOf(err error) int {
	var refused *refusal
	var netErr net.Error
	var malformed *http1.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, errClientGone):
		return statusClientGone
	case errors.Is(err, errBadResponse):
		return http.StatusBadGateway
	case errors.As(err, &malformed):
		return malformed.Status
	case errors.Is(err, errSlowHead), errors.Is(err, errSlowBody):
		return http.StatusRequestTimeout
	case errors.Is(err, errLargeBody):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errBadBody):
		return http.StatusBadRequest
	case errors.Is(err, drain.ErrAlive):
		return http.StatusBadGateway
	case errors.As(err, &refused):
		return http.StatusServiceUnavailable
	case errors.Is(err, errNoResponse), errors.As(err, &netErr) && netErr.Timeout():
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}

// failureBody is what the engine says of a failure, as the client's Accept asks for. It tells nothing of the app's inside.
func failureBody(status int, accept string) (contentType, body string) {
	text := http.StatusText(status)
	if strings.Contains(accept, "json") && !strings.Contains(accept, "text/html") {
		return "application/json", `{"status":` + strconv.Itoa(status) + `,"error":"` + text + `"}` + "\n"
	}
	return "text/plain; charset=utf-8", text + "\n"
}

// retryAfter writes a duration as RFC 9110, 10.2.3, wants it: whole seconds, at least one.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
