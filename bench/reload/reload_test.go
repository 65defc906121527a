package main

import (
	"errors"
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
