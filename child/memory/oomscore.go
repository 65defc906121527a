package memory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// NewcomerOOMScore is how much rather than the others a newcomer should be killed: half of all memory.
const NewcomerOOMScore = 500

// scoreRounds bounds the looking for processes that were forked while the others were written.
const scoreRounds = 10

// SetOOMScoreAdj sets the OOM killer's adjustment of a child, its group and all below it to this process's own plus
// delta, cut to the kernel's -1000 to 1000: NewcomerOOMScore for a newcomer, 0 once it serves. Processes that have
// another value than the child itself have been given it by the app, as Chromium does for its tabs, and keep it.
//
// No privilege is needed to come back to 0. A process may be lowered to the value that was last set for it, or for the
// ancestor that it was forked from, with CAP_SYS_RESOURCE; the kernel keeps that as oom_score_adj_min, and a write
// without the capability does not change it (fs/proc/base.c, __set_oom_adj; proc_pid_oom_score_adj(5)). A child is
// forked with our own minimum, so that our own value is always allowed. A negative delta needs the capability as a
// rule, and the error says so; a process of another user needs CAP_DAC_OVERRIDE.
func SetOOMScoreAdj(pid, delta int) error { return setOOMScoreAdj("/proc", pid, delta) }

func setOOMScoreAdj(proc string, pid, delta int) error {
	ours, err := readScore(proc, "self")
	if err != nil {
		return err
	}
	was, err := readScore(proc, strconv.Itoa(pid))
	if err != nil {
		return err
	}
	score := min(max(ours+delta, -1000), 1000)
	if was == score {
		return nil
	}
	for range scoreRounds {
		if n, err := moveScores(proc, pid, was, score); err != nil || n == 0 {
			return err
		}
	}
	return fmt.Errorf("set oom_score_adj of process %d and those below it: they fork faster than they can be set", pid)
}

// moveScores sets those of a tree that have one value to another, and says how many those were.
func moveScores(proc string, leader, was, score int) (n int, err error) {
	pids, err := tree(proc, leader)
	if err != nil {
		return 0, err
	}
	// The leader last: one that failed in between is tried again by the next call, which looks at the leader's value.
	slices.SortStableFunc(pids, func(a, b int) int { return isLeader(a, leader) - isLeader(b, leader) })
	for _, pid := range pids {
		if now, err := readScore(proc, strconv.Itoa(pid)); err != nil || now != was {
			continue // it has gone, or is not ours to change
		}
		if err := writeScore(proc, pid, score); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func isLeader(pid, leader int) int {
	if pid == leader {
		return 1
	}
	return 0
}

func readScore(proc, pid string) (int, error) {
	text, err := os.ReadFile(filepath.Join(proc, pid, "oom_score_adj"))
	if err != nil {
		return 0, fmt.Errorf("read an OOM score adjustment: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

func writeScore(proc string, pid, score int) error {
	path := filepath.Join(proc, strconv.Itoa(pid), "oom_score_adj")
	err := os.WriteFile(path, []byte(strconv.Itoa(score)), 0)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil // it has gone: nothing to set
	}
	why := ""
	if failed := new(fs.PathError); errors.Is(err, fs.ErrPermission) && errors.As(err, &failed) {
		why = " (a process of another user: needs CAP_DAC_OVERRIDE)"
		if failed.Op == "write" {
			why = " (less than was last set with CAP_SYS_RESOURCE: needs that capability)"
		}
	}
	return fmt.Errorf("set oom_score_adj of process %d to %d%s: %w", pid, score, why, err)
}
