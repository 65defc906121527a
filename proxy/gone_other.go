//go:build !linux

package proxy

// goneWatch is for Linux only: elsewhere a client that leaves is noticed when it is written to.
type goneWatch struct{}

func newGoneWatch(func(id uint64, reset bool), func(id uint64)) *goneWatch { return &goneWatch{} }

func (*goneWatch) add(*conn) error { return nil }
func (*goneWatch) park(*conn) bool { return false }
func (*goneWatch) unpark(*conn)    {}
func (*goneWatch) remove(*conn)    {}
func (*goneWatch) run()            {}
func (*goneWatch) close()          {}

func sendInterim(uintptr) {}
