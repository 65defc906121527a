package proxy

// slots holds connections under small numbers, which the kernel keeps for us, and is quick to walk through.
type slots struct {
	conns []*conn
	rises []uint32 // how often each slot was given away
	free  []uint32
	n     int
}

// add gives c its id: the slot, and how often it was given away, so that an id never means another connection.
func (s *slots) add(c *conn) {
	var i uint32
	if n := len(s.free); n > 0 {
		i, s.free = s.free[n-1], s.free[:n-1]
	} else {
		i = uint32(len(s.conns))
		s.conns, s.rises = append(s.conns, nil), append(s.rises, 0)
	}
	s.rises[i]++
	s.conns[i], c.id = c, uint64(s.rises[i])<<32|uint64(i)
	s.n++
}

func (s *slots) remove(c *conn) {
	if s.find(c.id) != c {
		return
	}
	i := uint32(c.id)
	s.conns[i] = nil
	s.free = append(s.free, i)
	s.n--
}

// find returns the connection of an id, nil if it has ended.
func (s *slots) find(id uint64) *conn {
	i := uint32(id)
	if int(i) >= len(s.conns) || s.rises[i] != uint32(id>>32) {
		return nil
	}
	return s.conns[i]
}

func (s *slots) each(f func(*conn)) {
	for _, c := range s.conns {
		if c != nil {
			f(c)
		}
	}
}
