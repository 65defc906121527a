package supervisor

import "time"

// Outcome says what a reload that succeeded did.
type Outcome struct {
	// Commit serves now; Previous did before.
	Commit, Previous string
	// Unchanged: it served already. Staged: it was only fetched.
	Unchanged, Staged bool
	// Strategy is how the child was replaced, "overlap" or "in-place", and Why the reason for it.
	Strategy, Why string
	// Steps are what was done, in order.
	Steps []StepTook
	// Took is the time from the call to the answer.
	Took time.Duration
	// Cut says which visits the drain's bound cut off; empty if none.
	Cut string
}

// StepTook is a step of a reload and how long it took.
type StepTook struct {
	Step Step
	Took time.Duration
}
