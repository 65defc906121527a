package logs

import "unicode/utf8"

const hex = "0123456789abcdef"

// plain are the bytes that stand for themselves in a JSON string (RFC 8259, section 7) and are a character each.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendQuoted appends text as the inside of a JSON string, whole characters, until room bytes are filled. It says how many
// bytes of text it took and how many of these were not UTF-8; each of them becomes U+FFFD. Nothing gets shorter by it.
func appendQuoted(dst, text []byte, room int) (_ []byte, took, invalid int) {
	for {
		n := plainRun(text[took:min(len(text), took+room)])
		dst = append(dst, text[took:took+n]...)
		took, room = took+n, room-n
		if took == len(text) {
			return dst, took, invalid
		}
		before := len(dst)
		dst, n = appendCharacter(dst, text[took:])
		if len(dst)-before > room {
			return dst[:before], took, invalid
		}
		if n == 1 && text[took] >= utf8.RuneSelf {
			invalid++
		}
		took, room = took+n, room-(len(dst)-before)
	}
}

func plainRun(text []byte) int {
	for i, c := range text {
		if !plain[c] {
			return i
		}
	}
	return len(text)
}

// appendCharacter appends the first character of text, and says how many bytes of text that was.
func appendCharacter(dst, text []byte) ([]byte, int) {
	switch c := text[0]; {
	case c >= utf8.RuneSelf:
		r, n := utf8.DecodeRune(text)
		return utf8.AppendRune(dst, r), n
	case c == '"' || c == '\\':
		return append(dst, '\\', c), 1
	case c == '\t':
		return append(dst, `\t`...), 1
	case c == '\r':
		return append(dst, `\r`...), 1
	case c < ' ':
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15]), 1
	default:
		return append(dst, c), 1
	}
}
