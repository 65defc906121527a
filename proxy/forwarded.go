package proxy

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// wayFields tell the way of a request. A nomination in Connection cannot remove them (RFC 9110, 7.6.1, forbids to
// nominate what is meant for all recipients).
var wayFields = [...]string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Host", "Forwarded"}

// hop is what a connection tells of the last step of a request's way.
type hop struct {
	peer  string // the address, without its port
	proto string // "http" or "https"
	port  string // that the client connected to
}

// own is what the engine itself can say in a field; empty: nothing.
func (h hop) own(field string) string {
	switch field {
	case "X-Forwarded-For":
		return h.peer
	case "X-Forwarded-Proto":
		return h.proto
	case "X-Forwarded-Port":
		return h.port
	}
	return ""
}

// fate is what becomes of a field.
type Fate uint8

const (
	// Pass: as it came, if it came.
	Pass Fate = iota
	// Replace: by what the engine says, which may be nothing.
	Replace
	// Extend: by what the engine says, behind what came.
	Extend
)

// fate says what becomes of one of wayFields that was given or not by a peer that stands inside (IsPrivate) or not.
func (f Forwarded) Fate(list, given, inside bool) Fate {
	switch {
	case f == ForwardedOff:
		return Pass
	case !given, f == ForwardedSet:
		return Replace
	case f == ForwardedAppend && list:
		return Extend
	case f == ForwardedAppend, inside:
		return Pass
	default:
		return Replace
	}
}

// apply sets the fields of a request that goes out.
func (f Forwarded) Apply(out http.Header, in *http.Request) {
	last := lastHop(in)
	inside := IsPrivate(last.peer)
	for _, field := range wayFields {
		given, own := in.Header[field], last.own(field)
		delete(out, field)
		switch what := f.Fate(field == "X-Forwarded-For", len(given) > 0, inside); {
		case what == Pass && len(given) > 0:
			out[field] = given
		case what == Extend:
			out[field] = []string{strings.Join(given, ", ") + ", " + own}
		case what == Replace && own != "":
			out[field] = []string{own}
		}
	}
}

func lastHop(r *http.Request) hop {
	h := hop{peer: r.RemoteAddr, proto: "http"}
	if peer, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		h.peer = peer
	}
	if r.TLS != nil {
		h.proto = "https"
	}
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		_, h.port, _ = net.SplitHostPort(addr.String())
	}
	return h
}

// IsPrivate says whether a peer stands inside: loopback, link-local, or a private address (RFC 1918, RFC 4193), or
// the shared range that some clouds use inside (RFC 6598).
func IsPrivate(peer string) bool {
	addr, err := netip.ParseAddr(peer)
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || sharedRange.Contains(addr)
}

var sharedRange = netip.MustParsePrefix("100.64.0.0/10")
