package http1

import (
	"bytes"
	"math"
)

// framing reads Content-Length and Transfer-Encoding (RFC 9112, 6). What could be read in two ways is refused, though
// the RFC would allow a proxy to mend some of it: the next reader may mend it otherwise.
func (h *Head) framing(buf []byte) error {
	h.Length = -1
	const framed = 1<<ContentLength | 1<<TransferEncoding
	switch {
	case h.Has&framed == 0:
		return nil
	case h.Has&framed == framed:
		return errLengthAndCoding
	}
	codings := 0
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.ID {
		case ContentLength:
			if h.Length >= 0 {
				return errManyLengths
			}
			n, ok := length(f.Value.In(buf))
			if !ok {
				return errLength
			}
			h.Length = n
		case TransferEncoding:
			codings++
			// To Node's parser a tab behind it is a part of it: that is no chunked then, and with Upgrade no body at all.
			if bytes.IndexByte(buf[f.Value.End:f.Next], '\t') >= 0 {
				return errCoding
			}
			if err := h.coding(f.Value.In(buf), codings); err != nil {
				return err
			}
		}
	}
	return nil
}

// coding reads one Transfer-Encoding: chunked, and nothing else (RFC 9112, 6.1).
func (h *Head) coding(value []byte, nth int) error {
	switch {
	case h.Minor == 0:
		return errOldCoding
	case nth > 1:
		return errCoding
	case EqualFold(value, "chunked"):
		h.Chunked = true
		return nil
	}
	// A list that ends in chunked says where the message ends, but codings before it are none of ours.
	last, others, chunked := false, 0, 0
	Tokens(value, func(token []byte) bool {
		if last = EqualFold(token, "chunked"); last {
			chunked++
		} else if all(token, isToken) {
			others++
		} else {
			chunked = math.MaxInt32 // malformed
		}
		return true
	})
	if last && others > 0 && chunked == 1 {
		return errUnknownCoding
	}
	return errCoding
}

// length reads 1*DIGIT (RFC 9110, 8.6).
func length(p []byte) (int64, bool) {
	if len(p) == 0 || !digits(p) {
		return 0, false
	}
	var n int64
	for _, c := range p {
		d := int64(c - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// connection reads Connection (RFC 9110, 7.6.1; RFC 9112, 9.3).
func (h *Head) connection(buf []byte) {
	h.Close = h.Minor == 0
	if !h.HasField(Connection) {
		return
	}
	closes, keeps := false, false
	for i := range h.Fields {
		if h.Fields[i].ID != Connection {
			continue
		}
		Tokens(h.Fields[i].Value.In(buf), func(option []byte) bool {
			switch {
			case EqualFold(option, "close"):
				closes = true
			case EqualFold(option, "keep-alive"):
				keeps = true
			case EqualFold(option, "upgrade"):
				h.Upgrade = true
			default:
				h.Nominated = true
			}
			return true
		})
	}
	h.Close = closes || h.Minor == 0 && !keeps
}

// Nominates says whether Connection names this field.
func (h *Head) Nominates(buf, name []byte) bool {
	found := false
	for i := range h.Fields {
		if h.Fields[i].ID == Connection && !found {
			Tokens(h.Fields[i].Value.In(buf), func(option []byte) bool {
				found = equalFold(option, name)
				return !found
			})
		}
	}
	return found
}
