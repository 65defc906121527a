package memory

import (
	"os"
	"slices"
	"testing"
)

const v1Unlimited = "9223372036854771712\n"

// newContainer is a machine inside a container with a cgroup namespace, as Docker makes it on v2.
func newContainer(t *testing.T) *machine {
	m := newMachine(t)
	m.mount("cgroup2", "", "/")
	m.membership = "0::/\n"
	return m
}

func TestRoom_InsideANamespaceTheRootIsTheContainersOwn(t *testing.T) {
	m := newContainer(t)
	m.group("", "memory.max", mibs(512), "memory.high", "max\n", "memory.current", mibs(200),
		"memory.stat", "anon 1\nfile 99\ninactive_anon 7\ninactive_file 20971520\nactive_file 9\n")
	m.expect(512, 180, "cgroup v2 memory.max")
}

func TestRoom_EveryAncestorsLimitCounts(t *testing.T) {
	for name, limited := range map[string]string{"own": "/task/app", "parent": "/task", "grandparent": ""} {
		m := newContainer(t)
		m.membership = "0::/task/app\n"
		for _, at := range []string{"", "/task", "/task/app"} {
			m.group(at, "memory.max", "max\n", "memory.current", mibs(100))
		}
		m.group(limited, "memory.max", mibs(300))
		t.Log(name)
		m.expect(300, 100, "cgroup v2 memory.max")
	}
}

func TestRoom_IsTheLeastRoomOfAllLimitsNotTheLeastLimit(t *testing.T) {
	m := newContainer(t)
	m.membership = "0::/app\n"
	m.group("", "memory.max", mibs(1024), "memory.current", mibs(1000))
	m.group("app", "memory.max", mibs(512), "memory.current", mibs(100))
	m.expect(1024, 1000, "cgroup v2 memory.max")
}

func TestRoom_MemoryHighCountsForItThrottlesTheServingChildToo(t *testing.T) {
	m := newContainer(t)
	m.group("", "memory.max", mibs(512), "memory.high", mibs(400), "memory.current", mibs(100))
	m.expect(400, 100, "cgroup v2 memory.high")
}

func TestRoom_V1CountsItsLimitAndTheWholeSubtreesCache(t *testing.T) {
	m := newMachine(t)
	m.mount("cgroup", "memory", "/")
	m.membership = "9:name=systemd:/x\n4:cpu,memory:/docker/abc\n"
	m.group("memory", "memory.limit_in_bytes", v1Unlimited, "memory.usage_in_bytes", mibs(9000))
	m.group("memory/docker/abc", "memory.limit_in_bytes", mibs(512), "memory.usage_in_bytes", mibs(200),
		"memory.stat", "inactive_file 1\nhierarchical_memory_limit 536870912\ntotal_inactive_file 20971520\n")
	m.expect(512, 180, "cgroup v1 memory.limit_in_bytes")
}

func TestRoom_V1InAContainerWithoutNamespaceFollowsTheMountsRoot(t *testing.T) {
	for path, own := range map[string]uint64{"/ecs/task/abc": 100, "/ecs/task/abc/own": 90, "/told/by/the/host": 100} {
		m := newMachine(t)
		m.mount("cgroup", "memory", "/ecs/task/abc")
		m.membership = "4:memory:" + path + "\n"
		m.group("memory", "memory.limit_in_bytes", mibs(512), "memory.usage_in_bytes", mibs(100))
		m.group("memory/own", "memory.limit_in_bytes", v1Unlimited, "memory.usage_in_bytes", mibs(90))
		m.expect(512, 100, "cgroup v1 memory.limit_in_bytes")
		if groups, err := ownCgroups(m.proc); err != nil || groups.inUse() != Known(own*mebi, "") {
			t.Errorf("%s: %v, %v", path, groups, err)
		}
	}
}

func TestRoom_V1KnowsLimitsOfGroupsAboveWhatItSees(t *testing.T) {
	m := newMachine(t)
	m.mount("cgroup", "memory", "/ecs/task/abc")
	m.membership = "4:memory:/ecs/task/abc\n"
	m.group("memory", "memory.limit_in_bytes", v1Unlimited, "memory.usage_in_bytes", mibs(100),
		"memory.stat", "hierarchical_memory_limit 314572800\n")
	m.expect(300, 100, "cgroup v1 hierarchical_memory_limit")
}

