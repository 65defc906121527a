package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// lanes is how many pitstops with an app each play cases beside each other: so it is certain which case an app saw.
const lanes = 4

// A request that the RFCs forbid, or read in two ways, is refused, or is to the app what it is by the RFCs; nothing
// that is hidden in one ever becomes another, however its bytes arrive.
func TestHostile_TheAppSeesWhatTheBytesMeanOrNothing(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		cases := append(vectorCases(), generatedCases(t, atLeast(t, "HOSTILE_CASES", 2400))...)
		next := make(chan hostileCase)
		var wg sync.WaitGroup
		for range lanes {
			w := launchWitness(t, engineFlags(engine)...)
			wg.Go(func() {
				for c := range next {
					if w.ended() {
						continue
					}
					if err := c.run(w, engine); err != nil {
						t.Errorf("%s: %.2000s\n%s", c.name, err, quoted(c.raw))
					}
					if w.ended() {
						t.Errorf("%s: pitstop has ended\n%s", c.name, quoted(c.raw))
					}
				}
			})
		}
		for _, c := range cases {
			next <- c
		}
		close(next)
		wg.Wait()
		t.Logf("%d cases, each whole and in pieces", len(cases))
	})
}

// hostileCase is some bytes on one connection.
type hostileCase struct {
	name string
	raw  []byte
	cuts []int
}

// run plays a case whole and in pieces.
func (c hostileCase) run(w *witness, engine string) error {
	m := readMeaning(c.raw, engine)
	whole, err := c.once(w, m, nil, engine)
	if err != nil {
		return err
	}
	pieces, err := c.once(w, m, c.cuts, engine)
	if err != nil {
		return fmt.Errorf("in pieces that end at %v: %w", c.cuts, err)
	}
	n := min(len(whole), len(pieces))
	if !slices.Equal(whole[:n], pieces[:n]) || len(whole) != len(pieces) && !m.tolerates(endsEarly, engine) {
		return fmt.Errorf("whole it led to %+v, in pieces that end at %v to %+v", whole, c.cuts, pieces)
	}
	return nil
}

// once plays it and returns what must not depend on how the bytes arrive.
func (c hostileCase) once(w *witness, m meaning, cuts []int, engine string) (outcome []string, err error) {
	got, err := play(w.addr, m, c.raw, cuts)
	saw, sawErr := w.saw()
	if err := cmp.Or(err, sawErr); err != nil {
		return nil, fmt.Errorf("%w; the app saw %+v", err, saw)
	}
	if err := judge(m, saw, got, engine); err != nil {
		return nil, err
	}
	for _, s := range saw {
		if s.State == "whole" {
			outcome = append(outcome, fmt.Sprintf("%s %s %d", s.Method, s.URL, len(s.Body)))
		}
	}
	return outcome, nil
}

// vectorCases are the vectors, each followed by a request that must not be seen unless it is one.
func vectorCases() (cases []hostileCase) {
	for i, v := range vectors() {
		rng := rand.New(rand.NewPCG(uint64(i), 0))
		raw := []byte(v.raw + smuggled)
		cases = append(cases, hostileCase{fmt.Sprintf("vector %d", i), raw, cutsOf(rng, raw)})
	}
	return cases
}

// cutsOf are one to four places in a message, in order.
func cutsOf(rng *rand.Rand, raw []byte) (cuts []int) {
	for range 1 + rng.IntN(4) {
		cuts = append(cuts, rng.IntN(len(raw)))
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// atLeast reads a number from the environment.
func atLeast(t *testing.T, name string, fallback int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func quoted(raw []byte) string {
	if len(raw) > 4000 {
		return fmt.Sprintf("%q ... (%d bytes)", raw[:4000], len(raw))
	}
	return fmt.Sprintf("%q", raw)
}
