package http1

// statusLine reads "version SP status SP [ reason ]" (RFC 9112, 4). The second space may be missing with the reason.
func (h *Head) statusLine(buf []byte, start, end int, _ Limits) error {
	p := buf[start:end]
	const status = len("HTTP/1.1 ")
	if len(p) < status+3 || p[status-1] != ' ' || !digits(p[status:status+3]) {
		return errStatusLine
	}
	if err := h.version(p[:status-1]); err != nil {
		return err
	}
	h.Status = int(p[status]-'0')*100 + int(p[status+1]-'0')*10 + int(p[status+2]-'0')
	if h.Status < 100 {
		return errStatusLine
	}
	reason := p[status+3:]
	if len(reason) > 0 && (reason[0] != ' ' || !all(reason, isValue)) {
		return errStatusLine
	}
	h.Reason = Span{int32(end - max(0, len(reason)-1)), int32(end)}
	return nil
}

func (h *Head) finishResponse(buf []byte) error {
	if err := h.framing(buf); err != nil {
		return err
	}
	h.connection(buf)
	return nil
}

// HasBody says whether a response has a body (RFC 9112, 6.3).
func (h *Head) HasBody(toHEAD bool) bool {
	switch {
	case toHEAD, h.Status < 200, h.Status == 204, h.Status == 304:
		return false
	}
	return h.Chunked || h.Length != 0
}

// KeepAliveTimeout reads "timeout=5" of Keep-Alive, by which Node says after how many seconds it closes an idle connection;
// -1 if nothing is said.
func (h *Head) KeepAliveTimeout(buf []byte) int {
	seconds := -1
	Tokens(h.Find(buf, KeepAlive), func(p []byte) bool {
		const name = "timeout="
		if len(p) > len(name) && EqualFold(p[:len(name)], name) {
			if n, ok := length(p[len(name):]); ok && n < 1<<30 {
				seconds = int(n)
			}
		}
		return true
	})
	return seconds
}
