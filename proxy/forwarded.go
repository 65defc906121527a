package proxy

import (
	"net"
	"net/http"
	"net/netip"
)

// forward sets X-Forwarded-For, -Proto and -Port. From a private peer, which is the load balancer, they
// pass untouched, so that the app counts hops as it did before; those that are absent, or come from others, are set.
func forward(out http.Header, in *http.Request) {
	peer, _, err := net.SplitHostPort(in.RemoteAddr)
	if err != nil {
		peer = in.RemoteAddr
	}
	_, port, _ := net.SplitHostPort(localAddr(in))
	for name, value := range map[string]string{
		"X-Forwarded-For": peer, "X-Forwarded-Proto": "http", "X-Forwarded-Port": port, "X-Forwarded-Host": "", "Forwarded": "",
	} {
		switch given := in.Header.Values(name); {
		case len(given) > 0 && isPrivate(peer):
			out[name] = given
		case value != "":
			out.Set(name, value)
		default:
			out.Del(name)
		}
	}
}

func localAddr(r *http.Request) string {
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return addr.String()
	}
	return ""
}

// isPrivate says whether a peer stands inside: loopback, link-local, or a private address (RFC 1918, RFC 4193), or
// the shared range that some clouds use inside (RFC 6598).
func isPrivate(peer string) bool {
	addr, err := netip.ParseAddr(peer)
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || sharedRange.Contains(addr)
}

var sharedRange = netip.MustParsePrefix("100.64.0.0/10")
