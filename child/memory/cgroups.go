package memory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// cgroups are the visible groups of the memory controller that this process is in, the innermost first. On a hybrid
// machine both hierarchies are mounted and the controller is in one of them; the other's groups have no memory files.
type cgroups []level

// ownCgroups reads /proc/self anew: a process can be moved.
func ownCgroups(proc string) (cgroups, error) {
	membership, err := os.ReadFile(filepath.Join(proc, "self/cgroup"))
	if err != nil {
		return nil, fmt.Errorf("find the own cgroup: %w", err)
	}
	mountinfo, err := os.ReadFile(filepath.Join(proc, "self/mountinfo"))
	if err != nil {
		return nil, fmt.Errorf("find where cgroups are mounted: %w", err)
	}
	v1, v2 := parseMembership(string(membership))
	var cs cgroups
	for _, of := range []struct {
		path string
		v2   bool
	}{{v2, true}, {v1, false}} {
		if m, ok := choose(parseMounts(string(mountinfo)), of.path, of.v2); ok {
			cs = append(cs, m.levels(of.path)...)
		}
	}
	return cs, nil
}

// choose prefers a mount that shows the process's own group, and of those the one that shows most above it.
func choose(ms []mount, path string, v2 bool) (best mount, found bool) {
	var follows bool
	for _, m := range ms {
		if m.v2 != v2 || path == "" {
			continue
		}
		_, f := m.below(path)
		if !found || f && (!follows || len(m.root) < len(best.root)) {
			best, found, follows = m, true, f
		}
	}
	return best, found
}

func (cs cgroups) bounds() (all []bound, err error) {
	for _, l := range cs {
		bs, err := l.bounds()
		if err != nil {
			return nil, err
		}
		all = append(all, bs...)
	}
	return all, nil
}

// inUse is what the innermost group with the memory controller has in use.
func (cs cgroups) inUse() Figure {
	f := Unknown("no cgroup tells")
	for _, l := range cs {
		if f = l.inUse(); f.known {
			return f
		}
	}
	return f
}

func (cs cgroups) oomKills() (uint64, error) {
	for _, l := range cs {
		if n, ok := l.oomKills(); ok {
			return n, nil
		}
	}
	return 0, errors.New("no cgroup of this process counts OOM kills")
}
