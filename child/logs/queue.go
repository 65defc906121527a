package logs

import (
	"bytes"
	"slices"
)

const (
	blockSize = 64 << 10
	spares    = 4 // blocks kept for reuse, so that a steady flow allocates nothing and a burst's memory is given back
)

// queue is a bounded row of lines in blocks. The caller holds the sink's lock.
type queue struct {
	size, most int
	blocks     [][]byte // oldest first; the last is being filled
	out        int      // taken and not released
	spare      [][]byte
}

func newQueue(bytes, maxLine int) queue {
	size := max(blockSize, maxLine) // a block takes any line
	return queue{size: size, most: max(2, bytes/size)}
}

// add copies as many whole lines as there is room for, and returns the others.
func (q *queue) add(lines []byte) (rest []byte) {
	for len(lines) > 0 {
		room := 0
		if last := len(q.blocks) - 1; last >= 0 {
			room = q.size - len(q.blocks[last])
		}
		n := bytes.LastIndexByte(lines[:min(room, len(lines))], '\n') + 1
		if n == 0 {
			if !q.grow() {
				return lines
			}
			continue
		}
		tail := &q.blocks[len(q.blocks)-1]
		*tail = append(*tail, lines[:n]...)
		lines = lines[n:]
	}
	return nil
}

func (q *queue) grow() bool {
	if len(q.blocks)+q.out >= q.most {
		return false
	}
	var block []byte
	if n := len(q.spare); n > 0 {
		block, q.spare = q.spare[n-1], q.spare[:n-1]
	} else {
		block = make([]byte, 0, q.size)
	}
	q.blocks = append(q.blocks, block)
	return true
}

// take returns the oldest block, nil when there is none.
func (q *queue) take() []byte {
	if len(q.blocks) == 0 {
		return nil
	}
	block := q.blocks[0]
	q.blocks = slices.Delete(q.blocks, 0, 1)
	q.out++
	return block
}

func (q *queue) release(block []byte) {
	q.out--
	if len(q.spare) < spares {
		q.spare = append(q.spare, block[:0])
	}
}

// crowded says that more than half is taken.
func (q *queue) crowded() bool { return 2*(len(q.blocks)+q.out) > q.most }

func (q *queue) lines() (n int) {
	for _, block := range q.blocks {
		n += countLines(block)
	}
	return n
}
