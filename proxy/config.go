package proxy

import (
	"crypto/tls"
	"time"

	"github.com/hashicorp/go-hclog"

	"pitstop/drain"
)

// Config is what an engine is made of.
type Config struct {
	// Gate admits the requests.
	Gate *drain.Gate
	// HealthPath is answered by the engine itself, also while requests are held; empty: none.
	HealthPath string
	// Health says why the instance is not healthy, nil when it is.
	Health func() error
	// AppProtocol is what the child speaks.
	AppProtocol AppProtocol
	// TLS makes connections that begin with a TLS handshake welcome, beside those in the clear; nil: they are not.
	TLS *tls.Config
	// Forwarded says what becomes of the fields that tell the request's way.
	Forwarded Forwarded
	Limits    Limits
	// ReplayBuffer is up to how many bytes a body of known length is read before its request asks to be let in, and kept to
	// be sent again.
	ReplayBuffer int
	// ReplayMemory is how many bytes such bodies may take together.
	ReplayMemory int64
	// RetryAfter is what 503 tells the client.
	RetryAfter time.Duration
	// IdleTimeout is how long an idle connection of a client lives. It must exceed that of the load balancer
	// in front, or that sends requests into closing connections.
	IdleTimeout time.Duration
	// Observer learns of every exchange; nil: nobody does.
	Observer Observer
	// Logger gets what operators should see.
	Logger hclog.Logger
}

// AppProtocol is what a child speaks.
type AppProtocol string

// The protocols.
const (
	// HTTP1 is HTTP/1.1 in the clear.
	HTTP1 AppProtocol = "http1"
	// H2C is HTTP/2 in the clear by prior knowledge (RFC 9113, 3.3), as gRPC servers speak it.
	H2C AppProtocol = "h2c"
)

// Forwarded says what becomes of X-Forwarded-For, -Proto, -Port and their kin.
type Forwarded string

// The ways.
const (
	// ForwardedAuto: from a private peer, which is the load balancer, they pass untouched, so that the app counts hops as
	// before; what is absent, or comes from others, is set.
	ForwardedAuto Forwarded = "auto"
	// ForwardedSet: what the client says is dropped and they are set from the connection.
	ForwardedSet Forwarded = "set"
	// ForwardedAppend: the peer's address is appended to X-Forwarded-For, whoever the peer is; the others are set if absent.
	ForwardedAppend Forwarded = "append"
	// ForwardedOff: they pass as they come, and none is set.
	ForwardedOff Forwarded = "off"
)

// Limits bounds what a client may send, and how slowly.
type Limits struct {
	// Head is the largest head in bytes: request line, fields and line ends. Past it: 431.
	Head int
	// Target is the largest request target in bytes. Past it: 414.
	Target int
	// Fields is the largest number of fields. Past it: 431.
	Fields int
	// Body is the largest body of a request in bytes, without its chunk framing; 0: any. Past it: 413.
	Body int64
	// HeadTime is what a client has for a head, from its first byte on. Past it: 408.
	HeadTime time.Duration
	// BodyTime is how long a client may leave a body standing still, the one it sends or the one it takes. Past
	// it: 408, or a cut connection where a response has begun.
	BodyTime time.Duration
	// ResponseTime is what the child has for the head of its response once it has the request whole; 0: any. Past it: 504.
	ResponseTime time.Duration
}
