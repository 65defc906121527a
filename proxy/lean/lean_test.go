package lean

import "testing"

func TestEngine_ServeAfterDrainEndsAtOnce(t *testing.T) {
	f := newFixture(t)
	if err := f.e.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	ln := listen(t)
	go func() { served <- f.e.Serve(t.Context(), ln) }()
	f.await("the end", func() bool { return len(served) == 1 })
	if err := <-served; err != nil {
		t.Error(err)
	}
}
