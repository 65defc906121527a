package e2e

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// meaning is what bytes of a client mean as HTTP/1.1 requests (RFC 9112, RFC 9110), read by a reader that shares nothing
// with the engines. Where the RFCs let a recipient choose between refusing and one other meaning, the request is marked.
type meaning struct {
	whole []meant
	part  *meant // its head is whole and its body, as far as it is sound, is not
	stop  string // why nothing after that means anything; empty: the bytes end there
}

// meant is one request.
type meant struct {
	method  string
	targets []string // any of these
	host    string
	fields  []field // end to end
	body    []byte
	trailer []field
	choice  string // the first reason why it may be refused as well; empty: it must be answered
	choices int
	tabs    bool // there is one beside a Content-Length
	// codingTab: there is one beside a Transfer-Encoding, which Node's parser takes for a part of it.
	codingTab bool
	last      string // why the connection ends after it
	old       bool   // it is HTTP/1.0
	engine    string // that is known to do some things otherwise; empty: none
}

type field struct{ name, value string }

// choose notes a reason to refuse.
func (m *meant) choose(why string) {
	m.choices++
	if m.choice == "" {
		m.choice = why
	}
}

// readMeaning reads requests until the bytes end or mean nothing.
func readMeaning(raw []byte, engine string) meaning {
	var all meaning
	for {
		m := &meant{engine: engine}
		raw = skipEmptyLines(raw, m)
		if len(raw) == 0 {
			return all
		}
		lines, rest, why := splitHead(raw, m)
		if why == "" {
			why = m.startLine(lines[0])
		}
		if why != "" {
			all.stop = why
			return all
		}
		fields, why := readFields(lines[1:], m)
		if why == "" {
			why = m.hostOf(fields)
		}
		if why != "" {
			all.stop = why
			return all
		}
		raw, why = m.readBody(fields, rest)
		m.keepEndToEnd(fields)
		if why == "" {
			all.whole = append(all.whole, *m)
			why = m.last
		} else if why != badFraming {
			all.part = m
		}
		if why != "" {
			all.stop = why
			return all
		}
	}
}

const badFraming = "bad framing"

// skipEmptyLines: RFC 9112, 2.2, says that a server should ignore at least one before a request line.
func skipEmptyLines(raw []byte, m *meant) []byte {
	for {
		rest, found := bytes.CutPrefix(raw, []byte("\r\n"))
		if !found {
			rest, found = bytes.CutPrefix(raw, []byte("\n"))
		}
		if !found {
			return raw
		}
		m.choose("empty lines before it")
		raw = rest
	}
}

// splitHead returns the lines before the first empty one, and what comes after that.
func splitHead(raw []byte, m *meant) (lines []string, rest []byte, why string) {
	for {
		line, after, found := bytes.Cut(raw, []byte("\n"))
		if !found {
			return nil, nil, "the head does not end"
		}
		line, crlf := bytes.CutSuffix(line, []byte("\r"))
		if !crlf {
			m.choose("a bare LF ends a line") // RFC 9112, 2.2: may be recognised
		}
		raw = after
		if len(line) == 0 {
			if lines == nil {
				return nil, nil, "no request line"
			}
			return lines, raw, ""
		}
		lines = append(lines, string(line))
	}
}

// startLine reads RFC 9112, 3.
func (m *meant) startLine(line string) (why string) {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !isToken(parts[0]) {
		return "a malformed request line"
	}
	m.method = parts[0]
	switch v := parts[2]; {
	case v == "HTTP/1.0":
		m.last, m.old = "HTTP/1.0", true
	case v == "HTTP/1.1":
	case len(v) == 8 && strings.HasPrefix(v, "HTTP/1.") && v[7] >= '2' && v[7] <= '9':
		m.choose("a minor version above 1")
	default:
		return "not HTTP/1.x"
	}
	if !slices.Contains(nodeMethods, m.method) {
		m.choose("a method that Node does not know")
	}
	return m.target(parts[1])
}

// nodeMethods are those that are sent here of what Node's parser knows; it refuses what it does not know.
var nodeMethods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE", "PROPFIND", "TRACE"}

