package proxy

import "pitstop/proxy/http1"

// IsTrailer says whether a field may stand in a trailer section: what frames, routes, or says who asks, may not
// (RFC 9110, 6.5.1).
func IsTrailer(name []byte) bool {
	if http1.Identify(name) != http1.Other {
		return false
	}
	for _, forbidden := range [...]string{"authorization", "cookie", "set-cookie", "cache-control", "content-range", "content-language",
		"content-location", "range", "max-forwards", "location", "date", "age", "expires", "retry-after", "vary", "warning",
		"www-authenticate", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"} {
		if http1.EqualFold(name, forbidden) {
			return false
		}
	}
	return true
}
