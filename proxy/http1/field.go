package http1

// Span is a part of the head: bytes Start to End of it.
type Span struct{ Start, End int32 }

// In returns the part of buf, which holds the head from its first byte.
func (s Span) In(buf []byte) []byte { return buf[s.Start:s.End] }

// Field is one field line.
type Field struct {
	Name, Value Span
	// Next is where the next line begins.
	Next int32
	ID   ID
}

// ID is a field that an intermediary has business with.
type ID uint8

// The known fields.
const (
	Other ID = iota
	Host
	ContentLength
	TransferEncoding
	Connection
	KeepAlive
	ProxyConnection
	ProxyAuthenticate
	ProxyAuthorization
	TE
	Trailer
	Upgrade
	HTTP2Settings
	Expect
	Accept
	ContentType
	ContentEncoding
	Forwarded
	XForwardedFor
	XForwardedProto
	XForwardedPort
	XForwardedHost
	XRequestID
)

// Names are the known fields' names, in lower case.
var Names = [...]string{
	Host: "host", ContentLength: "content-length", TransferEncoding: "transfer-encoding", Connection: "connection",
	KeepAlive: "keep-alive", ProxyConnection: "proxy-connection", ProxyAuthenticate: "proxy-authenticate",
	ProxyAuthorization: "proxy-authorization", TE: "te", Trailer: "trailer", Upgrade: "upgrade", HTTP2Settings: "http2-settings",
	Expect: "expect", Accept: "accept", ContentType: "content-type", ContentEncoding: "content-encoding", Forwarded: "forwarded",
	XForwardedFor: "x-forwarded-for", XForwardedProto: "x-forwarded-proto", XForwardedPort: "x-forwarded-port",
	XForwardedHost: "x-forwarded-host", XRequestID: "x-request-id",
}

// byLength are the known fields by the length of their name: most names are told apart by it.
var byLength = func() (t [32][]ID) {
	for id := Host; int(id) < len(Names); id++ {
		n := len(Names[id])
		t[n] = append(t[n], id)
	}
	return t
}()

// Identify returns the ID of a name.
func Identify(name []byte) ID {
	if len(name) >= len(byLength) {
		return Other
	}
	for _, id := range byLength[len(name)] {
		if EqualFold(name, Names[id]) {
			return id
		}
	}
	return Other
}

// fieldLine reads one line of fields, buf[start:end] without its CRLF (RFC 9112, 5).
func fieldLine(buf []byte, start, end int) (Field, error) {
	if buf[start] == ' ' || buf[start] == '\t' {
		return Field{}, errFold
	}
	colon := start
	for colon < end && classes[buf[colon]]&isToken != 0 {
		colon++
	}
	switch {
	case colon == end || buf[colon] != ':':
		return Field{}, errFieldName
	case colon == start:
		return Field{}, errFieldName
	}
	from, to := colon+1, end
	for from < to && (buf[from] == ' ' || buf[from] == '\t') {
		from++
	}
	for to > from && (buf[to-1] == ' ' || buf[to-1] == '\t') {
		to--
	}
	if !all(buf[from:to], isValue) {
		return Field{}, errFieldValue
	}
	return Field{
		Name: Span{int32(start), int32(colon)}, Value: Span{int32(from), int32(to)}, Next: int32(end + 2),
		ID: Identify(buf[start:colon]),
	}, nil
}

// Tokens calls f for each element of a comma-separated list (RFC 9110, 5.6.1), without the space around it; empty ones
// are skipped. It ends when f returns false.
func Tokens(list []byte, f func(token []byte) bool) {
	for len(list) > 0 {
		n := 0
		for n < len(list) && list[n] != ',' {
			n++
		}
		token := trim(list[:n])
		if len(token) > 0 && !f(token) {
			return
		}
		if n == len(list) {
			return
		}
		list = list[n+1:]
	}
}

func trim(p []byte) []byte {
	for len(p) > 0 && (p[0] == ' ' || p[0] == '\t') {
		p = p[1:]
	}
	for len(p) > 0 && (p[len(p)-1] == ' ' || p[len(p)-1] == '\t') {
		p = p[:len(p)-1]
	}
	return p
}
