package proxy_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"pitstop/drain"
)

// Those who are cut off come back at once.
func TestEngines_StreamsOfAnEndingBackendDoNotAllEndInTheSameMoment(t *testing.T) {
	both(t, func(t *testing.T) {
		f := newFront(t)
		b := f.backend(streamWithoutEnd)
		f.gate.Serve(b)
		const streams, spread = 8, 400 * time.Millisecond
		ended := make(chan time.Time, streams)
		for range streams {
			resp := f.get("/")
			go func() { _, _ = io.Copy(io.Discard, resp.Body); ended <- time.Now() }()
		}
		f.want(b, drain.Counts{drain.Stream: streams})
		f.gate.Hold()
		b.EndStreams(spread)
		first, last := <-ended, time.Time{}
		for range streams - 1 {
			last = <-ended
		}
		if took := last.Sub(first); took < spread/10 {
			t.Errorf("all within %s", took)
		}
		f.want(b, drain.Counts{})
	})
}

// In lean the connection to the child that has died ends it.
func TestEngines_NoStreamWaitsForItsTurnWhereItsBackendIsGone(t *testing.T) {
	t.Run("std", func(t *testing.T) {
		f := newFront(t)
		b := f.backend(streamWithoutEnd)
		f.gate.Serve(b)
		resp := f.get("/")
		f.want(b, drain.Counts{drain.Stream: 1})
		f.gate.Hold()
		b.EndStreams(time.Hour)
		f.gate.Remove(b)
		f.engine.ClosePool(b)
		_, _ = io.Copy(io.Discard, resp.Body)
		f.want(b, drain.Counts{})
	})
}

func streamWithoutEnd(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}
