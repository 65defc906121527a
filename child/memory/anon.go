package memory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

var errNoAnon = errors.New("the kernel does not tell anonymous memory (RssAnon, since Linux 4.5)")

// anonOf is the anonymous memory of a child's whole tree now, in bytes, swapped pages included: a second child would
// need them in memory. Pages that processes share after a fork count for each, which errs on the safe side.
//
// The kernel's own peak, VmHWM, is not used. It counts file pages, most of which the second child shares with the first
// (the node binary alone is 50 to 100 MiB), and the peaks of several processes are not of one moment.
func anonOf(proc string, leader int) (sum uint64, err error) {
	pids, err := tree(proc, leader)
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		status, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "status"))
		if err != nil {
			continue // it has gone
		}
		n, err := parseAnon(string(status))
		if err != nil {
			return 0, err
		}
		sum = more(sum, n)
	}
	if sum == 0 {
		return 0, fmt.Errorf("measure the memory of process %d and those below it: %w", leader, os.ErrProcessDone)
	}
	return sum, nil
}

// parseAnon reads RssAnon and VmSwap, in bytes, of a status file (proc_pid_status(5)). A zombie has no memory lines.
func parseAnon(status string) (uint64, error) {
	_, alive := parseKibi(status, "VmRSS:")
	anon, ok := parseKibi(status, "RssAnon:")
	if alive && !ok {
		return 0, errNoAnon
	}
	swap, _ := parseKibi(status, "VmSwap:")
	return anon + swap, nil
}

// parseKibi reads a line "Key:  123 kB", whose unit is always 1024 bytes.
func parseKibi(status, key string) (uint64, bool) {
	for line := range strings.Lines(status) {
		if rest, found := strings.CutPrefix(line, key); found {
			fields := strings.Fields(rest)
			if len(fields) != 2 || fields[1] != "kB" {
				return 0, false
			}
			n, err := strconv.ParseUint(fields[0], 10, 53) // in bytes it must fit too
			return n << 10, err == nil
		}
	}
	return 0, false
}
