package http1

// Classes of bytes, as bits.
const (
	isToken  = 1 << iota // tchar, RFC 9110, 5.6.2
	isValue              // field-vchar, SP and HTAB, RFC 9110, 5.5
	isTarget             // of a request target: visible, no '#'; and bytes over 0x7f, which clients send as they are
	isHost               // of reg-name and port, RFC 3986, 3.2.2
	isQuoted             // qdtext, RFC 9110, 5.6.4
)

var classes = func() (t [256]uint8) {
	for c := range 256 {
		visible := c > ' ' && c != 0x7f
		alphanumeric := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if alphanumeric || in(c, "!#$%&'*+-.^_`|~") {
			t[c] |= isToken
		}
		if visible || c == ' ' || c == '\t' {
			t[c] |= isValue
		}
		if visible && c != '#' {
			t[c] |= isTarget
		}
		if alphanumeric || in(c, "-._~%!$&'()*+,;=:") {
			t[c] |= isHost
		}
		if t[c]&isValue != 0 && c != '"' && c != '\\' {
			t[c] |= isQuoted
		}
	}
	return t
}()

func in(c int, set string) bool {
	for i := range len(set) {
		if int(set[i]) == c {
			return true
		}
	}
	return false
}

// all says whether every byte of p is of a class.
func all(p []byte, class uint8) bool {
	for _, c := range p {
		if classes[c]&class == 0 {
			return false
		}
	}
	return true
}

// EqualFold compares with a lower-case ASCII name, without regard to case.
func EqualFold(p []byte, lower string) bool {
	if len(p) != len(lower) {
		return false
	}
	for i, c := range p {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// equalFold compares two, without regard to case.
func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i], b[i]
		if x >= 'A' && x <= 'Z' {
			x |= 0x20
		}
		if y >= 'A' && y <= 'Z' {
			y |= 0x20
		}
		if x != y {
			return false
		}
	}
	return true
}
