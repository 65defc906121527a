package memory

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is what is needed of /proc/PID/stat (proc_pid_stat(5)).
type process struct {
	pid, parent, group int
}

// tree lists the processes of a child: its process group and everything below it. The group alone would miss what an
// init such as tini gives a group of its own, the descendants alone what has lost its parent.
func tree(proc string, leader int) ([]int, error) {
	dirs, err := os.ReadDir(proc)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	below := make(map[int][]int)
	var found []int
	for _, dir := range dirs {
		if _, err := strconv.Atoi(dir.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(proc, dir.Name(), "stat"))
		if err != nil {
			continue // it has gone
		}
		p, ok := parseStat(string(stat))
		switch {
		case !ok:
		case p.pid == leader || p.group == leader:
			found = append(found, p.pid)
		default:
			below[p.parent] = append(below[p.parent], p.pid)
		}
	}
	return withAll(found, below), nil
}

// withAll adds those below the found ones. Each is in below once, so that it ends whatever the parents are.
func withAll(found []int, below map[int][]int) []int {
	for i := 0; i < len(found); i++ {
		found = append(found, below[found[i]]...)
		delete(below, found[i])
	}
	return found
}

// parseStat reads "pid (name) state ppid pgrp ...". The name may hold anything, parentheses too.
func parseStat(stat string) (p process, ok bool) {
	head, shut := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if head < 0 || shut < head {
		return p, false
	}
	rest := strings.Fields(stat[shut+1:])
	if len(rest) < 3 {
		return p, false
	}
	var err [3]error
	p.pid, err[0] = strconv.Atoi(strings.TrimSpace(stat[:head]))
	p.parent, err[1] = strconv.Atoi(rest[1])
	p.group, err[2] = strconv.Atoi(rest[2])
	return p, err == [3]error{}
}
