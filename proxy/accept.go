package proxy

import "errors"

// RecordHandshake is the first byte of a TLS connection (RFC 8446, 5.1), which no HTTP begins with.
const RecordHandshake = 0x16

// IsTemporary says whether an error of Accept is one that passes, as the want of file descriptors.
func IsTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}
