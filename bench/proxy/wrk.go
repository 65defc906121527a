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

// load is what wrk tells, and the processor time that it took itself.
type load struct {
	requests, errors int
	received         int64 // bytes
	took             time.Duration
	p50, p99         time.Duration
	cpu              time.Duration
}

// generate loads an address for some seconds, from one processor.
func (p *settings) generate(ctx context.Context, dir string, addr string, s scene, seconds int) (load, error) {
	file := filepath.Join(dir, "wrk.lua")
	if err := os.WriteFile(file, script, 0o644); err != nil {
		return load{}, err
	}
	command := pinned(p.loadCPU, "wrk", "-t1", "-c", strconv.Itoa(s.connections),
		"-d", strconv.Itoa(seconds), "--timeout", "10s", "-s", file, "http://"+addr+s.kind.path())
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "KIND="+string(s.kind))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	l, err := parseLoad(string(out))
	if err != nil {
		return l, err
	}
	l.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if s.kind == down { // those under way at the end count too, for what they have got
		l.requests = int(l.received / mebibyte)
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
