package child

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestParseUser_NamesNumbersAndGroups(t *testing.T) {
	for s, want := range map[string]User{
		"root":           {UID: 0, GID: 0, Groups: []uint32{0}, Name: "root", Home: "/root"},
		"0":              {UID: 0, GID: 0, Groups: []uint32{0}, Name: "root", Home: "/root"},
		"root:daemon":    {UID: 0, GID: 1, Name: "root", Home: "/root"},
		"daemon:0":       {UID: 1, GID: 0, Name: "daemon", Home: "/usr/sbin"},
		"54321:54321":    {UID: 54321, GID: 54321, Home: "/"},
		"54321:daemon":   {UID: 54321, GID: 1, Home: "/"},
		"4294967294:100": {UID: 4294967294, GID: 100, Home: "/"},
	} {
		got, err := ParseUser(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		} else if got.UID != want.UID || got.GID != want.GID || got.Name != want.Name || got.Home != want.Home || !slices.Equal(got.Groups, want.Groups) {
			t.Errorf("%s: %+v, want %+v", s, *got, want)
		}
	}
}

func TestParseUser_MistakesAreToldNotGuessed(t *testing.T) {
	for s, says := range map[string]string{
		"":                "missing",
		":0":              "missing",
		"no-such-user":    "no-such-user",
		"54321":           "54321:GID", // docker would take root's group
		"root:":           "neither",
		"root:no-such":    "neither",
		"4294967295:1":    "4294967295", // setuid's "no change"
		"4294967296:1":    "4294967296",
		"-1:1":            "-1",
		"1000:1000:1000":  "neither",
		"root:4294967295": "neither",
	} {
		if got, err := ParseUser(s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %+v, %v, want %q", s, got, err, says)
		}
	}
}

func TestUser_EnvIsItsOwnAndTheOperatorsWins(t *testing.T) {
	base := []string{"HOME=/root", "USER=root", "LOGNAME=root"}
	for _, tc := range []struct {
		user *User
		want []string
	}{
		{nil, []string{"HOME=/root", "LOGNAME=root", "USER=root"}},
		{&User{Name: "node", Home: "/home/node"}, []string{"HOME=/home/node", "LOGNAME=node", "USER=node"}},
		{&User{UID: 54321, Home: "/"}, []string{"HOME=/", "LOGNAME=root", "USER=root"}},
	} {
		env := Environ(base, tc.user.Env())
		if slices.Sort(env); !slices.Equal(env, tc.want) {
			t.Errorf("%+v: %q, want %q", tc.user, env, tc.want)
		}
	}
	env := Environ(base, (&User{Name: "node", Home: "/home/node"}).Env(), map[string]string{"HOME": "/srv"})
	if !slices.Contains(env, "HOME=/srv") {
		t.Errorf("the operator's HOME is lost: %q", env)
	}
}

func TestUser_TheChildHasItsIdsAndNoOthers(t *testing.T) {
	needsRoot(t)
	u := &User{UID: 54321, GID: 54322, Groups: []uint32{54323}}
	c, out := startSpec(t, NewLauncher(), Spec{Command: []string{"sh", "-c", "id -u; id -g; id -G"}, Env: os.Environ(), User: u})
	<-c.Exited()
	if got := read(t, out); got != "54321\n54322\n54322 54323\n" {
		t.Errorf("ids %q", got)
	}
}

func TestUser_OnesOwnNeedsNoPrivilege(t *testing.T) {
	needsRoot(t)
	if said := playedBy54321(t, "same user"); said != "true\n" {
		t.Errorf("said %q", said)
	}
}

func TestUser_WithoutPrivilegeTheMistakeIsNamed(t *testing.T) {
	needsRoot(t)
	if said := playedBy54321(t, "another user"); !strings.Contains(said, "only root may run it as user 54322:54322") {
		t.Errorf("said %q", said)
	}
}

func playedBy54321(t *testing.T, part string) (said string) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"TEST_CHILD=" + part}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Error(err)
	}
	return string(out)
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may become another user")
	}
}
