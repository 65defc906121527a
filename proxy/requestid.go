package proxy

import "math/rand/v2"

// RequestIDField is the field by which a request is found again in everybody's logs.
const RequestIDField = "X-Request-Id"

// SaneID wants 1 to 128 visible ASCII characters: ids end up in logs.
func SaneID[T string | []byte](id T) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f {
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 128
}

// NewID appends a new id, 32 hexadecimal digits of chance.
func NewID(dst []byte) []byte {
	const digits = "0123456789abcdef"
	for range 2 {
		r := rand.Uint64()
		for range 16 {
			dst = append(dst, digits[r&15])
			r >>= 4
		}
	}
	return dst
}