func TestRoom_AHybridMachineIsReadWhereItsMemoryControllerIs(t *testing.T) {
	m := newMachine(t)
	m.mount("cgroup2", "unified", "/")
	m.mount("cgroup", "memory", "/")
	m.membership = "4:memory:/app\n0::/app\n"
	m.group("unified/app", "cgroup.procs", "1\n")
	m.group("memory/app", "memory.limit_in_bytes", mibs(512), "memory.usage_in_bytes", mibs(100), "memory.oom_control", "oom_kill 3\n")
	m.expect(512, 100, "cgroup v1 memory.limit_in_bytes")
	if n, err := New(m.config()).OOMKills(); n != 3 || err != nil {
		t.Error(n, err)
	}
}

func TestRoom_AMountThatShowsTheOwnGroupIsPreferred(t *testing.T) {
	m := newMachine(t)
	m.mount("cgroup2", "other", "/neighbour")
	m.mount("cgroup2", "narrow", "/pod/app")
	m.mount("cgroup2", "wide", "/pod")
	m.membership = "0::/pod/app\n"
	m.group("other", "memory.max", mibs(1), "memory.current", mibs(1))
	m.group("narrow", "memory.max", mibs(512), "memory.current", mibs(100))
	m.group("wide/app", "memory.max", mibs(512), "memory.current", mibs(100))
	m.group("wide", "memory.max", mibs(300), "memory.current", mibs(200))
	m.expect(300, 200, "cgroup v2 memory.max")
}

func TestRoom_AGroupWithoutTheMemoryControllerIsCountedInTheOneAbove(t *testing.T) {
	m := newContainer(t)
	m.membership = "0::/app\n"
	m.group("", "memory.max", mibs(512), "memory.current", mibs(100))
	m.group("app", "cgroup.procs", "1\n")
	m.expect(512, 100, "cgroup v2 memory.max")
	if groups, err := ownCgroups(m.proc); err != nil || groups.inUse() != Known(100*mebi, "") {
		t.Errorf("%v, %v", groups, err)
	}
}

