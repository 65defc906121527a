package memory

import (
	"encoding/json"
	"math/big"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func FuzzParseBytes(f *testing.F) {
	for _, seed := range []string{"max\n", "536870912\n", v1Unlimited, "18446744073709551616", "-1", "", " 7 ", "0x10", "1_0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, limited, err := parseBytes(text)
		if err != nil || !limited {
			return
		}
		other, ok := new(big.Int).SetString(strings.TrimLeft(strings.TrimSpace(text), "+"), 10)
		if !ok || !other.IsUint64() || other.Uint64() != n {
			t.Errorf("%q is not %d", text, n)
		}
	})
}

func FuzzParseKeyed(f *testing.F) {
	f.Add("anon 1\ninactive_file 20971520\n", "inactive_file")
	f.Add("oom_kill 2", "oom_kill")
	f.Add("\n \nx", "")
	f.Fuzz(func(t *testing.T, text, key string) {
		if n, ok := parseKeyed(text, key); ok && !strings.Contains(text, key) {
			t.Errorf("%d out of nothing", n)
		}
	})
}

func FuzzMountLevelsStayUnderTheMount(f *testing.F) {
	own, _ := os.ReadFile("/proc/self/mountinfo")
	f.Add(string(own), "4:memory:/a\n0::/b\n")
	f.Add(`31 23 0:28 / /sys\040fs/cgroup ro - cgroup2 cgroup rw`, "0::/../x")
	f.Add(`31 23 0:28 /ecs/a /nowhere/cgroup\1 ro - cgroup cgroup rw,memory`, "4:memory:/ecs/a/../../..")
	f.Fuzz(func(t *testing.T, mountinfo, membership string) {
		v1, v2 := parseMembership(membership)
		for _, m := range parseMounts(mountinfo) {
			for _, path := range []string{v1, v2} {
				below, ok := m.below(path)
				if ok && strings.Contains("/"+below+"/", "/../") {
					t.Errorf("%q of %q leads out", below, path)
				}
			}
		}
	})
}

func FuzzParseStat(f *testing.F) {
	f.Add("12 (a) b) S 1 12 12 0")
	f.Add("12 () Z 1 12")
	f.Add(")(")
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := parseStat(text)
		if !ok {
			return
		}
		m := statShape.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("%q has not the shape of %+v", text, p)
		}
		for i, n := range []int{p.pid, p.parent, p.group} {
			if other, err := strconv.Atoi(m[i+1]); err != nil || other != n {
				t.Errorf("%q is not %+v", text, p)
			}
		}
	})
}

// statShape is another reader of the same line.
var statShape = regexp.MustCompile(`(?s)^[\pZ\s\v\x{85}]*([+-]?\d+)[\pZ\s\v\x{85}]*\(.*\)[\pZ\s\v\x{85}]*[^\pZ\s]+[\pZ\s\v\x{85}]+([+-]?\d+)[\pZ\s\v\x{85}]+([+-]?\d+)`)

func FuzzParseAnon(f *testing.F) {
	f.Add("VmRSS:\t 5 kB\nRssAnon:\t 4 kB\nVmSwap:\t 0 kB\n")
	f.Add("RssAnon:\t 99999999999999999999 kB\n")
	f.Add("RssAnon: 5 MB")
	f.Fuzz(func(t *testing.T, status string) {
		if n, err := parseAnon(status); err != nil && n != 0 || n%1024 != 0 {
			t.Error(n, err)
		}
	})
}

func FuzzTaskOthers(f *testing.F) {
	for _, format := range []string{v1Stats, v2Stats} {
		answers := onFargate(format)
		f.Add(answers["/task"], answers["/task/stats"])
	}
	f.Add(`{}`, `{"x":null}`)
	f.Add(`{}`, `{"cd18-1":{"memory_stats":{"usage":18446744073709551615}},"y":{"memory_stats":{"usage":18446744073709551615}}}`)
	f.Fuzz(func(t *testing.T, about, told string) {
		var tk task
		var use map[string]usage
		if json.Unmarshal([]byte(about), &tk) != nil || json.Unmarshal([]byte(told), &use) != nil {
			return
		}
		all, err := tk.others("of no container", use)
		if err != nil {
			return
		}
		if n, err := tk.others("cd18-1", use); err != nil || n > all {
			t.Errorf("%d without one, %d with all: %v", n, all, err)
		}
	})
}
