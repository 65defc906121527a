package proxy

import "sync/atomic"

// budget is the memory that small bodies may take together while they are read and until their response begins.
type budget struct {
	left atomic.Int64
}

// take takes n bytes if they are left.
func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

// give returns what was taken.
func (b *budget) give(n int64) { b.left.Add(n) }
