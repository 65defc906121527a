package memory

import (
	"fmt"
	"os"
	"path/filepath"
)

// level is one cgroup of the memory controller.
type level struct {
	dir string
	v2  bool
}

// bounds are the limits set at this level, none when it has none.
func (l level) bounds() ([]bound, error) {
	if l.v2 {
		return l.boundsV2()
	}
	return l.boundsV1()
}

// boundsV2 counts memory.high as well as memory.max. Over it nobody is killed, but all processes of the group are
// throttled, the serving child too (cgroup-v2.rst, "memory.high").
func (l level) boundsV2() (bs []bound, err error) {
	for _, name := range []string{"memory.max", "memory.high"} {
		n, limited, err := readBytes(filepath.Join(l.dir, name))
		if err != nil {
			return nil, err
		}
		if limited {
			bs = append(bs, bound{Known(n, "cgroup v2 "+name), l.inUse()})
		}
	}
	return bs, nil
}

// boundsV1 reads the limits of groups above from memory.stat as well: a container without a cgroup namespace sees its own
// group only. What its neighbours use stays unseen (cgroup-v1/memory.rst 5.2). Where the group above is seen, its own
// bound is the tighter one.
func (l level) boundsV1() (bs []bound, err error) {
	n, limited, err := readBytes(filepath.Join(l.dir, "memory.limit_in_bytes"))
	if err != nil {
		return nil, err
	}
	if limited {
		bs = append(bs, bound{Known(n, "cgroup v1 memory.limit_in_bytes"), l.inUse()})
	}
	if above, ok := l.stat("hierarchical_memory_limit"); ok && above < unlimitedV1 {
		bs = append(bs, bound{Known(above, "cgroup v1 hierarchical_memory_limit"), l.inUse()})
	}
	return bs, nil
}

// inUse is what the group and those below it have, without the file cache that the kernel drops first. Active file
// cache stays in: to drop it costs the serving child reads from the disk.
func (l level) inUse() Figure {
	name, cache := "memory.usage_in_bytes", "total_inactive_file"
	if l.v2 {
		name, cache = "memory.current", "inactive_file" // v2's figures are of the whole subtree already
	}
	path := filepath.Join(l.dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return Unknown(err.Error())
	}
	n, _, err := parseBytes(string(text))
	if err != nil {
		return Unknown(fmt.Sprintf("%s: %v", path, err))
	}
	inactive, _ := l.stat(cache) // without it more counts as in use
	return Known(less(n, inactive), "")
}

func (l level) stat(key string) (uint64, bool) {
	text, err := os.ReadFile(filepath.Join(l.dir, "memory.stat"))
	if err != nil {
		return 0, false
	}
	return parseKeyed(string(text), key)
}

// oomKills is how many processes of the group were killed for want of memory: memory.events on v2 (there of the whole
// subtree), memory.oom_control on v1 since Linux 4.13.
func (l level) oomKills() (uint64, bool) {
	name := "memory.oom_control"
	if l.v2 {
		name = "memory.events"
	}
	text, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		return 0, false
	}
	return parseKeyed(string(text), "oom_kill")
}
