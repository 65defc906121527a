package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSink_StuckOutputNeverBlocksTheChild(t *testing.T) {
	t.Parallel()
	const lines = 120_000  // of 845 bytes: 100 MB
	r, w, err := os.Pipe() // which nobody reads
	if err != nil {
		t.Fatal(err)
	}
	s := newSink(t, SinkConfig{Out: w})
	p, cmd := start(t, s, "burst", "REPEAT=10", "COUNT="+strconv.Itoa(lines))
	finish(t, p, cmd)
	gathered := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(r)
		gathered <- all
	}()
	closeSink(t, s)
	_ = w.Close()
	out := <-gathered
	if len(out) < DefaultBuffer*9/10 || len(out) > DefaultBuffer+2<<20 {
		t.Errorf("%d bytes were kept in a buffer of %d and two pipes", len(out), DefaultBuffer)
	}
	next := 0 // the number of the next line, as the lines and the gaps say
	for _, o := range decode(t, out) {
		if o.Dropped > 0 {
			next += o.Dropped
			continue
		}
		if n, _, _ := strings.Cut(*o.Line, " "); n != strconv.Itoa(10_000_000+next) {
			t.Fatalf("line %s where %d was expected", n, next)
		}
		next++
	}
	if next != lines {
		t.Errorf("lines and counts come to %d of %d", next, lines)
	}
}

func TestSink_NothingIsDroppedWhileTheOutputKeepsUp(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // reader and writer must take turns
	const lines = 200_000
	out := &counter{}
	s := newSink(t, SinkConfig{Out: out, Buffer: 1 << 20})
	p, cmd := start(t, s, "burst", "COUNT="+strconv.Itoa(lines))
	finish(t, p, cmd)
	closeSink(t, s)
	if out.dropped > 0 || out.lines != lines {
		t.Errorf("%d lines of %d, told of drops %d times", out.lines, lines, out.dropped)
	}
}

func TestSink_DroppedLinesAreToldWhereTheyAreMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &gate{opened: make(chan bool)}
		s := newSink(t, SinkConfig{Out: out, Buffer: 1}) // two blocks
		a, b := newSource("v1", 1, "stdout"), newSource("v1", 1, "stderr")
		const each = 1000 // bytes a line
		say := func(src *source, n, each int) {
			enc := newEncoder(src, DefaultMaxLine, func(lines []byte) { s.put(src, lines) })
			enc.at(time.Now())
			for range n {
				enc.line(bytes.Repeat([]byte("x"), each-len(enc.head)-len(`"line":""}`)-1), terminated)
				enc.flush()
			}
		}
		say(a, 1, each)
		synctest.Wait() // the writer holds a block with one line
		fits := blockSize / each
		say(a, fits+7, each)
		say(b, 3, each)
		say(a, 5, 200) // for these there would be room
		synctest.Wait()
		close(out.opened)
		synctest.Wait()
		say(a, 2, each)
		closeSink(t, s)
		var got []string
		for _, o := range decode(t, out.bytes()) {
			word := o.Stream
			if o.Dropped > 0 {
				word += " dropped " + strconv.Itoa(o.Dropped)
			}
			got = append(got, word)
		}
		want := strings.Repeat("stdout,", 1+fits) + "stdout dropped 12,stderr dropped 3,stdout,stdout"
		if strings.Join(got, ",") != want {
			t.Errorf("got  %v\nwant %v", strings.Join(got, ","), want)
		}
	})
}

func TestSink_LinesAreNeverTorn(t *testing.T) {
	t.Parallel()
	var out output
	s := newSink(t, SinkConfig{Out: &out})
	var all []*Pipes // generations that overlap
	var ends []func()
	for range 3 {
		p, cmd := start(t, s, "burst", "COUNT=3000")
		all = append(all, p)
		ends = append(ends, func() { finish(t, p, cmd) })
	}
	p, cmd := start(t, s, "say", "TEXT="+strings.Repeat("long", 5000)+"\n")
	ends = append(ends, func() { finish(t, p, cmd) })
	for _, end := range ends {
		end()
	}
	closeSink(t, s)
	for _, w := range out.writes {
		if w[len(w)-1] != '\n' {
			t.Fatalf("a Write ends in mid-line: %q", w)
		}
		if len(w) > atomicWrite && countLines(w) > 1 {
			t.Fatalf("%d lines of %d bytes in one Write", countLines(w), len(w))
		}
	}
	of := map[int][]object{}
	for _, o := range decode(t, out.bytes()) {
		of[o.PID] = append(of[o.PID], o)
	}
	if len(of) != len(all)+1 {
		t.Fatalf("%d processes", len(of))
	}
	for pid, objects := range of {
		if lines := join(t, objects, "stdout"); pid != cmd.Process.Pid && len(lines) != 3000 {
			t.Errorf("%d lines of one process", len(lines))
		}
	}
}

