package proxy

import (
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
	// Logger gets what operators should see.
	Logger hclog.Logger
}
