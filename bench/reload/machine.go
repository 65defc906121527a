package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// machine is where and with what it was measured.
type machine struct {
	date              time.Time
	cores             int
	model             string
	memory            int64 // bytes
	load              string
	node, pm2, golang string
}

// look looks at the machine before anything runs on our behalf.
func look(pm2 string) machine {
	load, _ := os.ReadFile("/proc/loadavg")
	m := machine{
		date: time.Now().UTC(), cores: runtime.NumCPU(), model: field("/proc/cpuinfo", "model name"),
		load: strings.Join(strings.Fields(string(load))[:1], ""), golang: strings.TrimPrefix(runtime.Version(), "go"),
	}
	_, _ = fmt.Sscan(field("/proc/meminfo", "MemTotal"), &m.memory)
	m.memory <<= 10
	node, _ := exec.Command("node", "--version").Output()
	m.node = strings.TrimPrefix(strings.TrimSpace(string(node)), "v")
	// Not by `pm2 --version`, which starts a daemon in the user's home.
	version, _ := exec.Command("node", "-p", "require(process.argv[1]).version", filepath.Join(filepath.Dir(pm2), "../pm2/package.json")).Output()
	m.pm2 = strings.TrimSpace(string(version))
	return m
}

// busy says whether others used the machine: then the figures are noisy.
func (m machine) busy() bool {
	var one float64
	_, _ = fmt.Sscan(m.load, &one)
	return one > 0.3*float64(m.cores)
}

// memory is what a process holds of the machine's, in bytes.
type memory struct{ resident, anonymous int64 }

func memoryOf(pid int) (memory, error) {
	status := fmt.Sprintf("/proc/%d/status", pid)
	var m memory
	if _, err := fmt.Sscan(field(status, "VmRSS"), &m.resident); err != nil {
		return m, fmt.Errorf("%s: %w", status, err)
	}
	if _, err := fmt.Sscan(field(status, "RssAnon"), &m.anonymous); err != nil {
		return m, fmt.Errorf("%s: %w", status, err)
	}
	m.resident <<= 10
	m.anonymous <<= 10
	return m, nil
}

// field is the value of the first "key: value" line of a file.
func field(file, key string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if k, v, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
