package memory

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mount is a cgroup hierarchy as it is mounted here.
type mount struct {
	root  string // the cgroup that the mount point shows
	point string
	v2    bool
}

// parseMounts finds the hierarchies that may hold the memory controller in a mountinfo file, the root's octal escapes
// undone (proc_pid_mountinfo(5)):
//
//	31 23 0:28 /docker/abc /sys/fs/cgroup/memory ro,nosuid master:9 - cgroup cgroup rw,memory
func parseMounts(mountinfo string) (ms []mount) {
	for line := range strings.Lines(mountinfo) {
		head, tail, found := strings.Cut(line, " - ")
		fields, last := strings.Fields(head), strings.Fields(tail)
		if !found || len(fields) < 5 || len(last) < 3 {
			continue
		}
		m := mount{root: unescape(fields[3]), point: unescape(fields[4]), v2: last[0] == "cgroup2"}
		if m.v2 || last[0] == "cgroup" && slices.Contains(strings.Split(last[2], ","), "memory") {
			ms = append(ms, m)
		}
	}
	return ms
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// parseMembership finds a process's cgroup of the memory controller in /proc/PID/cgroup, where a line is
// "4:memory:/docker/abc" on v1 and "0::/docker/abc" on v2 (cgroups(7)). Empty is none.
func parseMembership(text string) (v1, v2 string) {
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(fields) < 3:
		case fields[0] == "0" && fields[1] == "":
			v2 = fields[2]
		case slices.Contains(strings.Split(fields[1], ","), "memory"):
			v1 = fields[2]
		}
	}
	return v1, v2
}

// levels are the visible cgroups from a process's own one up to the mount's root.
func (m mount) levels(path string) (ls []level) {
	dir, point := m.dir(path), filepath.Clean(m.point)
	for ; len(dir) > len(point); dir = filepath.Dir(dir) {
		ls = append(ls, level{dir: dir, v2: m.v2})
	}
	return append(ls, level{dir: point, v2: m.v2})
}

// dir is where the process's own cgroup is. It is the mount point itself where the path cannot be followed: it leads out
// of a cgroup namespace ("/../other"), or begins above what the mount shows.
func (m mount) dir(path string) string {
	below, ok := m.below(path)
	if !ok {
		return filepath.Clean(m.point)
	}
	return filepath.Join(m.point, below)
}

// below is the path from the mount's root, if it is under it.
func (m mount) below(path string) (string, bool) {
	if path == "" || slices.Contains(strings.Split(path, "/"), "..") {
		return "", false
	}
	below, ok := strings.CutPrefix(path, strings.TrimSuffix(m.root, "/"))
	return below, ok && (below == "" || below[0] == '/')
}
