package child

import (
	"fmt"
	"os"
	"strings"
)

// Spec says what to run.
type Spec struct {
	// Command is the program and its arguments; the program is looked up in the PATH of Env.
	Command []string
	// Dir is the working directory: the release.
	Dir string
	// Env is the whole environment, as made by Environ.
	Env []string
	// Port is the TCP port that the app listens on, on a loopback or any address.
	Port int
	// Runtime, if set, lets a Node app listen on a private socket instead of its port.
	Runtime *Runtime
	// Connect says how the app may be reached; empty is ConnectAuto.
	Connect Connect
	// Beside says that another process of the app runs meanwhile, and that its port is taken for it: then only a private
	// socket will do.
	Beside bool
	// ReadyPath, if set, is a path that must answer 2xx or 3xx before the app counts as ready.
	ReadyPath string
	// H2C says that the app speaks HTTP/2 in the clear by prior knowledge, and so must who asks for its ready path.
	H2C bool
	// Stdout and Stderr are handed to the process as they are, so that nothing it writes can be slowed or lost.
	Stdout, Stderr *os.File
	// User is whom the process runs as; nil: as pitstop does.
	User *User
}

// Connect says how the app may be reached.
type Connect string

// The ways to reach the app.
const (
	ConnectAuto Connect = "auto" // whichever answers first
	ConnectUnix Connect = "unix" // by its private socket
	ConnectTCP  Connect = "tcp"  // at its port
)

func (s Spec) reachableByTCP() bool { return s.Connect != ConnectUnix && !s.Beside }

// PortTakenError says that somebody listens on the app's port before the app was started.
type PortTakenError struct{ Port int }

func (e *PortTakenError) Error() string {
	return fmt.Sprintf("port %d is taken by another process: stop it, or give the app another port with --app-port", e.Port)
}

// cutVariable returns the value if kv is the variable name.
func cutVariable(kv, name string) (value string, ok bool) { return strings.CutPrefix(kv, name+"=") }

// Environ makes the child's environment: base without pitstop's own settings, then each of the layers, of which a
// later one wins.
func Environ(base []string, layers ...map[string]string) []string {
	var env []string
	for _, kv := range base {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "PITSTOP_") || inLayers(name, layers) {
			continue
		}
		env = append(env, kv)
	}
	for i, layer := range layers {
		for name, value := range layer {
			if !inLayers(name, layers[i+1:]) {
				env = append(env, name+"="+value)
			}
		}
	}
	return env
}

func inLayers(name string, layers []map[string]string) bool {
	for _, layer := range layers {
		if _, ok := layer[name]; ok {
			return true
		}
	}
	return false
}