// target reads RFC 9112, 3.2.
func (m *meant) target(target string) (why string) {
	for i := range len(target) {
		if target[i] <= ' ' || target[i] == 0x7f {
			return "a control byte in the target"
		}
		if target[i] >= 0x80 || strings.IndexByte("|{}\"<>^`\\#[]", target[i]) >= 0 {
			m.choose("a byte that a target may not have")
		}
	}
	if !escapes(target) {
		m.tolerates(noEscape)
	}
	m.targets = []string{target}
	scheme, rest, absolute := strings.Cut(target, "://")
	switch {
	case m.method == "CONNECT":
		return "CONNECT is not for a reverse proxy"
	case strings.HasPrefix(target, "/"):
		return ""
	case target == "*" && m.method == "OPTIONS":
		m.choose("asterisk-form")
		return ""
	case absolute && isToken(scheme) && rest != "":
		m.choose("absolute-form")
		i := strings.IndexAny(rest+"/", "/?#")
		m.host = rest[strings.IndexByte(rest[:i], '@')+1 : i]
		m.targets = append(m.targets, rest[i:], "/"+rest[i:])
		return ""
	}
	return "a target of no form"
}

// escapes says whether each percent sign before a query begins an escape.
func escapes(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	for i, part := range strings.Split(path, "%") {
		if i > 0 && (len(part) < 2 || strings.Trim(part[:2], "0123456789abcdefABCDEF") != "") {
			return false
		}
	}
	return true
}

// readFields reads RFC 9112, 5.
func readFields(lines []string, m *meant) (fields []field, why string) {
	for _, line := range lines {
		if line[0] == ' ' || line[0] == '\t' {
			if len(fields) == 0 {
				return nil, "white space before the first field"
			}
			m.choose("obs-fold")
			last := &fields[len(fields)-1]
			last.value = strings.Trim(last.value+" "+trimField(line, m), " \t")
			continue
		}
		name, value, colon := strings.Cut(line, ":")
		if !colon || !isToken(name) {
			return nil, "a malformed field line"
		}
		m.codingTab = m.codingTab || strings.EqualFold(name, "transfer-encoding") && strings.Contains(value, "\t")
		m.tabs = m.tabs || strings.EqualFold(name, "content-length") && strings.Contains(value, "\t")
		fields = append(fields, field{name, trimField(value, m)})
	}
	for _, f := range fields {
		if strings.Contains(f.value, "\x00") {
			return nil, "NUL in a field"
		}
	}
	return fields, ""
}

// trimField: RFC 9110, 5.5, lets CR be replaced by a space, and other control bytes but NUL stay.
func trimField(value string, m *meant) string {
	b := []byte(value)
	for i, c := range b {
		if c == '\r' {
			b[i] = ' '
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			m.choose("a control byte in a field")
		}
	}
	return strings.Trim(string(b), " \t")
}

// hostOf reads RFC 9112, 3.2: one Host in HTTP/1.1, and a valid one.
func (m *meant) hostOf(fields []field) (why string) {
	hosts := valuesOf(fields, "host")
	if len(hosts) > 1 || len(hosts) == 0 && !m.old {
		return "not one Host"
	}
	if len(hosts) == 0 {
		m.choose("no Host")
		return ""
	}
	if m.host != "" {
		return "" // RFC 9112, 3.2.2: the target's counts
	}
	m.host = hosts[0]
	for i := range len(m.host) {
		switch c := m.host[i]; {
		case c >= 0x80 || c == '@':
			m.choose("an odd Host")
		case c <= ' ' || strings.IndexByte("\"#/<>?\\^`{|}\x7f", c) >= 0:
			return "an invalid Host"
		}
	}
	if m.host == "" || strings.ContainsAny(m.host, ":[]%,") {
		m.choose("an odd Host")
	}
	return ""
}

// valuesOf returns all values of a field.
func valuesOf(fields []field, name string) (values []string) {
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

// listOf returns the elements of a list field, in lower case, empty ones too; nil if it is not there.
func listOf(fields []field, name string) (list []string) {
	for _, v := range valuesOf(fields, name) {
		for e := range strings.SplitSeq(v, ",") {
			list = append(list, lower(strings.Trim(e, " \t")))
		}
	}
	return list
}

// lower knows no letters but ASCII's.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// lengthOf reads a Content-Length; -1 if it is none.
func lengthOf(list []string, m *meant) int64 {
	if len(list) > 1 {
		m.choose("more than one Content-Length")
	}
	if m.tabs {
		m.choose("a tab beside a Content-Length")
	}
	for _, e := range list {
		if e != list[0] || e == "" || strings.Trim(e, "0123456789") != "" {
			return -1
		}
	}
	n, err := strconv.ParseInt(list[0], 10, 64)
	if err != nil {
		return -1
	}
	return n
}
