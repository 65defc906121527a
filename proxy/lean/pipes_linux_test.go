package lean

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestPipes_ThoseThatAreNotNeededAreClosedByTheSecondSweep(t *testing.T) {
	var p pipes
	a, b := p.get(), p.get()
	if a == nil || b == nil {
		t.Fatal("no pipes")
	}
	p.put(a, true)
	p.put(b, true)
	p.sweep() // both were needed since
	if len(p.kept) != 2 {
		t.Fatalf("%d kept, want 2", len(p.kept))
	}
	p.put(p.get(), true)
	p.sweep() // one was
	if len(p.kept) != 1 {
		t.Errorf("%d kept, want 1", len(p.kept))
	}
	p.sweep()
	if len(p.kept) != 0 {
		t.Errorf("%d kept, want none", len(p.kept))
	}
	for _, pipe := range []*pipe{a, b} {
		if _, err := unix.FcntlInt(uintptr(pipe.r), unix.F_GETFD, 0); err == nil {
			t.Error("one that is not kept is open")
		}
	}
	c := p.get()
	p.put(c, false) // with something in it
	if len(p.kept) != 0 {
		t.Error("one that is not empty was kept")
	}
	p.close()
}
