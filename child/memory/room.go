package memory

import (
	"context"
	"net/http"
	"time"
)

// Config says where to look. The zero value is for a container outside ECS.
type Config struct {
	ProcRoot    string       // empty: /proc. Where cgroups are mounted is read from there too.
	MetadataURI string       // the value of ECS_CONTAINER_METADATA_URI_V4; empty: not on ECS
	HTTPClient  *http.Client // nil: one that uses no proxy, for the endpoint's address is link-local
}

// Room knows the limits that this process and its children live under. It may be used by several goroutines.
type Room struct {
	proc string
	ecs  *metadata // nil: not on ECS
}

// New reads nothing yet.
func New(c Config) *Room {
	if c.ProcRoot == "" {
		c.ProcRoot = "/proc"
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Transport: &http.Transport{IdleConnTimeout: time.Minute}}
	}
	r := &Room{proc: c.ProcRoot}
	if c.MetadataURI != "" {
		r.ecs = &metadata{uri: c.MetadataURI, client: c.HTTPClient}
	}
	return r
}

// Verdict says whether a second child that needs so many bytes has room; 0 is an unknown need. It always answers: what
// cannot be read makes a figure unknown and the verdict in-place. ECS metadata gets one second.
func (r *Room) Verdict(ctx context.Context, need uint64) Verdict {
	wants := Known(need, "")
	if need == 0 {
		wants = Unknown("the first one has not been measured")
	}
	bounds, err := r.bounds(ctx)
	if err != nil { // a limit that cannot be read may be the one that counts
		return Decide(Unknown(err.Error()), Figure{}, wants)
	}
	b := tightest(bounds)
	return Decide(b.limit, b.inUse, wants)
}

func (r *Room) bounds(ctx context.Context) ([]bound, error) {
	groups, err := ownCgroups(r.proc)
	if err != nil {
		return nil, err
	}
	all, err := groups.bounds()
	if err != nil || r.ecs == nil {
		return all, err
	}
	more, err := r.ecs.bounds(ctx, groups.inUse())
	return append(all, more...), err
}

// OOMKills is how many processes of the own cgroup, where the children are too, the kernel has killed for want of
// memory since the group was made. A caller compares two answers: a newcomer that died of SIGKILL while the number grew
// died of its size. An error means that nothing here counts them.
func (r *Room) OOMKills() (uint64, error) {
	groups, err := ownCgroups(r.proc)
	if err != nil {
		return 0, err
	}
	return groups.oomKills()
}