func TestSink_RefusedLinesAreCountedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &failing{fail: errors.New("no space left on device"), half: true}
		s := newSink(t, SinkConfig{Out: out})
		src := newSource("v1", 1, "stdout")
		say := func(texts ...string) {
			enc := newEncoder(src, DefaultMaxLine, func(lines []byte) { s.put(src, lines) })
			enc.at(time.Now())
			for _, text := range texts {
				enc.line([]byte(text), terminated)
			}
			enc.flush()
			synctest.Wait()
		}
		say("a", "b", "c") // half of it: one line and a piece of the second
		say("d")           // nothing, nor the notice
		out.fail = nil
		say("e")
		whole, torn, _ := bytes.Cut(out.bytes(), newline)
		_, rest, _ := bytes.Cut(torn, newline)
		objects := decode(t, append(append(whole, '\n'), rest...))
		if len(objects) != 3 || *objects[0].Line != "a" || *objects[2].Line != "e" {
			t.Fatalf("got %s", out.bytes())
		}
		if told := objects[1]; told.Dropped != 3 || told.Error != "no space left on device" {
			t.Errorf("told %+v", told)
		}
		out.fail = io.ErrClosedPipe
		say("f", "g")
		var lost *LostError
		if err := s.Close(t.Context()); !errors.As(err, &lost) || lost.Lines != 2 || !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Close returned %v", err)
		}
	})
}

func TestSink_CloseSaysWhatAStuckOutputHasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &gate{opened: make(chan bool)}
		s := newSink(t, SinkConfig{Out: out, Buffer: 1})
		src := newSource("v1", 1, "stdout")
		line := append(bytes.Repeat([]byte("x"), 999), '\n')
		const n = 200 // more than two blocks
		for range n {
			s.put(src, line)
			synctest.Wait()
		}
		cause := errors.New("the budget is spent")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		var lost *LostError
		if err := s.Close(ctx); !errors.As(err, &lost) || lost.Lines != n || !errors.Is(err, cause) {
			t.Errorf("Close returned %v", err)
		}
		s.put(src, line) // too late: counted, never written
		close(out.opened)
		<-s.done
		if got := countLines(out.bytes()); got > 1 {
			t.Errorf("%d lines were written behind the end", got)
		}
	})
}

func TestNewSink_RefusesLinesOutOfBounds(t *testing.T) {
	for _, n := range []int{-1, minMaxLine - 1, maxMaxLine + 1} {
		if _, err := NewSink(SinkConfig{Out: io.Discard, MaxLine: n}); err == nil {
			t.Errorf("%d bytes: no error", n)
		}
	}
}

func TestSink_LongestLinesFitIntoTheSmallestBuffer(t *testing.T) {
	var out output
	s := newSink(t, SinkConfig{Out: &out, Buffer: 1, MaxLine: maxMaxLine})
	p, cmd := start(t, s, "one mebibyte")
	finish(t, p, cmd)
	p, cmd = start(t, s, "say", "TEXT="+strings.Repeat("y", 100<<10))
	finish(t, p, cmd)
	closeSink(t, s)
	if got := len(join(t, decode(t, out.bytes()), "stdout")); got != 1025 {
		t.Errorf("%d lines", got)
	}
}

// counter counts what it gets and keeps nothing.
type counter struct{ lines, dropped int }

func (c *counter) Write(b []byte) (int, error) {
	c.lines += bytes.Count(b, []byte(`"line":`))
	c.dropped += bytes.Count(b, []byte(`"dropped":`))
	return len(b), nil
}

// gate is an output that is stuck until it is opened.
type gate struct {
	output
	opened chan bool
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.opened
	return g.output.Write(b)
}

// failing is an output that fails while fail is set, the first time with half of the bytes taken.
type failing struct {
	output
	fail error
	half bool
}

func (f *failing) Write(b []byte) (int, error) {
	if f.fail == nil {
		return f.output.Write(b)
	}
	n := 0
	if f.half {
		n, _ = f.output.Write(b[:len(b)/2])
	}
	f.half = false
	return n, fmt.Errorf("%w", f.fail)
}
