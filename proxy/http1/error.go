package http1

import "net/http"

// Error says why bytes are not an acceptable message. They are compared by identity, so that a test can ask which.
type Error struct {
	// Status is what a client that sent them gets; one whose response they were gets 502.
	Status int
	// Reason is for the log.
	Reason string
}

func (e *Error) Error() string { return e.Reason }

func bad(reason string) *Error { return &Error{http.StatusBadRequest, reason} }
