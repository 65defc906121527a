package child

import "slices"

// apps finds the app's processes: the child, or what runs behind the programs that stand between. A program that
// stands between and has nothing behind it yet is asked itself. None means that the child has ended, or that /proc
// tells nothing.
func (c *Child) apps() []process {
	all, err := processes()
	if err != nil {
		return nil
	}
	children := make(map[int][]process)
	var leader []process
	for _, p := range all {
		switch {
		case p.zombie:
		case p.pid == c.Pid() && !c.hasExited():
			leader = append(leader, p)
		default:
			children[p.parent] = append(children[p.parent], p)
		}
	}
	apps := behind(leader, children)
	c.noteGroups(apps)
	return apps
}

func behind(ps []process, children map[int][]process) []process {
	var apps []process
	for _, p := range ps {
		if next := children[p.pid]; len(next) > 0 && standsBetween(commandLine(p.pid)) {
			apps = append(apps, behind(next, children)...)
			continue
		}
		apps = append(apps, p)
	}
	return apps
}

// noteGroups remembers groups other than the child's: tini, dumb-init and pnpm 12 give one to what they start.
func (c *Child) noteGroups(apps []process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range apps {
		known := func(g *group) bool { return g.id == p.group }
		if p.group != c.own.id && !slices.ContainsFunc(c.outside, known) {
			c.outside = append(c.outside, &group{id: p.group, leaderless: true})
		}
	}
}
