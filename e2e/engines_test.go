package e2e

import (
	"testing"
)

const (
	lean = "lean" // our own HTTP/1.1
	std  = "std"  // net/http
)

// engines runs a test on each engine, as a parallel subtest of its name.
func engines(t *testing.T, test func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range []string{lean, std} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, engine)
		})
	}
}

// enginesInTurn is engines for tests that measure: one after the other, and nothing beside them.
func enginesInTurn(t *testing.T, test func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range []string{lean, std} {
		t.Run(engine, func(t *testing.T) {
			test(t, engine)
		})
	}
}

// engineFlags are the flags of run that choose an engine.
func engineFlags(engine string, more ...string) []string {
	return append([]string{"--engine", engine}, more...)
}
