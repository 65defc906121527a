package lean

import "testing"

func TestSlots_AnIDNeverMeansAnotherConnection(t *testing.T) {
	var s slots
	first := &conn{}
	s.add(first)
	seen := map[uint64]bool{first.id: true}
	before := first.id
	s.remove(first)
	s.remove(first) // does no harm
	for range 100 {
		c := &conn{}
		s.add(c)
		if seen[c.id] || s.find(before) != nil || s.find(c.id) != c || s.n != 1 {
			t.Fatalf("%x, %d connections", c.id, s.n)
		}
		seen[c.id] = true
		before = c.id
		s.remove(first)
		s.remove(c)
	}
	if len(s.conns) != 1 || s.n != 0 || s.find(1<<40) != nil || s.find(99) != nil {
		t.Errorf("%d slots for one connection at a time, %d left", len(s.conns), s.n)
	}
}