func TestMount_IsFoundByItsControllerAndFollowedByWholeNames(t *testing.T) {
	ms := parseMounts(`35 31 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
36 31 0:33 /a\040pod /sys/fs/cgroup/memory rw master:1 - cgroup cgroup rw,memory,hugetlb
37 31 0:34 / /memory rw - tmpfs memory rw,memory
38 31 0:35 / broken
39 31 0:36 / /sys/fs/cgroup/unified\ rw - cgroup2 cgroup2 rw
`)
	want := []mount{{"/a pod", "/sys/fs/cgroup/memory", false}, {"/", `/sys/fs/cgroup/unified\`, true}}
	if !slices.Equal(ms, want) {
		t.Fatalf("%+v", ms)
	}
	for path, below := range map[string]string{"/a pod": "", "/a pod/x": "/x", "/a podium/x": "no", "/": "no", "/a pod/../x": "no"} {
		if got, ok := ms[0].below(path); ok != (below != "no") || ok && got != below {
			t.Errorf("%s: %q, %v", path, got, ok)
		}
	}
}

func TestRoom_APathOutOfTheNamespaceIsReadAtTheMount(t *testing.T) {
	m := newContainer(t)
	m.membership = "0::/../neighbour\n"
	m.group("", "memory.max", mibs(512), "memory.current", mibs(100))
	m.group("../neighbour", "memory.max", mibs(1), "memory.current", mibs(1))
	m.expect(512, 100, "cgroup v2 memory.max")
}

func TestRoom_WithoutALimitTheAnswerIsUnknownAndNotTheMachines(t *testing.T) {
	for name, build := range map[string]func(*machine){
		"a plain machine, v2": func(m *machine) {
			m.mount("cgroup2", "", "/")
			m.membership = "0::/user.slice/session.scope\n"
			m.group("user.slice/session.scope", "memory.max", "max\n", "memory.high", "max\n", "memory.current", mibs(5))
		},
		"a plain machine, v1": func(m *machine) {
			m.mount("cgroup", "memory", "/")
			m.membership = "4:memory:/\n"
			m.group("memory", "memory.limit_in_bytes", v1Unlimited, "memory.usage_in_bytes", mibs(5),
				"memory.stat", "hierarchical_memory_limit 9223372036854710272\n")
		},
		"no mount": func(m *machine) { m.membership = "0::/\n" },
		"no membership": func(m *machine) {
			m.mount("cgroup2", "", "/")
			m.group("", "memory.max", mibs(5), "memory.current", mibs(1))
		},
		"empty groups": func(m *machine) { m.mount("cgroup2", "", "/"); m.membership = "0::/\n"; m.group("", "x", "") },
	} {
		m := newMachine(t)
		m.write(m.proc+"/meminfo", "MemTotal: 99999999 kB\n")
		build(m)
		t.Log(name)
		m.expectUnknown()
	}
}

func TestRoom_WhatCannotBeReadIsUnknownAndNotUnlimited(t *testing.T) {
	for name, files := range map[string][]string{
		"garbage for a limit":       {"memory.max", "lots\n", "memory.current", mibs(1)},
		"an empty limit":            {"memory.max", "", "memory.current", mibs(1)},
		"a negative limit":          {"memory.max", "-1\n", "memory.current", mibs(1)},
		"garbage for a throttle":    {"memory.max", mibs(512), "memory.high", "1.5G", "memory.current", mibs(1)},
		"garbage for what is used":  {"memory.max", mibs(512), "memory.current", "?"},
		"nothing for what is used":  {"memory.max", mibs(512)},
		"a folder in place of file": {"memory.max/x", "", "memory.current", mibs(1)},
	} {
		m := newContainer(t)
		m.group("", files...)
		t.Log(name)
		m.expectUnknown()
	}
}

func TestRoom_OneUnknownUseAmongSeveralLimitsIsUnknown(t *testing.T) {
	m := newContainer(t)
	m.membership = "0::/app\n"
	m.group("", "memory.max", mibs(2048), "memory.current", "?")
	m.group("app", "memory.max", mibs(512), "memory.current", mibs(1))
	m.expectUnknown()
}

func TestRoom_WithoutCacheFiguresAllCountsAsInUse(t *testing.T) {
	for _, stat := range []string{"inactive_file lots\n", "inactive_file\n", "", "xinactive_file 99\n"} {
		m := newContainer(t)
		m.group("", "memory.max", mibs(512), "memory.current", mibs(200), "memory.stat", stat)
		m.expect(512, 200, "cgroup v2 memory.max")
	}
}

func TestRoom_ALimitThatChangesIsSeen(t *testing.T) {
	m := newContainer(t)
	m.group("", "memory.max", mibs(512), "memory.current", mibs(200))
	r := New(m.config())
	if v := r.Verdict(t.Context(), 300*mebi); !v.Overlap {
		t.Error(v)
	}
	m.group("", "memory.max", mibs(400))
	if v := r.Verdict(t.Context(), 300*mebi); v.Overlap {
		t.Error(v)
	}
}

func TestRoom_AnUnmeasuredAppIsInPlace(t *testing.T) {
	m := newContainer(t)
	m.group("", "memory.max", mibs(512), "memory.current", mibs(1))
	v := New(m.config()).Verdict(t.Context(), 0)
	if want := "in-place: the memory that a second app needs is unknown (the first one has not been measured)"; v.Overlap || v.String() != want {
		t.Errorf("%v, not %s", v, want)
	}
}

func TestRoom_CountsOOMKillsOfTheOwnGroup(t *testing.T) {
	m := newContainer(t)
	m.membership = "0::/app\n"
	m.group("", "memory.events", "oom 9\noom_kill 9\n")
	m.group("app", "memory.events", "low 0\nhigh 0\nmax 5\noom 4\noom_kill 2\noom_group_kill 0\n")
	if n, err := New(m.config()).OOMKills(); n != 2 || err != nil {
		t.Error(n, err)
	}
	if err := os.Remove(m.cgroup + "/app/memory.events"); err != nil {
		t.Fatal(err)
	}
	m.group("", "memory.events", "oom 9\n")
	if n, err := New(m.config()).OOMKills(); err == nil {
		t.Errorf("%d where nothing counts", n)
	}
}

func TestRoom_WithoutProcNothingIsKnown(t *testing.T) {
	r := New(Config{ProcRoot: t.TempDir()})
	if v := r.Verdict(t.Context(), 1); v.Overlap || v.Limit.known {
		t.Error(v)
	}
	if n, err := r.OOMKills(); err == nil {
		t.Error(n)
	}
}
