package logs

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEncoder_ObjectsAreNestedByteForByte(t *testing.T) {
	nested := []string{
		`{"level":30,"time":1531171074631,"msg":"hello \u00e9 \/ é"}`,
		`{"n":1.00e400,"n":12345678901234567890123,"a":[{}, null ,true]}`,
		"{ \t\r}",
		`{"x":"` + strings.Repeat("y", 8<<10) + `"}`,
	}
	asText := []string{
		`[1]`, `"text"`, `12`, `{"a":1} trailing`, `{"a":1`, ` {"a":1}`, `{a:1}`, `{`, `{}{}`, "{}\r", `{} `, "{\"a\":\"\xff\"}", "{\"a\":\"\x00\"}",
		`{"x":"` + strings.Repeat("y", DefaultMaxLine) + `"}`,
	}
	for _, line := range nested {
		objects := encoded(t, []byte(line+"\n"+line))
		if len(objects) != 2 || string(objects[0].JSON) != line || objects[0].Unterminated || !objects[1].Unterminated {
			t.Errorf("%.60q: got %+v", line, objects)
		}
	}
	for _, line := range asText {
		want, _ := replaced([]byte(line))
		objects := encoded(t, []byte(line+"\n"))
		if objects[0].JSON != nil || text(join(t, objects, "stdout")) != want+"\n" {
			t.Errorf("%.60q: got %+v", line, objects)
		}
	}
}

func TestEncoder_PartsHoldWholeCharacters(t *testing.T) {
	for i := range 16 {
		shift, repeated := i/2, []string{"\U0001F3CE", "\U0001F3CEé\"\x01"}[i%2]
		line := strings.Repeat("x", shift) + strings.Repeat(repeated, 5000)
		for _, readMost := range []int{readSize, 1} {
			objects := decode(t, split([]byte(line+"\nnext\n"), DefaultMaxLine, readMost))
			for _, o := range objects {
				if o.InvalidBytes > 0 {
					t.Fatalf("shifted by %d: %d bytes of a character were cut off", shift, o.InvalidBytes)
				}
			}
			if got := text(join(t, objects, "stdout")); got != line+"\nnext\n" {
				t.Errorf("shifted by %d: %d bytes of %d", shift, len(got), len(line)+6)
			}
		}
	}
}

func TestEncoder_PartThatLooksLikeAnObjectIsText(t *testing.T) {
	room := newEncoder(newSource("v1", 1, "stdout"), DefaultMaxLine, nil).room
	line := strings.Repeat("x", room) + `{"a":1}`
	objects := decode(t, split([]byte(line+"\n"), DefaultMaxLine, 1))
	if len(objects) != 2 || objects[1].Line == nil || text(join(t, objects, "stdout")) != line+"\n" {
		t.Errorf("got %d objects, the last %+v", len(objects), objects[len(objects)-1])
	}
}

func TestEncoder_TimeIsWhenItWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		split := newSplitter(newEncoder(newSource("v1", 1, "stdout"), DefaultMaxLine, func(b []byte) { out.Write(b) }))
		for _, text := range []string{"a\nb", "c\n", ""} {
			<-time.After(time.Second + time.Microsecond)
			encode(split, copy(split.space(), text))
		}
		objects := decode(t, out.Bytes())
		for i, want := range []string{"2000-01-01T00:00:01.000001000Z", "2000-01-01T00:00:02.000002000Z"} {
			if objects[i].Time != want {
				t.Errorf("line %d at %s, want %s", i, objects[i].Time, want)
			}
		}
	})
}

func TestEncoder_StrangeCommitIsQuoted(t *testing.T) {
	var out bytes.Buffer
	const commit = "a\"\\\n\xff"
	enc := newEncoder(newSource(commit, 1, "stdout"), DefaultMaxLine, func(b []byte) { out.Write(b) })
	enc.line(nil, terminated)
	enc.flush()
	if got := decode(t, out.Bytes())[0].Commit; got != "a\"\\\n\uFFFD" {
		t.Errorf("commit %q", got)
	}
}

// encoded splits input that comes in one read, or several.
func encoded(t testing.TB, input []byte) []object {
	t.Helper()
	return decode(t, split(input, DefaultMaxLine, readSize))
}

func split(input []byte, maxLine, readMost int) []byte {
	var out bytes.Buffer
	s := newSplitter(newEncoder(newSource("v1", 1, "stdout"), maxLine, func(b []byte) { out.Write(b) }))
	for len(input) > 0 {
		space := s.space()
		n := copy(space[:min(len(space), readMost)], input)
		encode(s, n)
		input = input[n:]
	}
	s.finish()
	s.enc.flush()
	return out.Bytes()
}
