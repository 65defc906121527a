package proxy

import "sync/atomic"

// Budget is the memory that small bodies may take together while they are read and until their response begins.
type Budget struct {
	left atomic.Int64
}

// Take takes n bytes if they are left.
func (b *Budget) Take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

// Give returns what was taken.
func (b *Budget) Give(n int64) { b.left.Add(n) }
