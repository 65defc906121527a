//go:build !linux

package lean

import (
	"errors"
)

const (
	spliceFrom = 1 << 62 // never
	maxPipes   = 0
)

var errNoSplice = errors.New("only Linux splices")

type pipe struct{}

func newPipe() (*pipe, error) { return nil, errNoSplice }
func (*pipe) close()          {}

func (*wire) spliceIn(*pipe, int64) (int64, error)      { return 0, errNoSplice }
func (*wire) spliceOut(_ *pipe, n int64) (int64, error) { return n, errNoSplice }
