package child

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// User is whom the child runs as.
type User struct {
	UID, GID uint32
	// Groups are the supplementary groups.
	Groups []uint32
	// Name and Home are as in /etc/passwd; Name is empty and Home "/" for a number that is not there.
	Name, Home string
}

// ParseUser reads USER, UID, USER:GROUP or UID:GID, names and numbers as in `docker run --user`: without a group it is
// the user's own, and those that /etc/group gives; with one it is that group alone. A number need not be in
// /etc/passwd, but then its group must be given: where docker would take group 0, root's, this is an error.
func ParseUser(s string) (*User, error) {
	name, group, grouped := strings.Cut(s, ":")
	u, known, err := lookupUser(name)
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", s, err)
	}
	switch {
	case grouped:
		u.GID, err = lookupGroup(group)
	case known == nil:
		err = fmt.Errorf("%s is not in /etc/passwd, so its group must be given: %s:GID", name, name)
	default:
		u.GID, u.Groups, err = groupsOf(known)
	}
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", s, err)
	}
	return u, nil
}

// Env is HOME, USER and LOGNAME, a layer for Environ. HOME is always the user's, as su-exec does: the container runtime has
// set it to root's, where another user may not even look. USER and LOGNAME follow as with su; an unknown user has none. The
// operator's own layers come after this one and win.
func (u *User) Env() map[string]string {
	if u == nil {
		return nil
	}
	env := map[string]string{"HOME": u.Home}
	if u.Name != "" {
		env["USER"], env["LOGNAME"] = u.Name, u.Name
	}
	return env
}

// credential is nil when nothing changes: then no privilege is needed.
func (u *User) credential() *syscall.Credential {
	if u == nil || (os.Geteuid() != 0 && int(u.UID) == os.Geteuid() && int(u.GID) == os.Getegid()) {
		return nil
	}
	return &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
}

// lookupUser takes a name before a number, as the container runtimes do. An unknown number is a user too.
func lookupUser(s string) (u *User, known *user.User, err error) {
	if s == "" {
		return nil, nil, fmt.Errorf("the user is missing")
	}
	id, notNumber := parseID(s)
	known, err = user.Lookup(s)
	if err != nil && notNumber == nil {
		known, err = user.LookupId(s)
	}
	switch {
	case err == nil:
		if id, err = parseID(known.Uid); err != nil {
			return nil, nil, err
		}
		return &User{UID: id, Name: known.Username, Home: known.HomeDir}, known, nil
	case notNumber == nil:
		return &User{UID: id, Home: "/"}, nil, nil
	default:
		return nil, nil, err
	}
}

func lookupGroup(s string) (uint32, error) {
	if g, err := user.LookupGroup(s); err == nil {
		return parseID(g.Gid)
	}
	id, err := parseID(s)
	if err != nil {
		return 0, fmt.Errorf("group %q is neither in /etc/group nor a number", s)
	}
	return id, nil
}

func groupsOf(known *user.User) (gid uint32, groups []uint32, err error) {
	if gid, err = parseID(known.Gid); err != nil {
		return 0, nil, err
	}
	ids, err := known.GroupIds()
	if err != nil {
		return 0, nil, err
	}
	for _, s := range ids {
		id, err := parseID(s)
		if err != nil {
			return 0, nil, err
		}
		groups = append(groups, id)
	}
	slices.Sort(groups)
	return gid, slices.Compact(groups), nil
}

// parseID leaves out 2^32-1, which means "no change" to setuid(2)'s relatives.
func parseID(s string) (uint32, error) {
	id, err := strconv.ParseUint(s, 10, 32)
	if err != nil || id == 1<<32-1 {
		return 0, fmt.Errorf("%q is not an id", s)
	}
	return uint32(id), nil
}
