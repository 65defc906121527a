package cli

import "fmt"

type versionCmd struct{}

func (c *versionCmd) run(p Process, m *mistakes) int {
	if m.any() {
		return m.tell(p.Stderr)
	}
	fmt.Fprintln(p.Stdout, p.Version)
	return exitOK
}
