package memory

import "fmt"

// task is what counts here of the answer to /task; field names and units are those of
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-response.html.
type task struct {
	Limits     limits
	Containers []container
}

// container is one of them, and also the answer to the endpoint's own address.
type container struct {
	DockerID    string `json:"DockerId"`
	Name        string
	KnownStatus string
	Type        string // NORMAL, or ECS's own such as CNI_PAUSE
	Limits      limits
}

// limits are in MiB. Absent and 0 are both no limit: the agent sends a task's only if set, and a container's always.
type limits struct {
	Memory uint32 // more than 2^32 MiB is a mistake, and one that must not pass for a small number
}

func (l limits) bytes() uint64 { return uint64(l.Memory) * mebi }

// usage is one container's Docker statistics. The agent sends an empty or no object for one that it knows nothing of.
type usage struct {
	MemoryStats struct {
		Usage uint64 `json:"usage"`
		Stats struct {
			InactiveFile      uint64  `json:"inactive_file"`
			TotalInactiveFile *uint64 `json:"total_inactive_file"`
		} `json:"stats"`
	} `json:"memory_stats"`
}

// inUse is without inactive file cache, whose name is total_inactive_file on cgroup v1 machines and inactive_file on v2
// (https://docs.docker.com/reference/cli/docker/container/stats/). 0 is unknown: nothing runs in no memory.
func (u usage) inUse() uint64 {
	inactive := u.MemoryStats.Stats.InactiveFile
	if total := u.MemoryStats.Stats.TotalInactiveFile; total != nil {
		inactive = *total // on v1 the other one leaves out the groups below
	}
	return less(u.MemoryStats.Usage, inactive)
}

// others is what all containers but the own one use, in bytes. One that runs and whose use is not told counts with its
// limit, and is an error when it has none. ECS's own are too small to fail for.
func (t task) others(own string, use map[string]usage) (sum uint64, err error) {
	for id, u := range use {
		if id != own {
			sum = more(sum, u.inUse())
		}
	}
	for _, c := range t.Containers {
		untold := c.DockerID != own && c.KnownStatus == "RUNNING" && use[c.DockerID].MemoryStats.Usage == 0
		switch {
		case !untold:
		case c.Limits.Memory > 0:
			sum = more(sum, c.Limits.bytes())
		case c.Type == "" || c.Type == "NORMAL":
			return 0, fmt.Errorf("ECS metadata does not tell what container %q uses", c.Name)
		}
	}
	return sum, nil
}
