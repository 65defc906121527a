package http1

import "bytes"

// Limits bounds a head.
type Limits struct {
	// Bytes is the most that a head may have, Target a request target; Fields is the most field lines.
	Bytes, Target, Fields int
}

// Head is the head of a request or a response, and how its body is framed. It is filled by Request or Response, which are
// called again with more bytes until they say that it is whole; Reset makes it ready for the next.
//
// Its spans are parts of the buffer that was shown, which always begins with the head's first byte.
type Head struct {
	// Method and Target of a request. The target is as it came.
	Method, Target Span
	// Status and Reason of a response.
	Status int
	Reason Span
	// Minor is the version: 1 for HTTP/1.1, 0 for HTTP/1.0.
	Minor  int
	Fields []Field
	// Size is how many bytes the head has, its empty line among them.
	Size int

	// Framing of the body (RFC 9112, 6): chunked, or Length bytes, or none. Length is -1 where neither is said: a request
	// has no body then, and a response ends with its connection.
	Chunked bool
	Length  int64
	// Close says that the sender ends the connection after this message (RFC 9112, 9.3).
	Close bool
	// Upgrade says that Connection names it; Nominated, that it names other fields too.
	Upgrade, Nominated bool
	// Has says which known fields there are, a bit for each ID.
	Has uint32

	next int // where the line begins that is read next
	scan int // up to where no end of that line has been found
	line int // how many lines have been read, empty ones before the first not among them
}

// Reset makes h ready for another head.
func (h *Head) Reset() { *h = Head{Fields: h.Fields[:0]} }

// HasField says whether a known field is there.
func (h *Head) HasField(id ID) bool { return h.Has&(1<<id) != 0 }

// Find returns the value of the first field of an ID, nil if there is none.
func (h *Head) Find(buf []byte, id ID) []byte {
	if h.HasField(id) {
		for i := range h.Fields {
			if h.Fields[i].ID == id {
				return h.Fields[i].Value.In(buf)
			}
		}
	}
	return nil
}

// Started says whether anything but empty lines has been seen.
func (h *Head) Started() bool { return h.line > 0 || h.scan > h.next }

// lineRoom is what a request line may have beside its target: a method, the spaces, the version, CRLF.
const lineRoom = 64

// Request reads a request's head (RFC 9112, 3 and 5) from buf. It returns true when it is whole, false when there must
// be more bytes, or a *Error.
func (h *Head) Request(buf []byte, limits Limits) (bool, error) {
	done, err := h.lines(buf, limits, limits.Target+lineRoom, (*Head).requestLine)
	if !done || err != nil {
		return false, err
	}
	return true, h.finishRequest(buf)
}

// Response reads a response's head (RFC 9112, 4 and 5) from buf, as Request does.
func (h *Head) Response(buf []byte, limits Limits) (bool, error) {
	done, err := h.lines(buf, limits, limits.Bytes, (*Head).statusLine)
	if !done || err != nil {
		return false, err
	}
	return true, h.finishResponse(buf)
}

// Trailers reads a trailer section (RFC 9112, 7.1.2) from buf, as Request does. Its fields are only looked at one by one.
func (h *Head) Trailers(buf []byte, limits Limits) (bool, error) {
	h.line = max(h.line, 1) // there is no first line
	return h.lines(buf, limits, limits.Bytes, nil)
}

// lines reads the lines that are whole and says whether the empty one was among them. What lies behind a limit is not
// looked at, though it be there: the verdict must not depend on how the bytes were cut on their way.
func (h *Head) lines(buf []byte, limits Limits, longest int, first func(*Head, []byte, int, int, Limits) error) (bool, error) {
	for {
		most, over := limits.Bytes, errLargeHead
		if h.line == 0 && longest < most-h.next {
			most, over = h.next+longest, errLongTarget
		}
		shown := buf[:min(len(buf), most)]
		i := bytes.IndexByte(shown[h.scan:], '\n')
		switch {
		case i < 0 && len(shown) == most:
			return false, over
		case i < 0:
			h.scan = len(shown)
			return false, nil
		}
		start, end := h.next, h.scan+i-1 // of the line without CRLF
		if end < start || buf[end] != '\r' {
			return false, errBareLF
		}
		h.next, h.scan = end+2, end+2
		switch {
		case end == start && h.line == 0:
			continue // an empty line before the first is skipped (RFC 9112, 2.2)
		case end == start:
			h.Size = h.next
			return true, nil
		case h.line == 0:
			if err := first(h, buf, start, end, limits); err != nil {
				return false, err
			}
		default:
			if err := h.field(buf, start, end, limits); err != nil {
				return false, err
			}
		}
		h.line++
	}
}

func (h *Head) field(buf []byte, start, end int, limits Limits) error {
	if len(h.Fields) >= limits.Fields {
		return errManyFields
	}
	f, err := fieldLine(buf, start, end)
	if err != nil {
		return err
	}
	h.Has |= 1 << f.ID
	h.Fields = append(h.Fields, f)
	return nil
}
