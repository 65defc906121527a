package logs

import (
	"bytes"
	"slices"
	"sync"
)

const blockSize = 64 << 10

// block holds whole lines; its buffer never grows.
type block struct{ lines []byte }

// queue is a bounded row of lines in blocks. The caller holds the sink's lock.
type queue struct {
	size, most int
	blocks     []*block // oldest first; the last is being filled
	out        int      // taken and not released
	spare      *sync.Pool
}

func newQueue(bytes, maxLine int) queue {
	size := max(blockSize, maxLine) // a block takes any line
	return queue{size: size, most: max(2, bytes/size), spare: &sync.Pool{
		New: func() any { return &block{make([]byte, 0, size)} },
	}}
}

// add copies as many whole lines as there is room for, and returns the others.
func (q *queue) add(lines []byte) (rest []byte) {
	for len(lines) > 0 {
		if n := q.fill(lines); n > 0 {
			lines = lines[n:]
		} else if len(q.blocks)+q.out < q.most {
			q.blocks = append(q.blocks, q.spare.Get().(*block))
		} else {
			return lines
		}
	}
	return nil
}

// fill copies what fits into the last block, and says how much that is.
func (q *queue) fill(lines []byte) int {
	if len(q.blocks) == 0 {
		return 0
	}
	tail := q.blocks[len(q.blocks)-1]
	room := min(q.size-len(tail.lines), len(lines))
	n := bytes.LastIndexByte(lines[:room], '\n') + 1
	tail.lines = append(tail.lines, lines[:n]...)
	return n
}

// take returns the oldest block, nil when there is none.
func (q *queue) take() *block {
	if len(q.blocks) == 0 {
		return nil
	}
	b := q.blocks[0]
	q.blocks = slices.Delete(q.blocks, 0, 1)
	q.out++
	return b
}

// release gives a block back: to be used again while lines flow, and to the garbage collector when a burst is over.
func (q *queue) release(b *block) {
	q.out--
	b.lines = b.lines[:0]
	q.spare.Put(b)
}

// crowded says that more than half is taken.
func (q *queue) crowded() bool { return 2*(len(q.blocks)+q.out) > q.most }

func (q *queue) lines() (n int) {
	for _, b := range q.blocks {
		n += countLines(b.lines)
	}
	return n
}
