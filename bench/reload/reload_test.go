package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"pitstop/e2e/load"
)

func TestJudge_CountsWhatWasLostAndTellsWhenTheNewCodeCame(t *testing.T) {
	call := time.Now()
	at := func(ms int) time.Time { return call.Add(time.Duration(ms) * time.Millisecond) }
	got, err := judge([]load.Record{
		{Kind: load.Get, Start: at(-10), End: at(-5), Commit: "v1"},
		{Kind: load.Upload, Start: at(100), End: at(150), Commit: "v1"},
		{Kind: load.Get, Start: at(20), End: at(90), Commit: "v2"},
		{Kind: load.Slow, Start: at(30), End: at(60), Err: errors.New("reset")},
		{Kind: load.Slow, Start: at(40), End: at(3040), Commit: "v1"},
		{Kind: load.Get, Start: at(50), End: at(51), Err: errors.New("refused")},
	}, call, "v2")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.before) != 1 || len(got.since) != 2 {
		t.Errorf("%d times before the call, %d since, want 1 and 2", len(got.before), len(got.since))
	}
	got.why, got.before, got.since = nil, nil, nil
	want := turn{
		sent: 6, lost: 2, slow: 2, killed: 1,
		longest: 70 * time.Millisecond, first: 90 * time.Millisecond, only: 100 * time.Millisecond,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestJudge_NewCodeMustAnswerAndOnlyAfterTheCall(t *testing.T) {
	call := time.Now()
	old := load.Record{Kind: load.Get, Start: call, End: call.Add(time.Second), Commit: "v1"}
	if _, err := judge([]load.Record{old}, call, "v2"); err == nil {
		t.Error("a reload after which only v1 answers was taken for one to v2")
	}
	early := load.Record{Kind: load.Get, Start: call.Add(-time.Second), End: call.Add(-time.Millisecond), Commit: "v2"}
	if _, err := judge([]load.Record{early}, call, "v2"); err == nil {
		t.Error("an answer of v2 before the call was taken for the reload's")
	}
}

func TestReplace_TouchesOnlyWhatIsBetweenTheMarkers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := replace(file, "new\n"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "before\n"+begin+"new\n"+end+"after\n" {
		t.Errorf("the file is now:\n%s", got)
	}
	if err := os.WriteFile(file, []byte("no markers\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := replace(file, "new\n"); err == nil {
		t.Error("a file without markers was taken")
	}
}

func TestMedian_OfEvenAndOdd(t *testing.T) {
	if got := median([]time.Duration{9, 1, 5}); got != 5 {
		t.Errorf("median of three: %d", got)
	}
	if got := median([]time.Duration{8, 2, 4, 6}); got != 5 {
		t.Errorf("median of four: %d", got)
	}
}
