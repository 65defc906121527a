package drain

import (
	"fmt"
	"strings"
)

// Kind says what a visit is, because kinds are drained and counted apart.
type Kind uint8

// The kinds of visit.
const (
	// Request is any exchange that ends by itself, gRPC and chunked downloads too.
	Request Kind = iota
	// Upload is a request whose body was too large to be read before it was let in.
	Upload
	// Stream is a response without an end of its own (text/event-stream).
	Stream
	// Tunnel is an upgraded connection (WebSocket).
	Tunnel

	kinds
)

func (k Kind) String() string {
	return [kinds]string{"request", "upload", "stream", "tunnel"}[k]
}

// Counts holds the number of visits of each kind.
type Counts [kinds]int

// Total is the number of visits of all kinds.
func (c Counts) Total() int {
	total := 0
	for _, n := range c {
		total += n
	}
	return total
}

// ByKind is the counts under the kinds' names, those of zero too.
func (c Counts) ByKind() map[string]int {
	m := make(map[string]int, len(c))
	for k, n := range c {
		m[Kind(k).String()] = n
	}
	return m
}

// String names the kinds that are there: "2 requests, 1 tunnel".
func (c Counts) String() string {
	var parts []string
	for k, n := range c {
		switch {
		case n == 1:
			parts = append(parts, fmt.Sprintf("1 %s", Kind(k)))
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, Kind(k)))
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}
