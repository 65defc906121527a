package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestLogQueue_KeepsItsOrderAndWritesAllAtTheEnd(t *testing.T) {
	var out strings.Builder
	q := newLogQueue(&out, nil)
	var want strings.Builder
	line := make([]byte, 0, 100) // used again, as hclog does
	for i := range queuedLines {
		line = fmt.Appendf(line[:0], "line %d\n", i)
		_, _ = q.Write(line)
		want.Write(line)
	}
	q.close(t.Context())
	if out.String() != want.String() {
		t.Errorf("%d bytes came out of %d", out.Len(), want.Len())
	}
}

func TestLogQueue_TellsWhatItDroppedWhereThatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{freed: make(chan struct{})}
		q := newLogQueue(out, func(n int) { fmt.Fprintf(out, "%d dropped\n", n) })
		fmt.Fprintln(q, "first")
		synctest.Wait() // the writer has it, and is stuck
		for i := range queuedLines + 3 {
			fmt.Fprintln(q, "line", i)
		}
		close(out.freed)
		synctest.Wait()
		fmt.Fprintln(q, "and on")
		q.close(t.Context())
		want := fmt.Sprintf("line %d\n3 dropped\nand on\n", queuedLines-1)
		if got := out.String(); !strings.HasPrefix(got, "first\nline 0\nline 1\n") || !strings.HasSuffix(got, want) {
			t.Errorf("it wrote %.60q and at last %q", got, got[max(0, len(got)-60):])
		}
	})
}

func TestLogQueue_EndsInTimeWhenItsReaderIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{freed: make(chan struct{})}
		q := newLogQueue(out, nil)
		fmt.Fprintln(q, "last words")
		ctx, cancel := context.WithTimeout(t.Context(), lastWords)
		defer cancel()
		began := time.Now()
		q.close(ctx)
		if took := time.Since(began); took != lastWords {
			t.Errorf("it took %v", took)
		}
		close(out.freed)
	})
}

// stuck takes nothing until it is freed.
type stuck struct {
	strings.Builder
	freed chan struct{}
}

var _ io.Writer = (*stuck)(nil)

func (s *stuck) Write(b []byte) (int, error) {
	<-s.freed
	return s.Builder.Write(b)
}

// Its writes are refused twice, and taken in part.
type refusing struct {
	strings.Builder
	left int
}

func (r *refusing) Write(p []byte) (int, error) {
	if r.left--; r.left >= 0 {
		n, _ := r.Builder.Write(p[:len(p)/2])
		return n, &os.PathError{Op: "write", Err: syscall.EAGAIN}
	}
	return r.Builder.Write(p)
}

func TestLogQueue_APipeThatDoesNotBlockLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &refusing{left: 2}
		q := newLogQueue(out, nil)
		_, _ = q.Write([]byte("one line\n"))
		q.close(t.Context())
		if out.String() != "one line\n" {
			t.Errorf("%q", out)
		}
	})
}
