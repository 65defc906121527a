package memory

import (
	"math"
	"strconv"
)

const mebi = 1 << 20

// Figure is an amount of memory in bytes, or the statement that it is unknown. The zero value is unknown.
type Figure struct {
	bytes uint64
	known bool
	note  string
}

// Known is n bytes. The note says whose figure it is, as "cgroup v2 memory.max"; it may be empty.
func Known(n uint64, note string) Figure { return Figure{bytes: n, known: true, note: note} }

// Unknown is a figure that nobody could tell, and why.
func Unknown(why string) Figure { return Figure{note: why} }

// Bytes is the amount; ok is false when it is unknown.
func (f Figure) Bytes() (n uint64, ok bool) { return f.bytes, f.known }

// Note is whose figure it is, or why it is unknown.
func (f Figure) Note() string { return f.note }

// String is the amount in MiB, the unit of ECS, and the note.
func (f Figure) String() string {
	switch {
	case f.known && f.note == "":
		return mib(f.bytes)
	case f.known:
		return mib(f.bytes) + " (" + f.note + ")"
	case f.note == "":
		return "unknown"
	default:
		return "unknown (" + f.note + ")"
	}
}

// less is what remains of a when b is taken from it, never below zero.
func less(a, b uint64) uint64 { return a - min(a, b) }

// more is a and b together, never beyond the largest number: a sum that wraps round would look like room.
func more(a, b uint64) uint64 { return a + min(b, math.MaxUint64-a) }

// mib rounds to the nearest, without an overflow near 2^64.
func mib(n uint64) string {
	whole := n / mebi
	if n%mebi >= mebi/2 {
		whole++
	}
	return strconv.FormatUint(whole, 10) + " MiB"
}
