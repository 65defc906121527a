package memory

import "fmt"

// Verdict is an answer and the figures that it rests on.
type Verdict struct {
	Overlap            bool // there is room for a second child; false: in-place
	Limit, InUse, Need Figure
}

// Decide says overlap when what the limit leaves is at least what a second child needs. Any unknown figure is in-place:
// a wrong overlap kills a process, a wrong in-place makes requests wait.
func Decide(limit, inUse, need Figure) Verdict {
	known := limit.known && inUse.known && need.known
	return Verdict{
		Overlap: known && less(limit.bytes, inUse.bytes) >= need.bytes,
		Limit:   limit, InUse: inUse, Need: need,
	}
}

// String is one line for an operator: the verdict, and the figures or the one that is missing.
func (v Verdict) String() string {
	switch {
	case !v.Limit.known:
		return "in-place: the memory limit is " + v.Limit.String()
	case !v.InUse.known:
		return "in-place: the memory in use is " + v.InUse.String()
	case !v.Need.known:
		return "in-place: the memory that a second app needs is " + v.Need.String()
	}
	verdict := "in-place"
	if v.Overlap {
		verdict = "overlap"
	}
	left := less(v.Limit.bytes, v.InUse.bytes)
	leaves, needs := mib(left), mib(v.Need.bytes)
	if leaves == needs { // the two figures that were compared must not read alike
		leaves, needs = fmt.Sprintf("%d bytes", left), fmt.Sprintf("%d bytes", v.Need.bytes)
	}
	return fmt.Sprintf("%s: %s limit (%s) − %s in use leaves %s, a second app needs %s",
		verdict, mib(v.Limit.bytes), v.Limit.note, mib(v.InUse.bytes), leaves, needs)
}
