package drain

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrHeldTooLong ends the wait of a request that was held for Bounds.Timeout.
	ErrHeldTooLong = errors.New("held longer than the hold's timeout")
	// ErrHoldFull refuses a request that would exceed Bounds.Max or Bounds.Bytes.
	ErrHoldFull = errors.New("too many requests are held")
	// ErrAlive ends a Retry: the backend that failed the visit is still the one that serves.
	ErrAlive = errors.New("the backend that failed the request still serves")
)

// BusyError says who was still with a backend when the wait for its drain ended.
type BusyError struct {
	// Cause is why the wait ended, the context's cause.
	Cause error
	// Waited is how long the drain was waited for.
	Waited time.Duration
	// Visits counts those still there, by kind; at least one is.
	Visits Counts
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("%s still with the child after %s", e.Visits, e.Waited.Round(time.Millisecond))
}

func (e *BusyError) Unwrap() error { return e.Cause }
