//go:build !linux

package lean

import (
	"errors"
	"math"
)

const (
	spliceFrom = math.MaxInt64 // never
	maxPipes   = 0
)

var errNoSplice = errors.New("only Linux splices")

type pipe struct{}

func newPipe() (*pipe, error) { return nil, errNoSplice }
func (*pipe) close()          {}

func (*wire) spliceIn(*pipe, int64) (int64, error)      { return 0, errNoSplice }
func (*wire) spliceOut(_ *pipe, n int64) (int64, error) { return n, errNoSplice }
