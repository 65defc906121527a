package child

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is what /proc/N/stat says of a process (proc_pid_stat(5)).
type process struct {
	pid, parent, group int
	zombie             bool
}

// processes lists all that can be seen. It fails when /proc is not there or shows another PID namespace, whose
// numbers mean other processes.
func processes() ([]process, error) {
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		return nil, fmt.Errorf("/proc is not of this PID namespace: it calls this process %q", self)
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	all := make([]process, 0, len(dirs))
	for _, dir := range dirs {
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue // it has gone
		}
		if p, ok := parseStat(string(stat)); ok {
			all = append(all, p)
		}
	}
	return all, nil
}

// parseStat reads "pid (name) state ppid pgrp ...". The name may hold anything, parentheses too.
func parseStat(stat string) (p process, ok bool) {
	open, shut := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if open < 0 || shut < open {
		return p, false
	}
	var state string
	if _, err := fmt.Sscan(stat[:open], &p.pid); err != nil {
		return p, false
	}
	if _, err := fmt.Sscan(stat[shut+1:], &state, &p.parent, &p.group); err != nil {
		return p, false
	}
	p.zombie = state == "Z" || state == "X"
	return p, true
}

// commandLine is the arguments of a process, nil when it has gone.
func commandLine(pid int) []string {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil || len(line) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
}
