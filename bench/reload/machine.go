package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"pitstop/bench/report"
)

// machine is where and with what it was measured.
type machine struct {
	report.Machine
	node, pm2, golang string
}

// look looks at the machine before anything runs on our behalf.
func look(pm2 string) machine {
	m := machine{Machine: report.Look(), golang: strings.TrimPrefix(runtime.Version(), "go")}
	node, _ := exec.Command("node", "--version").Output()
	m.node = strings.TrimPrefix(strings.TrimSpace(string(node)), "v")
	// Not by `pm2 --version`, which starts a daemon in the user's home.
	version, _ := exec.Command("node", "-p", "require(process.argv[1]).version", filepath.Join(filepath.Dir(pm2), "../pm2/package.json")).Output()
	m.pm2 = strings.TrimSpace(string(version))
	return m
}

// memory is what a process holds of the machine's, in bytes.
type memory struct{ resident, anonymous int64 }

func memoryOf(pid int) (memory, error) {
	status := fmt.Sprintf("/proc/%d/status", pid)
	var m memory
	if _, err := fmt.Sscan(report.Field(status, "VmRSS"), &m.resident); err != nil {
		return m, fmt.Errorf("%s: %w", status, err)
	}
	if _, err := fmt.Sscan(report.Field(status, "RssAnon"), &m.anonymous); err != nil {
		return m, fmt.Errorf("%s: %w", status, err)
	}
	m.resident <<= 10
	m.anonymous <<= 10
	return m, nil
}
