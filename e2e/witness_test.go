package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sighting is a request as Node saw it; strings are latin1.
type sighting struct {
	N          int
	State      string // open, whole, aborted; refused: by Node's own parser
	Connection int
	Method     string
	URL        string
	Version    string
	Fields     []string // name, value, name, ...
	Body       []byte
	Trailers   []string
}

// witness is a pitstop with an app that tells what it saw.
type witness struct {
	*instance
	told   net.Conn
	answer *bufio.Reader
}

func launchWitness(t *testing.T, flags ...string) *witness {
	t.Helper()
	dir, err := os.MkdirTemp("", "witness-") // short, for the socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	write(t, dir, "server.js", read(t, "testdata/witness.js"))
	w := &witness{instance: launch(t, dir, node, flags...)}
	if w.told, err = net.Dial("unix", filepath.Join(dir, "told")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.told.Close() })
	w.answer = bufio.NewReader(w.told)
	return w
}

// saw returns what Node has seen since it was last asked, once nothing of it is open any more.
func (w *witness) saw() ([]sighting, error) {
	var all []sighting
	for deadline := time.Now().Add(10 * time.Second); ; <-time.After(2 * time.Millisecond) {
		some, err := w.ask()
		if err != nil {
			return nil, err
		}
		open := 0
		for _, s := range some {
			if s.State == "open" {
				open++
			} else {
				all = append(all, s)
			}
		}
		if open == 0 {
			slices.SortFunc(all, func(a, b sighting) int { return a.N - b.N })
			return all, nil
		}
		if time.Now().After(deadline) {
			return append(all, some...), fmt.Errorf("%d requests stay open", open)
		}
	}
}

func (w *witness) ask() ([]sighting, error) {
	_ = w.told.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := w.told.Write([]byte("\n")); err != nil {
		return nil, err
	}
	line, err := w.answer.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var some []sighting
	if err := json.Unmarshal(line, &some); err != nil {
		return nil, err
	}
	for i := range some {
		some[i].Method, some[i].URL = bytesOf(some[i].Method), bytesOf(some[i].URL)
		for _, list := range [][]string{some[i].Fields, some[i].Trailers} {
			for j := range list {
				list[j] = bytesOf(list[j])
			}
		}
	}
	return some, nil
}

// bytesOf turns a string whose characters are bytes into these bytes.
func bytesOf(latin1 string) string {
	var b strings.Builder
	for _, r := range latin1 {
		b.WriteByte(byte(r))
	}
	return b.String()
}

func (in *instance) ended() bool {
	select {
	case <-in.exited:
		return true
	default:
		return false
	}
}
