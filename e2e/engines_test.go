package e2e

import (
	"os/exec"
	"strings"
	"sync"
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
			needEngine(t, engine)
			test(t, engine)
		})
	}
}

// enginesInTurn is engines for tests that measure: one after the other, and nothing beside them.
func enginesInTurn(t *testing.T, test func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range []string{lean, std} {
		t.Run(engine, func(t *testing.T) {
			needEngine(t, engine)
			test(t, engine)
		})
	}
}

func needEngine(t *testing.T, engine string) {
	t.Helper()
	if engine != std && !hasEngines() {
		t.Skip("this binary has one engine, std")
	}
}

// engineFlags are the flags of run that choose an engine.
func engineFlags(engine string, more ...string) []string {
	if !hasEngines() {
		return more
	}
	return append([]string{"--engine", engine}, more...)
}

// hasEngines asks the binary whether it has the flag.
var hasEngines = sync.OnceValue(func() bool {
	out, _ := exec.Command(binary, "run", "--help").CombinedOutput()
	return strings.Contains(string(out), "--engine")
})
