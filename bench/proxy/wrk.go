package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed wrk.lua
var script []byte

// load is what wrk tells, and what it took of its own processor.
type load struct {
	requests, errors int
	received         int64 // bytes
	took             time.Duration
	p50, p99         time.Duration
	busy             float64 // 1: the load was what bounded the rate
}

// generate loads an address for some seconds, from one processor.
func generate(ctx context.Context, dir string, cpu int, addr string, s scene, seconds int) (load, error) {
	file := filepath.Join(dir, "wrk.lua")
	if err := os.WriteFile(file, script, 0o644); err != nil {
		return load{}, err
	}
	cmd := exec.CommandContext(ctx, "taskset", "-c", strconv.Itoa(cpu), "wrk", "-t1", "-c", strconv.Itoa(s.connections),
		"-d", strconv.Itoa(seconds), "--timeout", "10s", "-s", file, "http://"+addr+s.kind.path())
	cmd.Env = append(os.Environ(), "KIND="+string(s.kind))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	l, err := parseLoad(string(out))
	if err != nil {
		return l, err
	}
	l.busy = float64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()) / float64(l.took)
	if s.kind == down { // those under way at the end count too, for what they have got
		l.requests = int(l.received / mebibyte)
	}
	if l.requests == 0 {
		return l, fmt.Errorf("%s: nothing was answered:\n%s", strings.Join(cmd.Args, " "), out)
	}
	return l, nil
}

// parseLoad reads the line that wrk.lua prints. Each kind of error counts.
func parseLoad(out string) (l load, err error) {
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "figures ") {
			continue
		}
		var took, p50, p99 int64
		var errs [5]int
		_, err := fmt.Sscanf(line, "figures requests=%d bytes=%d us=%d p50=%d p99=%d connect=%d read=%d write=%d status=%d timeout=%d",
			&l.requests, &l.received, &took, &p50, &p99, &errs[0], &errs[1], &errs[2], &errs[3], &errs[4])
		for _, n := range errs {
			l.errors += n
		}
		l.took, l.p50, l.p99 = time.Duration(took)*time.Microsecond, time.Duration(p50)*time.Microsecond, time.Duration(p99)*time.Microsecond
		if err == nil && took <= 0 {
			err = fmt.Errorf("it took no time")
		}
		if err != nil {
			return l, fmt.Errorf("wrk's line %q: %w", line, err)
		}
		return l, nil
	}
	return l, fmt.Errorf("wrk printed no figures:\n%s", out)
}
