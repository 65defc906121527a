package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestPipes_OneObjectALine(t *testing.T) {
	t.Parallel()
	var out output
	s := newSink(t, SinkConfig{Out: &out})
	p, cmd := start(t, s, "say", "TEXT=first\n\n\ttab \"quoted\" \\ \x1b[31mred\x1b[0m \u00e9 \u2028 <&>\r\n")
	finish(t, p, cmd)
	closeSink(t, s)
	var got strings.Builder
	for line := range bytes.Lines(out.bytes()) {
		got.Write(line[len(timeField)+timeLen:])
	}
	head := fmt.Sprintf(`","commit":"v1","pid":%d,"stream":"stdout",`, cmd.Process.Pid)
	want := head + `"line":"first"}` + "\n" +
		head + `"line":""}` + "\n" +
		head + `"line":"\ttab \"quoted\" \\ \u001b[31mred\u001b[0m é ` + "\u2028" + ` <&>\r"}` + "\n"
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
	decode(t, out.bytes())
}

func TestPipes_LastWordsArrive(t *testing.T) {
	t.Parallel()
	if got := text(join(t, played(t, "one mebibyte"), "stdout")); got != string(mebibyte()) {
		t.Errorf("%d bytes of %d arrived", len(got), len(mebibyte()))
	}
	last := join(t, played(t, "say", "TEXT=a\nlast words"), "stdout")
	if len(last) != 2 || last[0].unterminated || last[1] != (joined{text: "last words", unterminated: true}) {
		t.Errorf("got %+v", last)
	}
}

func TestPipes_StreamsKeepTheirOwnOrder(t *testing.T) {
	t.Parallel()
	const n = 5000
	objects := played(t, "both streams", "COUNT="+strconv.Itoa(n))
	for stream, word := range map[string]string{"stdout": "out", "stderr": "err"} {
		lines := join(t, objects, stream)
		if len(lines) != n {
			t.Fatalf("%d lines of %s", len(lines), stream)
		}
		for i, l := range lines {
			if want := word + " " + strconv.Itoa(i); l.text != want {
				t.Fatalf("%s: line %q, want %q", stream, l.text, want)
			}
		}
	}
}

func TestPipes_GarbageIsReplacedAndCounted(t *testing.T) {
	t.Parallel()
	lines := join(t, played(t, "garbage"), "stdout")
	invalid := 0
	for _, l := range lines {
		invalid += l.invalid
	}
	want, wantInvalid := replaced(garbage())
	if text(lines) != want || invalid != wantInvalid {
		t.Errorf("%d bytes with %d invalid, want %d with %d", len(text(lines)), invalid, len(want), wantInvalid)
	}
}

func TestPipes_LongLineComesInPartsAndBoundedMemory(t *testing.T) {
	t.Parallel()
	out := &lineSum{}
	s := newSink(t, SinkConfig{Out: out})
	p, cmd := start(t, s, "long line")
	finish(t, p, cmd)
	closeSink(t, s)
	if out.text != longLine || out.last != 1 || out.longest > DefaultMaxLine || out.longest < DefaultMaxLine-marks {
		t.Errorf("%d bytes of %d, %d last parts, longest %d", out.text, longLine, out.last, out.longest)
	}
	if out.wrong != "" {
		t.Errorf("not what was written: %s", out.wrong)
	}
}

func TestPipes_GrandchildDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	for _, then := range []string{"holder", "chatterer"} {
		var out output
		s := newSink(t, SinkConfig{Out: &out})
		p, cmd := start(t, s, "parent", "THEN="+then)
		p.drain = 50 * time.Millisecond
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(t.Context()); !errors.Is(err, ErrHeld) {
			t.Errorf("%s: Close returned %v", then, err)
		}
		if err := p.Close(t.Context()); !errors.Is(err, ErrHeld) {
			t.Errorf("%s: the second Close returned %v", then, err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if !bytes.Contains(out.bytes(), []byte("last words")) {
			t.Errorf("%s: the last words are missing", then)
		}
		objects := decode(t, out.bytes())
		for _, o := range objects {
			if pid, err := strconv.Atoi(*o.Line); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				break
			}
		}
	}
}

