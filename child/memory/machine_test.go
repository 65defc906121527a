package memory

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// machine is a made-up /proc and cgroup tree.
type machine struct {
	t          *testing.T
	proc       string
	cgroup     string // where hierarchies are mounted
	mountinfo  string
	membership string
}

func newMachine(t *testing.T) *machine {
	dir := t.TempDir()
	m := &machine{t: t, proc: dir + "/proc", cgroup: dir + "/sys fs/cgroup"} // the space is escaped in mountinfo
	m.mountinfo = "23 1 254:1 / / rw,relatime - ext4 /dev/root rw\n"
	return m
}

// mount mounts a hierarchy whose mount point shows the cgroup root; at is below the cgroup folder.
func (m *machine) mount(kind, at, root string) {
	options := "rw"
	if kind == "cgroup" {
		options = "rw,memory"
	}
	point := filepath.Join(filepath.Dir(filepath.Dir(m.cgroup)), `sys\040fs`, "cgroup", at)
	m.mountinfo += fmt.Sprintf("31 23 0:28 %s %s ro,nosuid master:9 - %s %s %s\n", root, point, kind, kind, options)
}

// group writes files of a cgroup, named in pairs with their text.
func (m *machine) group(at string, files ...string) {
	for i := 0; i < len(files); i += 2 {
		m.write(filepath.Join(m.cgroup, at, files[i]), files[i+1])
	}
}

func (m *machine) write(path, text string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// config writes what /proc/self tells and is where to look.
func (m *machine) config() Config {
	m.t.Helper()
	m.write(m.proc+"/self/cgroup", m.membership)
	m.write(m.proc+"/self/mountinfo", m.mountinfo)
	return Config{ProcRoot: m.proc}
}

// expect checks a verdict's figures in MiB and its note.
func (m *machine) expect(limit, inUse uint64, note string) {
	m.t.Helper()
	v := New(m.config()).Verdict(m.t.Context(), 1)
	if v.Limit != Known(limit*mebi, note) || v.InUse != Known(inUse*mebi, "") {
		m.t.Errorf("limit %v, in use %v: %v", v.Limit, v.InUse, v)
	}
}

func (m *machine) expectUnknown() {
	m.t.Helper()
	v := New(m.config()).Verdict(m.t.Context(), 1)
	_, limit := v.Limit.Bytes()
	if _, inUse := v.InUse.Bytes(); v.Overlap || limit && inUse {
		m.t.Errorf("figures are known: %v", v)
	}
}

func mibs(n uint64) string { return fmt.Sprintf("%d\n", n*mebi) }
