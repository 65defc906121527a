package main

import (
	"math"
	"regexp"
	"slices"
	"testing"
	"time"
)

func TestParseLoad_ReadsTheLineAmidWhatWrkPrints(t *testing.T) {
	got, err := parseLoad("Running 1s test @ http://127.0.0.1:1/\n  1 threads and 64 connections\n" +
		"figures requests=1000 bytes=2097152 us=1002003 p50=1500 p99=9000 connect=1 read=2 write=3 status=4 timeout=5\n")
	if err != nil {
		t.Fatal(err)
	}
	want := load{
		requests: 1000, received: 2097152, errors: 15, took: 1002003 * time.Microsecond,
		p50: 1500 * time.Microsecond, p99: 9 * time.Millisecond,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseLoad_NoFiguresIsAnError(t *testing.T) {
	for _, out := range []string{"", "unable to connect\n", "figures requests=1 bytes=2\n",
		"figures requests=0 bytes=0 us=0 p50=0 p99=0 connect=0 read=0 write=0 status=0 timeout=0\n"} {
		if got, err := parseLoad(out); err == nil {
			t.Errorf("%q was read as %+v", out, got)
		}
	}
}

func TestRatio_IsTheMedianOfRoundsToTheBestPeerOfTheSameRound(t *testing.T) {
	cost := func(proxy ...time.Duration) (turns []turn) {
		for _, d := range proxy {
			turns = append(turns, turn{load: load{requests: int(d), took: time.Second}, proxy: d})
		}
		return turns
	}
	r := &result{turns: map[string][]turn{
		"ours": cost(20, 30, 100), "a": cost(10, 40, 100), "b": cost(40, 10, 50),
	}}
	// Of time the least is the best, 10, 10, 50; of the rate the most, 40, 40, 100.
	for _, c := range []struct {
		of   figure
		want float64
	}{{proxyCPU, 2}, {rate, 0.75}} {
		if got := r.ratio("ours", []string{"a", "b"}, c.of); got != c.want {
			t.Errorf("%s: %v, want %v", c.of.title, got, c.want)
		}
	}
	if got := r.ratio("ours", nil, proxyCPU); !math.IsNaN(got) {
		t.Errorf("without a peer the ratio is %v", got)
	}
	r.turns["b"][0].load, r.turns["ours"][2].load = load{}, load{} // nothing was answered: 20 to 10, 30 to 10
	if got := r.ratio("ours", []string{"a", "b"}, proxyCPU); got != 2.5 {
		t.Errorf("with rounds that saw no answer: %v, want 2.5", got)
	}
}

func TestScenes_AreChosenByName(t *testing.T) {
	node := apps()[0]
	var names []string
	for _, s := range scenes(node, false, regexp.MustCompile("node/(get/8|up)")) {
		names = append(names, s.name())
	}
	if want := []string{"node/get/8", "node/up/64"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	var quick int
	for _, a := range apps() {
		quick += len(scenes(a, true, regexp.MustCompile("")))
	}
	if quick != len(quickScenes) {
		t.Errorf("%d of the %d quick scenes exist", quick, len(quickScenes))
	}
}

func TestContentLength_OfWhatTheFastAppIsAsked(t *testing.T) {
	for head, want := range map[string]int{
		"GET / HTTP/1.1\r\nHost: a": 0, "POST / HTTP/1.1\r\nCONTENT-LENGTH: 12\r\nHost: a": 12,
	} {
		if got, known := contentLength([]byte(head)); !known || got != want {
			t.Errorf("%q: %d (%v), want %d", head, got, known, want)
		}
	}
	if _, known := contentLength([]byte("POST / HTTP/1.1\r\nTransfer-Encoding: chunked")); known {
		t.Error("a chunked body has a known length")
	}
}