// Not parallel: a process that another test starts holds the pipe until it is another program.
func TestPipes_WhatIsInThePipeIsReadHoweverShortTheBound(t *testing.T) {
	for i := range 20 {
		var out output
		s := newSink(t, SinkConfig{Out: &out})
		p, err := New(Config{Stdout: s, Stderr: s, Commit: "v1", DrainTimeout: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		holder, err := syscall.Dup(int(p.Stdout().Fd()))
		if err != nil {
			t.Fatal(err)
		}
		wrote, _ := syscall.Write(holder, mebibyte()[:64<<10]) // as much as any pipe takes
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		held := i%2 == 0
		if !held {
			_ = syscall.Close(holder)
		}
		p.Started(1)
		if err := p.Close(ctx); errors.Is(err, ErrHeld) != held {
			t.Errorf("Close returned %v with the pipe held: %v", err, held)
		}
		if held {
			_ = syscall.Close(holder)
		}
		closeSink(t, s)
		if got := text(join(t, decode(t, out.bytes()), "stdout")); len(got) != wrote {
			t.Fatalf("%d bytes of %d arrived", len(got), wrote)
		}
	}
}

func TestPipes_WhoWritesForEverIsNotReadForEver(t *testing.T) {
	r, w, err := newPipe("stdout")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	lines, total := mebibyte()[:32<<10], 0
	write := func([]byte) {
		if total += len(lines); total > 4*pipeSize {
			t.Fatalf("%d bytes were read", total)
		}
		_, _ = w.Write(lines)
	}
	write(nil)
	readLeft(r, newSplitter(newEncoder(newSource("v1", 1, "stdout"), DefaultMaxLine, write)))
	if total < pipeSize {
		t.Errorf("%d bytes were read", total)
	}
}

func TestPipes_ChildGetsBlockingPipesAndOthersGetNone(t *testing.T) {
	before := pipesOpen() // of whoever runs the test
	var out output
	s := newSink(t, SinkConfig{Out: &out})
	other, err := New(Config{Stdout: s, Stderr: s}) // of a child that has not been started yet
	if err != nil {
		t.Fatal(err)
	}
	p, cmd := start(t, s, "inspect")
	finish(t, p, cmd)
	_ = other.Close(t.Context())
	closeSink(t, s)
	for _, l := range join(t, decode(t, out.bytes()), "stdout") {
		pipe, has := strings.CutPrefix(l.text, "has ")
		if has && !slices.Contains(before, pipe) || l.text == "non-blocking 1 true" || l.text == "non-blocking 2 true" {
			t.Error("the child finds:", l.text)
		}
	}
}

func TestPipes_NothingIsLeftOpenOrRunning(t *testing.T) {
	files, routines := openFiles(t), runtime.NumGoroutine()
	s := newSink(t, SinkConfig{Out: &output{}})
	p, cmd := start(t, s, "say", "TEXT=hello")
	finish(t, p, cmd)
	notStarted, err := New(Config{Stdout: s, Stderr: s})
	if err != nil {
		t.Fatal(err)
	}
	if err := notStarted.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if notStarted.Started(1); notStarted.started {
		t.Error("started behind its end")
	}
	p, cmd = start(t, s, "parent", "THEN=holder")
	p.drain = time.Millisecond
	_ = cmd.Wait()
	if err := p.Close(t.Context()); !errors.Is(err, ErrHeld) {
		t.Error(err)
	}
	closeSink(t, s)
	for _, o := range decode(t, s.out.(*output).bytes()) {
		if pid, err := strconv.Atoi(*o.Line); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	eventually(t, "all closed and ended", func() bool {
		return openFiles(t) == files && runtime.NumGoroutine() <= routines
	})
}

func TestNew_RefusesACommitThatLeavesNoRoom(t *testing.T) {
	s := newSink(t, SinkConfig{Out: &output{}, MaxLine: minMaxLine})
	defer closeSink(t, s)
	if _, err := New(Config{Stdout: s, Stderr: s, Commit: strings.Repeat("c", 700)}); err == nil {
		t.Error("no error")
	}
	p, err := New(Config{Stdout: s, Stderr: s, Commit: strings.Repeat("c", 128)}) // the longest there is
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Close(t.Context())
}

func TestPipes_RealNodesLastWrite(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node here")
	}
	var out output
	s := newSink(t, SinkConfig{Out: &out})
	cmd := exec.CommandContext(t.Context(), node, "-e", `process.stdout.write("x".repeat((1 << 20) - 1) + "\n"); process.exit(3)`)
	p := startCommand(t, s, cmd)
	size, err := pipeCapacity(p.streams[0].r)
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := largestPipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := p.Close(t.Context()); err != nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("Close returned %v, the process %v", err, cmd.ProcessState)
	}
	closeSink(t, s)
	got := len(text(join(t, decode(t, out.bytes()), "stdout")))
	t.Logf("%d bytes of %d arrived through a pipe of %d, of %d allowed", got, 1<<20, size, allowed)
	if got < min(allowed, 1<<20) {
		t.Errorf("%d bytes arrived, of which a pipe may take %d", got, allowed)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
