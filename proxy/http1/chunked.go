package http1

// maxExtension bounds the extensions of one chunk, which nobody uses and attackers do.
const maxExtension = 256

// Chunked follows a chunked body (RFC 9112, 7.1). The zero value stands before the first chunk.
type Chunked struct {
	state     chunkState
	left      uint64 // bytes of this chunk's data that are still to come
	digits    int    // of the size, leading zeros too
	extension int    // bytes of extensions
	filled    bool   // an extension's name or value has a byte
}

type chunkState uint8

const (
	chunkSize      chunkState = iota
	chunkExtName              // behind ';'
	chunkExtValue             // behind '='
	chunkExtString            // in quotes
	chunkExtEscape            // behind a backslash in quotes
	chunkExtAfter             // behind the closing quote
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	chunkEnd // behind the line of the last chunk
)

// Next reads from p, up to the next piece of data or to the end. It returns how many bytes of p it has read, and the data
// that is the last of them, if any. At the end of the last chunk's line, behind which the trailer section begins, done is
// true. The error is a *Error.
func (c *Chunked) Next(p []byte) (n int, data []byte, done bool, err error) {
	for n < len(p) {
		if c.state == chunkData {
			size := min(c.left, uint64(len(p)-n))
			data = p[n : n+int(size)]
			if c.left -= size; c.left == 0 {
				c.state = chunkDataCR
			}
			return n + int(size), data, false, nil
		}
		if err := c.step(p[n]); err != nil {
			return n, nil, false, err
		}
		n++
		if c.state == chunkEnd {
			return n, nil, true, nil
		}
	}
	return n, nil, false, nil
}

// Advance reads all of p up to the end of the last chunk's line. It returns how many bytes of p it has read, and how
// many of them were data.
func (c *Chunked) Advance(p []byte) (n int, data int64, done bool, err error) {
	for n < len(p) && !done && err == nil {
		var read int
		var piece []byte
		read, piece, done, err = c.Next(p[n:])
		n += read
		data += int64(len(piece))
	}
	return n, data, done, err
}

// Between says whether the next byte is the first of a chunk, so that a last chunk could stand here.
func (c *Chunked) Between() bool { return c.state == chunkSize && c.digits == 0 }

// step reads one byte that is no data.
func (c *Chunked) step(b byte) error {
	switch c.state {
	case chunkSize:
		return c.size(b)
	case chunkSizeLF:
		if b != '\n' {
			return errChunkSize
		}
		c.state = chunkData
		if c.left == 0 {
			c.state = chunkEnd
		}
	case chunkDataCR:
		if b != '\r' {
			return errChunkEnd
		}
		c.state = chunkDataLF
	case chunkDataLF:
		if b != '\n' {
			return errChunkEnd
		}
		*c = Chunked{}
	default:
		return c.extend(b)
	}
	return nil
}

// size reads 1*HEXDIG and what ends it.
func (c *Chunked) size(b byte) error {
	d, ok := hex(b)
	switch {
	case ok:
		if c.digits++; c.digits > 16 || c.left>>59 != 0 { // so that it stays below 2^63
			return errChunkSize
		}
		c.left = c.left<<4 | uint64(d)
	case c.digits == 0:
		return errChunkSize
	case b == '\r':
		c.state = chunkSizeLF
	case b == ';':
		c.state = chunkExtName
	default:
		return errChunkSize
	}
	return nil
}

// extend reads the extensions (RFC 9112, 7.1.1): names, and values that are tokens or quoted strings, with no space
// between.
func (c *Chunked) extend(b byte) error {
	if c.extension++; c.extension > maxExtension {
		return errChunkExtension
	}
	class := classes[b]
	switch c.state {
	case chunkExtName, chunkExtValue:
		switch {
		case class&isToken != 0:
			c.filled = true
		case b == '"' && c.state == chunkExtValue && !c.filled:
			c.state = chunkExtString
		case !c.filled:
			return errChunkExtension
		case b == '=' && c.state == chunkExtName:
			c.state, c.filled = chunkExtValue, false
		default:
			return c.extended(b)
		}
	case chunkExtString:
		switch {
		case b == '"':
			c.state = chunkExtAfter
		case b == '\\':
			c.state = chunkExtEscape
		case class&isQuoted == 0:
			return errChunkExtension
		}
	case chunkExtEscape:
		if class&isValue == 0 {
			return errChunkExtension
		}
		c.state = chunkExtString
	default:
		return c.extended(b)
	}
	return nil
}

// extended reads what stands behind an extension.
func (c *Chunked) extended(b byte) error {
	switch b {
	case ';':
		c.state, c.filled = chunkExtName, false
	case '\r':
		c.state = chunkSizeLF
	default:
		return errChunkExtension
	}
	return nil
}

func hex(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10, true
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}
