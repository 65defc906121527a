package logs

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// The lines of the burst, 91 bytes each, without any system call: what the encoding and the queue cost.
func BenchmarkEncode(b *testing.B) {
	for name, line := range map[string]string{
		"plain":  filler,
		"json":   `{"level":30,"time":1531171074631,"pid":17,"hostname":"shop","reqId":"req-1","msg":"incoming"}`,
		"escape": "\x1b[32m200\x1b[0m \"GET /orders/4711\" \x1b[1mtook\x1b[0m 12 ms, \"shop\" \x1b[31mdé\x1b[0m",
	} {
		b.Run(name, func(b *testing.B) {
			s := newSink(b, SinkConfig{Out: io.Discard})
			src := newSource("v1", 4711, "stdout")
			split := newSplitter(newEncoder(src, DefaultMaxLine, func(lines []byte) { s.put(src, lines) }))
			chunk := bytes.Repeat([]byte(line+"\n"), readSize/2/(len(line)+1))
			b.SetBytes(int64(len(line) + 1))
			b.ReportAllocs()
			b.ResetTimer()
			for n := b.N; n > 0; n -= countLines(chunk) {
				encode(split, copy(split.space(), chunk))
			}
			b.StopTimer()
			_ = s.Close(b.Context())
		})
	}
}

// The same from another process through real pipes to an output that takes all, and to a pipe. cpu-ns/op is what this
// process spent, its own reading of that last pipe included.
func BenchmarkPipes(b *testing.B) {
	b.Run("null", func(b *testing.B) {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			b.Fatal(err)
		}
		out := &passing{File: null}
		benchmarkBurst(b, out)
		b.ReportMetric(float64(b.N-out.lines)/float64(b.N), "dropped/op")
	})
	b.Run("pipe", func(b *testing.B) {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		arrived := make(chan counter)
		go func() {
			var c counter
			_, _ = io.CopyBuffer(&c, struct{ io.Reader }{r}, make([]byte, 1<<20))
			arrived <- c
		}()
		benchmarkBurst(b, w)
		_ = w.Close()
		c := <-arrived
		b.ReportMetric(float64(b.N-c.lines)/float64(b.N), "dropped/op")
	})
}

// passing counts what it writes to a file.
type passing struct {
	counter
	*os.File
}

func (p *passing) Write(b []byte) (int, error) {
	_, _ = p.counter.Write(b)
	return p.File.Write(b)
}

func benchmarkBurst(b *testing.B, out io.Writer) {
	s := newSink(b, SinkConfig{Out: out})
	b.SetBytes(int64(len(filler) + 10))
	b.ReportAllocs()
	before := processorTime(b)
	p, cmd := start(b, s, "burst", "COUNT="+strconv.Itoa(b.N))
	finish(b, p, cmd)
	_ = s.Close(b.Context())
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
