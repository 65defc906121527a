package logs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const deadline = 20 * time.Second

// object is one line of output, as a reader of it would decode it.
type object struct {
	Time         string
	Commit       string
	PID          int
	Stream       string
	Line         *string
	JSON         json.RawMessage
	Part         int
	Last         bool
	Unterminated bool
	InvalidBytes int `json:"invalid_bytes"`
	Dropped      int
	Error        string
}

// joined is a line as it is put together again.
type joined struct {
	text         string
	unterminated bool
	invalid      int
}

// output is an Out that keeps all, and each Write.
type output struct {
	mu     sync.Mutex
	all    bytes.Buffer
	writes [][]byte
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes = append(o.writes, bytes.Clone(b))
	return o.all.Write(b)
}

func (o *output) bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.all.Bytes())
}

// decode reads every line, and insists that each is one object and nothing else.
func decode(t testing.TB, out []byte) (objects []object) {
	t.Helper()
	if len(out) > 0 && out[len(out)-1] != '\n' {
		t.Fatalf("the output ends in mid-line: %q", out[max(0, len(out)-80):])
	}
	for line := range bytes.Lines(out) {
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		var o object
		if err := d.Decode(&o); err != nil || d.InputOffset() != int64(len(line)-1) {
			t.Fatalf("not one object: %v in %q", err, line)
		}
		if when, err := time.Parse(time.RFC3339Nano, o.Time); err != nil || when.Location() != time.UTC || len(o.Time) != timeLen {
			t.Fatalf("time %q: %v", o.Time, err)
		}
		objects = append(objects, o)
	}
	return objects
}

// join puts the lines of one stream together again.
func join(t testing.TB, objects []object, stream string) (lines []joined) {
	t.Helper()
	var parts joined
	part := 0
	for _, o := range objects {
		if o.Stream != stream {
			continue
		}
		if o.Dropped > 0 || (o.Line == nil) == (o.JSON == nil) {
			t.Fatalf("unexpected %+v", o)
		}
		if o.JSON != nil {
			lines = append(lines, joined{text: string(o.JSON), unterminated: o.Unterminated})
			continue
		}
		if part++; o.Part == 0 && part > 1 || o.Part != 0 && o.Part != part || *o.Line == "" && part > 1 {
			t.Fatalf("part %d where %d was expected: %+v", o.Part, part, o)
		}
		if last := o.Part == 0 || o.Last; o.Unterminated && !last || o.Last && o.Part == 0 {
			t.Fatalf("marks of the last part on another: %+v", o)
		}
		parts.text += *o.Line
		parts.invalid += o.InvalidBytes
		if o.Part == 0 || o.Last {
			parts.unterminated = o.Unterminated
			lines = append(lines, parts)
			part, parts = 0, joined{}
		}
	}
	if part > 0 {
		t.Fatal("a line without its last part")
	}
	return lines
}

func newSink(t testing.TB, c SinkConfig) *Sink {
	t.Helper()
	s, err := NewSink(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start starts a part with its output in pipes.
func start(t testing.TB, s *Sink, part string, env ...string) (*Pipes, *exec.Cmd) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), env...), "TEST_CHILD="+part)
	return startCommand(t, s, cmd), cmd
}

func startCommand(t testing.TB, s *Sink, cmd *exec.Cmd) *Pipes {
	t.Helper()
	p, err := New(Config{Stdout: s, Stderr: s, Commit: "v1", DrainTimeout: deadline})
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = p.Stdout(), p.Stderr()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.Started(cmd.Process.Pid)
	return p
}

// finish waits for the process, and reads the rest of what it says.
func finish(t testing.TB, p *Pipes, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// closeSink insists that nothing was lost.
func closeSink(t testing.TB, s *Sink) {
	t.Helper()
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// played is what a part says, from its start to its end.
func played(t testing.TB, part string, env ...string) []object {
	t.Helper()
	var out output
	s := newSink(t, SinkConfig{Out: &out})
	p, cmd := start(t, s, part, env...)
	finish(t, p, cmd)
	closeSink(t, s)
	return decode(t, out.bytes())
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("not in %v: %s", deadline, what)
		}
		<-time.After(time.Millisecond)
	}
}

// replaced is text as Go's own conversion sees it, a U+FFFD for each byte that is not UTF-8, and how many those were.
func replaced(text []byte) (string, int) {
	runes := []rune(string(text))
	n := 0
	for _, r := range runes {
		if r == '\uFFFD' {
			n++
		}
	}
	return string(runes), n - bytes.Count(text, []byte("\uFFFD"))
}

func text(lines []joined) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text)
		if !l.unterminated {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
