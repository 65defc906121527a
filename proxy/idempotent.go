package proxy

// IsIdempotent says whether a method is (RFC 9110, 9.2.2): acting on such a request twice does no harm.
func IsIdempotent[T string | []byte](method T) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}
