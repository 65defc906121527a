package http1

import "bytes"

// requestLine reads "method SP target SP version" (RFC 9112, 3).
func (h *Head) requestLine(buf []byte, start, end int, limits Limits) error {
	m := start
	for m < end && classes[buf[m]]&isToken != 0 {
		m++
	}
	if m == start || m == end || buf[m] != ' ' {
		return errRequestLine
	}
	t := m + 1
	for t < end && classes[buf[t]]&isTarget != 0 {
		t++
	}
	switch {
	case t < end && buf[t] == '#':
		return errTarget
	case t == m+1 || t == end || buf[t] != ' ':
		return errRequestLine
	case t-m-1 > limits.Target:
		return errLongTarget
	}
	h.Method, h.Target = Span{int32(start), int32(m)}, Span{int32(m + 1), int32(t)}
	return h.version(buf[t+1 : end])
}

// version reads "HTTP/1.1" or "HTTP/1.0".
func (h *Head) version(p []byte) error {
	if len(p) != len("HTTP/1.1") || string(p[:5]) != "HTTP/" || p[6] != '.' || !digit(p[5]) || !digit(p[7]) {
		return errVersion
	}
	if p[5] != '1' || p[7] > '1' {
		return errOtherVersion
	}
	h.Minor = int(p[7] - '0')
	return nil
}

// finishRequest looks at the head as a whole: target, host, framing, connection.
func (h *Head) finishRequest(buf []byte) error {
	if err := h.framing(buf); err != nil {
		return err
	}
	h.connection(buf)
	host, err := h.host(buf)
	if err != nil {
		return err
	}
	return h.target(buf, host)
}

// host returns the one Host (RFC 9112, 3.2); nil where HTTP/1.0 has none.
func (h *Head) host(buf []byte) ([]byte, error) {
	if !h.HasField(Host) {
		if h.Minor == 0 {
			return nil, nil
		}
		return nil, errNoHost
	}
	var host []byte
	seen := false
	for i := range h.Fields {
		if h.Fields[i].ID == Host {
			if seen {
				return nil, errManyHosts
			}
			host, seen = h.Fields[i].Value.In(buf), true
		}
	}
	if !validHost(host) {
		return nil, errHost
	}
	return host, nil
}

// validHost looks at "uri-host [ : port ]" (RFC 9110, 7.2), which may be empty.
func validHost(host []byte) bool {
	if len(host) > 0 && host[0] == '[' {
		end := bytes.IndexByte(host, ']')
		if end < 0 || !all(host[1:end], isHost) {
			return false
		}
		host = host[end+1:]
		return len(host) == 0 || host[0] == ':' && digits(host[1:])
	}
	if colon := bytes.IndexByte(host, ':'); colon >= 0 {
		if !digits(host[colon+1:]) {
			return false
		}
		host = host[:colon]
	}
	return all(host, isHost)
}

// target looks at the form of the target (RFC 9112, 3.2).
func (h *Head) target(buf, host []byte) error {
	target, method := h.Target.In(buf), h.Method.In(buf)
	switch {
	case string(method) == "CONNECT":
		return errConnect // a tunnel to anywhere is no reverse proxy's business
	case string(method) == "PRI":
		return errOtherVersion // the preface of HTTP/2 (RFC 9113, 3.4), and behind it Node waits for the rest
	case target[0] == '/':
		return nil
	case len(target) == 1 && target[0] == '*' && string(method) == "OPTIONS":
		return nil
	}
	authority, port, ok := absolute(target)
	if !ok || len(authority) == 0 || authority[0] == ':' || !validHost(authority) { // a host must be named (RFC 9110, 4.2.1)
		return errTarget
	}
	// The target's authority stands over Host (RFC 9112, 3.2.2). An app may look at either, so they must be one.
	if h.HasField(Host) && !equalFold(withoutPort(authority, port), withoutPort(host, port)) {
		return errHostDiffers
	}
	return nil
}

// absolute takes an absolute-form apart: its authority, and the port that its scheme stands for.
func absolute(target []byte) (authority []byte, port string, ok bool) {
	colon := bytes.Index(target, []byte("://"))
	if colon < 0 {
		return nil, "", false
	}
	switch {
	case EqualFold(target[:colon], "http"):
		port = ":80"
	case EqualFold(target[:colon], "https"):
		port = ":443"
	default:
		return nil, "", false
	}
	authority = target[colon+3:]
	if end := bytes.IndexAny(authority, "/?"); end >= 0 {
		authority = authority[:end]
	}
	return authority, port, true
}

// withoutPort cuts the port off that need not be said.
func withoutPort(authority []byte, port string) []byte {
	if n := len(authority) - len(port); n >= 0 && string(authority[n:]) == port {
		return authority[:n]
	}
	return bytes.TrimSuffix(authority, []byte(":"))
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func digits(p []byte) bool {
	for _, c := range p {
		if !digit(c) {
			return false
		}
	}
	return true
}
