package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// profile lets perf watch each proxy in a scene, in a turn that is not counted.
func (p *play) profile(ctx context.Context, s scene, dir string, all []*running) error {
	if err := os.MkdirAll(p.perf, 0o755); err != nil {
		return err
	}
	for _, r := range all {
		if r.proxy == nil {
			continue
		}
		name := strings.NewReplacer(", ", "-", "/", "-").Replace(r.name + "-" + s.name() + ".perf")
		file := filepath.Join(p.perf, name)
		perf := exec.CommandContext(ctx, "perf", "record", "-q", "-g", "-o", file, "-p", pidList(r.proxyPIDs), "--", "sleep", strconv.Itoa(p.seconds))
		perf.Stderr = os.Stderr
		if err := perf.Start(); err != nil {
			return err
		}
		_, err := p.turn(ctx, r, s, dir, p.seconds+1)
		if waited := perf.Wait(); waited != nil {
			return fmt.Errorf("perf: %w", waited)
		}
		if err != nil {
			return err
		}
		say("see: perf report -i %s", file)
	}
	return nil
}

func pidList(pids []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(pids), " ", ","), "[]")
}
