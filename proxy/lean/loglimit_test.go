package lean

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

func TestLogLimit_LetsSomeLinesThroughEachSecondAndCountsTheRest(t *testing.T) {
	var out bytes.Buffer
	log := hclog.New(&hclog.LoggerOptions{Output: &out})
	var l logLimit
	for range 2 {
		lines := 0
		for range perSecond + 5 {
			if l.allow() {
				lines++
			}
		}
		if lines != perSecond {
			t.Errorf("%d lines", lines)
		}
		l.second(log)
	}
	l.second(log) // in which there were none
	if said := out.String(); strings.Count(said, "n=5") != 2 || strings.Count(said, "\n") != 2 {
		t.Errorf("%q", said)
	}
}
