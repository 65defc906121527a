package memory

// bound is one limit and what is in use under it.
type bound struct {
	limit, inUse Figure
}

// room is what the limit leaves; nothing where a figure is unknown, so that such a bound is the tightest.
func (b bound) room() uint64 {
	if !b.limit.known || !b.inUse.known {
		return 0
	}
	return less(b.limit.bytes, b.inUse.bytes)
}

// tightest is the bound with the least room. That is not always the one with the least limit: a group above may have
// the larger limit and neighbours that have used it up.
func tightest(bounds []bound) bound {
	if len(bounds) == 0 {
		return bound{limit: Unknown("neither a cgroup nor ECS metadata tells one")}
	}
	least := bounds[0]
	for _, b := range bounds[1:] {
		if b.room() < least.room() {
			least = b
		}
	}
	return least
}
