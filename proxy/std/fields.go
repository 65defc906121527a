package std

import (
	"net/http"
	"strings"

	"pitstop/proxy"
)

// requestID is the id that the client gave, if it is a sane one, else a new one.
func requestID(given []string) string {
	if len(given) == 1 && proxy.SaneID(given[0]) {
		return given[0]
	}
	return string(proxy.NewID(nil))
}

// withoutH2C drops the offer to change to HTTP/2 in the clear (RFC 9113, 3.1, has done away with it): behind such a tunnel
// requests would pass that nobody counts.
func withoutH2C(h http.Header) {
	delete(h, "Http2-Settings")
	if _, ok := h["Upgrade"]; !ok {
		return
	}
	var rest []string
	for offer := range strings.SplitSeq(strings.Join(h["Upgrade"], ","), ",") {
		if offer = strings.TrimSpace(offer); offer != "" && !strings.EqualFold(offer, "h2c") {
			rest = append(rest, offer)
		}
	}
	if rest == nil {
		delete(h, "Upgrade")
	} else {
		h["Upgrade"] = []string{strings.Join(rest, ", ")}
	}
}

// filterTrailers removes what may not be passed on from a trailer.
func filterTrailers(h http.Header) {
	for name := range h {
		if !proxy.IsTrailer([]byte(name)) {
			delete(h, name)
		}
	}
}

// isGRPC says whether a body is one or more gRPC messages, which end by themselves.
func isGRPC(h http.Header) bool {
	return strings.HasPrefix(h.Get("Content-Type"), "application/grpc")
}
