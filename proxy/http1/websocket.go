package http1

// Frames follows WebSocket frames (RFC 6455, 5.2), so that one can be put in between. The zero value stands before the
// first.
type Frames struct {
	head [14]byte
	have int    // bytes of the head
	left uint64 // bytes of the payload that are still to come
}

// Between says whether the next byte is the first of a frame.
func (f *Frames) Between() bool { return f.have == 0 && f.left == 0 }

// Next reads from p up to the end of the frame that it stands in, and returns how many bytes that were: all of p if the
// frame goes on behind it.
func (f *Frames) Next(p []byte) int {
	n := 0
	for n < len(p) && f.left == 0 {
		f.head[f.have] = p[n]
		f.have++
		n++
		if f.have == f.headSize() {
			f.left = f.payload()
			f.have = 0
			if f.left == 0 {
				return n
			}
		}
	}
	size := min(f.left, uint64(len(p)-n))
	f.left -= size
	return n + int(size)
}

// Advance reads all of p.
func (f *Frames) Advance(p []byte) {
	for len(p) > 0 {
		p = p[f.Next(p):]
	}
}

// headSize is how long the head is, as far as it is known.
func (f *Frames) headSize() int {
	if f.have < 2 {
		return 2
	}
	n := 2
	switch f.head[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if f.head[1]&0x80 != 0 { // masked
		n += 4
	}
	return n
}

func (f *Frames) payload() uint64 {
	size := uint64(f.head[1] & 0x7f)
	switch size {
	case 126:
		size = uint64(f.head[2])<<8 | uint64(f.head[3])
	case 127:
		size = 0
		for _, b := range f.head[2:10] {
			size = size<<8 | uint64(b)
		}
	}
	return size
}

// AppendClose appends a close frame of a server (RFC 6455, 5.5.1) with a status code and a reason of at most 123 bytes.
func AppendClose(dst []byte, code uint16, reason string) []byte {
	dst = append(dst, 0x88, byte(2+len(reason)), byte(code>>8), byte(code))
	return append(dst, reason...)
}
