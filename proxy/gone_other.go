//go:build !linux

package proxy

// goneWatch is for Linux only: elsewhere a client that leaves is noticed when it is written to.
type goneWatch struct{}

func newGoneWatch(func(id uint64, reset bool)) *goneWatch { return &goneWatch{} }

func (*goneWatch) add(*conn) error { return nil }
func (*goneWatch) run()            {}
func (*goneWatch) close()          {}
