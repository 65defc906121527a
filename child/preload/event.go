package preload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Event is one line of the FIFO: a [Listening], [Closed], [Other], [OtherClosed], [Main], [Beat] or [Unsupported].
type Event interface{ event() }

// Listening says that a process accepts connections for the app's port on a socket. In a cluster that is the
// primary; where its workers accept (SCHED_NONE), each of them tells.
type Listening struct {
	Socket string `json:"socket"` // its absolute path
	PID    int    `json:"pid"`
}

// Closed says that a process is about to close a socket that it was Listening on. A killed process says nothing.
type Closed struct {
	Socket string `json:"socket"`
	PID    int    `json:"pid"`
}

// Other says that a process listens on another TCP port than the app's, so that no second one can do so beside it.
// Ports that the system chose are not told.
type Other struct {
	Port    int    `json:"port"`
	Address string `json:"address"`
	PID     int    `json:"pid"`
}

// OtherClosed takes an Other back: port probers listen on many ports for a moment.
type OtherClosed struct {
	Port    int    `json:"port"`
	Address string `json:"address"`
	PID     int    `json:"pid"`
}

// Main says that a Node process has started: the app, npm before it, a worker of a cluster, a build tool.
type Main struct {
	Entry string `json:"entry"` // real path of its script; empty if it has none
	PID   int    `json:"pid"`
	Node  string `json:"node"` // its version, as "v20.1.0"
}

// Beat comes every second from each process with a server for the app's port in its main thread, from the first
// listen until its end, unless its event loop hangs.
type Beat struct {
	Lag time.Duration // the longest that the loop was late since the last beat
	PID int
}

// Unsupported says why a listen on the app's port stays plain TCP.
type Unsupported struct {
	Reason string `json:"reason"`
	PID    int    `json:"pid"`
}

func (Listening) event()   {}
func (Closed) event()      {}
func (Other) event()       {}
func (OtherClosed) event() {}
func (Main) event()        {}
func (Beat) event()        {}
func (Unsupported) event() {}

// ErrUnknownEvent says that a line is of a kind that this version does not know.
var ErrUnknownEvent = errors.New("unknown event")

// Parse reads one line, with or without its newline. It returns an error that wraps ErrUnknownEvent for an event
// it does not know, and another for a line that is no event or lacks what the event needs: the app's own code may
// write to the FIFO as well. That a socket is in the generation's folder is for the caller to check.
func Parse(line []byte) (Event, error) {
	if len(line) > MaxLine {
		return nil, fmt.Errorf("parse event: %d bytes in a line", len(line))
	}
	var head struct {
		Event string `json:"event"`
		PID   int    `json:"pid"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("parse event %q: %w", shorten(line), err)
	}
	if head.PID <= 0 {
		return nil, fmt.Errorf("parse event %q: no pid", shorten(line))
	}
	e, err := parse(head.Event, line)
	if err != nil {
		return nil, fmt.Errorf("parse event %q: %w", shorten(line), err)
	}
	return e, nil
}

func parse(kind string, line []byte) (Event, error) {
	switch kind {
	case "listening":
		e, err := decode[Listening](line)
		return e, errors.Join(err, checkSocket(e.Socket))
	case "closed":
		e, err := decode[Closed](line)
		return e, errors.Join(err, checkSocket(e.Socket))
	case "other":
		e, err := decode[Other](line)
		return e, errors.Join(err, checkPort(e.Port))
	case "other-closed":
		e, err := decode[OtherClosed](line)
		return e, errors.Join(err, checkPort(e.Port))
	case "main":
		return decode[Main](line)
	case "beat":
		return parseBeat(line)
	case "unsupported":
		return decode[Unsupported](line)
	}
	return nil, fmt.Errorf("%w %q", ErrUnknownEvent, kind)
}

func decode[E Event](line []byte) (e E, err error) {
	err = json.Unmarshal(line, &e)
	return e, err
}

func parseBeat(line []byte) (Event, error) {
	var beat struct {
		LagMS int64 `json:"lag_ms"`
		PID   int   `json:"pid"`
	}
	if err := json.Unmarshal(line, &beat); err != nil {
		return nil, err
	}
	if beat.LagMS < 0 || beat.LagMS > int64(365*24*time.Hour/time.Millisecond) {
		return nil, fmt.Errorf("a lag of %d ms", beat.LagMS)
	}
	return Beat{Lag: time.Duration(beat.LagMS) * time.Millisecond, PID: beat.PID}, nil
}

func checkSocket(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("socket %q is not an absolute path", path)
	}
	return nil
}

func checkPort(port int) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("port %d", port)
	}
	return nil
}

func shorten(line []byte) []byte {
	line = bytes.TrimSpace(line)
	return line[:min(len(line), 200)]
}
