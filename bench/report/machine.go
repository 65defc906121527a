// Package report has what the reports of all benchmarks share: the machine, rows of tables, and the place in a file
// where a report is kept.
package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine is where it was measured.
type Machine struct {
	date   time.Time
	cores  int
	model  string
	memory int64 // bytes
	load   string
}

// Look looks at the machine, before anything runs on our behalf.
func Look() Machine {
	load, _ := os.ReadFile("/proc/loadavg")
	m := Machine{date: time.Now().UTC(), cores: runtime.NumCPU(), model: Field("/proc/cpuinfo", "model name")}
	m.load, _, _ = strings.Cut(string(load), " ")
	_, _ = fmt.Sscan(Field("/proc/meminfo", "MemTotal"), &m.memory)
	m.memory <<= 10
	return m
}

func (m Machine) String() string {
	return fmt.Sprintf("Measured %s on %d cores (%s), %.0f GiB, load average before the start %s.",
		m.date.Format("2006-01-02 15:04 UTC"), m.cores, m.model, float64(m.memory)/(1<<30), m.load)
}

// Busy says whether others used the machine: then the figures are noisy.
func (m Machine) Busy() bool {
	var one float64
	_, _ = fmt.Sscan(m.load, &one)
	return one > 0.3*float64(m.cores)
}

// Field is the value of the first "key: value" line of a file; empty if there is none.
func Field(file, key string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
