package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// spareFiles is what a process needs beside its idle connections, at most: those of the load, and of the app.
const spareFiles = 2048

// raiseFileLimit lets this process and those that it starts hold n connections, and returns how many files they may open.
func raiseFileLimit(n int) (files int, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	if need := uint64(n + spareFiles); limit.Max < need {
		limit.Max = need // allowed to some
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("open %d files, see ulimit -Hn and -idle: %w", limit.Max, err)
	}
	return int(min(limit.Max, 1<<20)), nil
}

// setNice changes the niceness of this session, among which the kernel shares the processors (sched_autogroup): a
// process's own counts within its session alone. The session must be given back.
func setNice(n int) (giveBack func(), err error) {
	if n == 0 {
		return func() {}, nil
	}
	const group = "/proc/self/autogroup"
	old, err := os.ReadFile(group) // "/autogroup-3 nice 0"
	if err != nil {
		return nil, fmt.Errorf("-nice: %w", err)
	}
	_, nice, _ := strings.Cut(strings.TrimSpace(string(old)), " nice ")
	if err := os.WriteFile(group, []byte(strconv.Itoa(n)), 0o644); err != nil {
		return nil, fmt.Errorf("-nice: %w", err)
	}
	return func() { _ = os.WriteFile(group, []byte(nice), 0o644) }, nil
}

// cpuTime is the processor time of processes, with all their threads, also those that have ended. It is read from the
// kernel's clock of the process, since /proc/PID/stat counts in ticks of 10 ms.
func cpuTime(pids []int) (sum time.Duration, err error) {
	for _, pid := range pids {
		const schedulers = 2 // CPUCLOCK_SCHED of the kernel's posix-timers: a process's clock is named by its number so
		var t unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|schedulers), &t); err != nil {
			return 0, fmt.Errorf("the clock of process %d: %w", pid, err)
		}
		sum += time.Duration(t.Nano())
	}
	return sum, nil
}

// machineTime is the time of all processors, and that in which they were busy or taken away by a hypervisor (proc(5)).
func machineTime() (busy, all time.Duration, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	var user, nice, system, idle, iowait, irq, softirq, steal time.Duration
	if _, err := fmt.Sscan(strings.TrimPrefix(string(text), "cpu"), &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return 0, 0, fmt.Errorf("/proc/stat: %w", err)
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on all that Linux runs on today
	busy = (user + nice + system + irq + softirq + steal) * tick
	return busy, busy + (idle+iowait)*tick, nil
}

// memory is what processes hold, in bytes.
type memory struct{ resident, anonymous int64 }

func (m memory) minus(o memory) memory {
	return memory{m.resident - o.resident, m.anonymous - o.anonymous}
}

func memoryOf(pids []int) (sum memory, err error) {
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return sum, err
		}
		for line := range strings.Lines(string(status)) {
			var kib int64
			if n, _ := fmt.Sscanf(line, "VmRSS: %d", &kib); n == 1 {
				sum.resident += kib << 10
			}
			if n, _ := fmt.Sscanf(line, "RssAnon: %d", &kib); n == 1 {
				sum.anonymous += kib << 10
			}
		}
	}
	return sum, nil
}

// tree is a process and all that come from it.
func tree(pid int) []int {
	pids := []int{pid}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	children := map[int][]int{}
	for _, file := range stats {
		text, _ := os.ReadFile(file)
		_, rest, _ := strings.Cut(string(text), ") ") // after the name
		if fields := strings.Fields(rest); len(fields) > 1 {
			parent, _ := strconv.Atoi(fields[1])
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			children[parent] = append(children[parent], child)
		}
	}
	for i := 0; i < len(pids); i++ {
		pids = append(pids, children[pids[i]]...)
	}
	return pids
}
