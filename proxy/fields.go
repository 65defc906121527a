package proxy

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

const requestIDField = "X-Request-Id"

// requestID is the id that the client gave, if it is a sane one, else a new one.
func requestID(given []string) string {
	if len(given) == 1 && saneID(given[0]) {
		return given[0]
	}
	return newRequestID()
}

func newRequestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// saneID wants 1 to 128 visible ASCII characters: ids end up in logs.
func saneID[T string | []byte](id T) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f {
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 128
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

// noTrailers are the fields that frame or route a message, or say who sends it: in a trailer they would come after the
// decisions that they are for (RFC 9110, 6.5.1).
var noTrailers = map[string]bool{
	"Authorization": true, "Connection": true, "Content-Encoding": true, "Content-Length": true, "Content-Range": true,
	"Content-Type": true, "Cookie": true, "Expect": true, "Forwarded": true, "Host": true, "Keep-Alive": true,
	"Max-Forwards": true, "Proxy-Authenticate": true, "Proxy-Authorization": true, "Proxy-Connection": true, "Range": true,
	"Set-Cookie": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "Www-Authenticate": true,
	requestIDField: true,
}

// filterTrailers removes what may not be passed on from a trailer.
func filterTrailers(h http.Header) {
	for name := range h {
		if noTrailers[name] || strings.HasPrefix(name, "X-Forwarded-") {
			delete(h, name)
		}
	}
}

// isGRPC says whether a body is one or more gRPC messages, which end by themselves.
func isGRPC(h http.Header) bool {
	return strings.HasPrefix(h.Get("Content-Type"), "application/grpc")
}
