package supervisor

import (
	"sync/atomic"
	"time"
)

// journal notes what each step of an act took.
type journal struct {
	steps []StepTook
	since time.Time
	now   *atomic.Pointer[Step] // for the status
}

// begin ends the step before and begins another.
func (j *journal) begin(step Step) {
	j.close()
	j.steps = append(j.steps, StepTook{Step: step})
	j.since = time.Now()
	j.now.Store(&step)
}

// close ends the last step.
func (j *journal) close() {
	if n := len(j.steps); n > 0 {
		j.steps[n-1].Took = j.took()
	}
}

// took is how long the present step has lasted.
func (j *journal) took() time.Duration { return time.Since(j.since) }

// text writes a time for the log: a bare number there has no unit.
func text(d time.Duration) string { return d.Round(time.Millisecond).String() }
