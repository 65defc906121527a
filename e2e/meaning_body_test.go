package e2e

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// readBody reads RFC 9112, 6 and 7, and returns what follows the body.
func (m *meant) readBody(fields []field, raw []byte) (rest []byte, why string) {
	codings, lengths := listOf(fields, "transfer-encoding"), listOf(fields, "content-length")
	m.connection(fields)
	if codings != nil && m.old && m.tolerates(oldWithCoding) {
		codings = nil
	}
	switch {
	case codings == nil && lengths == nil:
		return raw, ""
	case codings != nil && m.old:
		return nil, badFraming // RFC 9112, 6.1
	case codings != nil:
		named := slices.DeleteFunc(slices.Clone(codings), func(c string) bool { return c == "" })
		if !slices.Equal(named, []string{"chunked"}) {
			return nil, badFraming
		}
		if m.codingTab {
			m.choose("a tab beside a Transfer-Encoding")
		}
		if len(named) != len(codings) {
			m.choose("an empty element in Transfer-Encoding")
		}
		if lengths != nil {
			m.choose("Content-Length and Transfer-Encoding")
			if !m.tolerates(bothFramings) {
				m.last = bothFramings
			}
		}
		return m.readChunks(raw)
	}
	n := lengthOf(lengths, m)
	if n < 0 {
		return nil, badFraming
	}
	if int64(len(raw)) < n {
		m.body = raw
		return nil, "the body is cut"
	}
	m.body = raw[:n]
	return raw[n:], ""
}

// connection reads RFC 9112, 9.3. What follows a request of HTTP/1.0 that asks for keep-alive may be answered.
func (m *meant) connection(fields []field) {
	options := listOf(fields, "connection")
	switch {
	case slices.Contains(options, "close"):
		m.last += " Connection: close"
	case m.old && slices.Contains(options, "keep-alive"):
		m.last = ""
		m.choose("keep-alive in HTTP/1.0")
	}
}

// readChunks reads RFC 9112, 7.1.
func (m *meant) readChunks(raw []byte) (rest []byte, why string) {
	for {
		line, after, found := bytes.Cut(raw, []byte("\n"))
		if !found {
			return nil, "the chunks are cut"
		}
		line, crlf := bytes.CutSuffix(line, []byte("\r"))
		size, ok := m.chunkSize(string(line))
		if !crlf || !ok {
			return nil, "a malformed chunk size"
		}
		raw = after
		if size == 0 {
			return m.readTrailer(raw)
		}
		if uint64(len(raw)) < size {
			m.body = append(m.body, raw...)
			return nil, "the chunks are cut"
		}
		m.body = append(m.body, raw[:size]...)
		if raw, ok = bytes.CutPrefix(raw[size:], []byte("\r\n")); !ok {
			return nil, "a chunk is longer than its size, or cut"
		}
	}
}

func (m *meant) chunkSize(line string) (size uint64, ok bool) {
	digits := line[:len(line)-len(strings.TrimLeft(line, "0123456789abcdefABCDEF"))]
	extensions := strings.TrimLeft(line[len(digits):], " \t")
	if len(digits) > 8 {
		m.choose("a chunk size of many digits")
	}
	if len(digits) < len(line) {
		m.choose("something behind a chunk size")
	}
	if extensions != "" && extensions[0] != ';' {
		return 0, false
	}
	for i := range len(extensions) {
		if c := extensions[i]; c < ' ' && c != '\t' || c == 0x7f {
			if !m.tolerates(badExtension) {
				return 0, false
			}
		}
	}
	if digits != "" && strings.Trim(digits, "0") == "" {
		return 0, true
	}
	size, err := strconv.ParseUint(strings.TrimLeft(digits, "0"), 16, 64)
	return size, err == nil
}

func (m *meant) readTrailer(raw []byte) (rest []byte, why string) {
	var lines []string
	ends := bytes.Contains(raw, []byte("\r\n\r\n"))
	for {
		line, after, found := bytes.Cut(raw, []byte("\n"))
		if !found {
			return nil, "the trailer is cut"
		}
		raw = after
		line, crlf := bytes.CutSuffix(line, []byte("\r"))
		if !crlf {
			m.choose("a bare LF in the trailer")
			if !ends && m.tolerates(waitsForCRLF) {
				return nil, "the trailer is cut"
			}
		}
		if len(line) == 0 {
			break
		}
		lines = append(lines, string(line))
	}
	if lines != nil {
		m.choose("a trailer") // of hostile clients; that good ones pass has a test of its own
	}
	if m.trailer, why = readFields(lines, m); why != "" && !m.tolerates(badTrailer) {
		return nil, why
	}
	return raw, ""
}

// hopByHop are fields that a proxy takes off or makes anew, or that are compared apart.
var hopByHop = []string{
	"connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "transfer-encoding", "content-length",
	"host", "trailer", "expect", "proxy-authorization", "proxy-authenticate",
}

// protected are fields that a Connection field must not take off: they say whom a request is for, and from whom it comes.
var protected = []string{"x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-host", "forwarded"}

// keepEndToEnd leaves what the app must see.
func (m *meant) keepEndToEnd(fields []field) {
	named := listOf(fields, "connection")
	for _, f := range fields {
		name := strings.ToLower(f.name)
		if slices.Contains(hopByHop, name) || slices.Contains(named, name) && !slices.Contains(protected, name) {
			continue
		}
		m.fields = append(m.fields, f)
	}
	if slices.Contains(listOf(fields, "upgrade"), "h2c") {
		m.choose("an upgrade to h2c")
	}
	for _, e := range listOf(fields, "expect") {
		if e != "100-continue" {
			m.choose("an unknown expectation")
		}
	}
	m.choosePastBounds(fields)
}

// choosePastBounds: engines and Node have bounds, of which 8 KiB, 100 fields and no odd byte are within.
func (m *meant) choosePastBounds(fields []field) {
	size := len(m.targets[0])
	for _, f := range fields {
		size += len(f.name) + len(f.value) + 4
		if strings.EqualFold(f.name, "trailer") {
			m.choose("it announces a trailer")
		}
	}
	if size > 8<<10 || len(fields) > 100 {
		m.choose("a large head")
	}
}
