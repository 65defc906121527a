package memory

import (
	"math"
	"testing"
)

func TestVerdict_OverlapsOnlyWhenTheRoomIsAtLeastTheNeed(t *testing.T) {
	for name, test := range map[string]struct {
		limit, inUse, need uint64
		overlap            bool
	}{
		"room to spare":          {512, 180, 120, true},
		"just enough":            {300, 180, 120, true},
		"a byte short":           {299, 180, 120, false},
		"in use beyond a limit":  {100, 180, 1, false},
		"a need beyond numbers":  {512, 180, math.MaxUint64, false},
		"a limit beyond numbers": {math.MaxUint64, 180, 120, true},
	} {
		v := Decide(Known(test.limit, "here"), Known(test.inUse, ""), Known(test.need, ""))
		if v.Overlap != test.overlap {
			t.Errorf("%s: overlap is %v: %v", name, v.Overlap, v)
		}
	}
}

func TestVerdict_AnyUnknownFigureIsInPlaceAndSaidSo(t *testing.T) {
	known, unknown := Known(1<<40, "here"), Unknown("nobody knows")
	for want, v := range map[string]Verdict{
		"in-place: the memory limit is unknown (nobody knows)":                                Decide(unknown, known, known),
		"in-place: the memory in use is unknown (nobody knows)":                               Decide(known, unknown, known),
		"in-place: the memory that a second app needs is unknown (nobody knows)":              Decide(known, Known(1, ""), unknown),
		"in-place: the memory limit is unknown":                                               Decide(Figure{}, Figure{}, Figure{}),
		"in-place: the memory limit is unknown (neither a cgroup nor ECS metadata tells one)": Decide(tightest(nil).limit, Figure{}, known),
	} {
		if v.Overlap || v.String() != want {
			t.Errorf("overlap is %v: %q, not %q", v.Overlap, v, want)
		}
	}
}

func TestVerdict_SaysTheFiguresAsAnOperatorReadsThem(t *testing.T) {
	limit, inUse := Known(512*mebi, "cgroup v2 memory.max"), Known(180*mebi+1, "")
	for want, need := range map[string]uint64{
		"overlap: 512 MiB limit (cgroup v2 memory.max) − 180 MiB in use leaves 332 MiB, a second app needs 120 MiB":                  120 * mebi,
		"in-place: 512 MiB limit (cgroup v2 memory.max) − 180 MiB in use leaves 332 MiB, a second app needs 333 MiB":                 333 * mebi,
		"in-place: 512 MiB limit (cgroup v2 memory.max) − 180 MiB in use leaves 348127231 bytes, a second app needs 348127232 bytes": 332 * mebi,
	} {
		if got := Decide(limit, inUse, Known(need, "")).String(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestFigure_TellsItsBytesOrThatItIsUnknown(t *testing.T) {
	if n, ok := Known(7, "x").Bytes(); n != 7 || !ok || Known(7, "x").Note() != "x" {
		t.Error(n, ok)
	}
	if n, ok := (Figure{}).Bytes(); n != 0 || ok {
		t.Error(n, ok)
	}
	for want, f := range map[string]Figure{
		"2 MiB (x)": Known(2*mebi, "x"), "17592186044416 MiB": Known(math.MaxUint64, ""),
		"unknown": {}, "unknown (x)": Unknown("x"),
	} {
		if f.String() != want {
			t.Errorf("%q, not %q", f, want)
		}
	}
}
