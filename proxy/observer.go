package proxy

import (
	"time"

	"pitstop/drain"
)

// Exchange is one request and what became of it. Its byte slices belong to the engine: whoever keeps them copies them.
type Exchange struct {
	// Start is when the request's first byte was read, or for HTTP/2 when its head was.
	Start time.Time
	// Took is the time from Start until the response's last byte was written, or the exchange was given up.
	Took time.Duration
	// Held is how long the request waited to be let in.
	Held time.Duration
	// Method, Target and Host are as the client sent them; empty when the head could not be read.
	Method, Target, Host []byte
	// Proto is the client's version of HTTP, as "HTTP/1.1".
	Proto string
	// Client is the address of the peer, "host:port".
	Client string
	// RequestID is what X-Request-Id told the child.
	RequestID []byte
	// Status is what the client got: the child's, or the engine's own; 499 when it had left; 101 for a tunnel.
	Status int
	// Received and Sent count bytes of the bodies: the request's, and the response's, with the chunk framing where the engine
	// writes that itself.
	// Of a tunnel, what went through it.
	Received, Sent int64
	// Kind is what the visit was at its end.
	Kind drain.Kind
	// Backend is the address of the child; empty when none was asked.
	Backend string
	// Replayed says that the request was sent a second time.
	Replayed bool
	// Err is why the engine answered itself, or why the exchange was cut; nil: all went well.
	Err error
}

// Observer learns what became of every request, in many goroutines at once. It must not block.
type Observer interface {
	// Done is called once the exchange is over. The Exchange is the engine's again when it returns.
	Done(*Exchange)
}
