package child

import (
	"fmt"
	"strings"
)

// Warning says what will bite when this command is the app's, and what to write instead; empty if nothing will.
func Warning(command []string) string {
	if script, ok := shellScript(command); ok {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(script), "exec "); ok {
			return Warning(strings.Fields(rest)) // the shell's place is taken
		}
	}
	switch name := programOf(command); kinds[name] {
	case packageRunner:
		return fmt.Sprintf("%s stands between pitstop and the app: it costs memory and start time, the exit code is what it makes of the app's, "+
			"and outside a container the app outlives a killed pitstop; write what the package's script runs, as in: -- node server.js", name)
	case shell:
		return fmt.Sprintf("%s stands between pitstop and the app: the exit code is the script's, and it goes on with its next command "+
			"when the app is asked to end; let the app take its place, as in: -- sh -c 'exec node server.js', or leave it out: -- node server.js", name)
	case initProgram:
		return fmt.Sprintf("%s is not needed, pitstop reaps and forwards signals itself, and it puts the app into a group "+
			"that a crash leaves behind; write the command alone, as in: -- node server.js", name)
	case watcher:
		return fmt.Sprintf("%s restarts the app by itself when files change, in the middle of requests and while a release is unpacked; "+
			"a reload is pitstop's; write: -- node server.js", name)
	case processManager:
		return fmt.Sprintf("%s restarts the app by itself, behind pitstop's back, so that crashes and failed releases go unseen; "+
			"write the command that it runs, as in: -- node server.js", name)
	default:
		return ""
	}
}

// shellScript returns the argument of a shell's -c.
func shellScript(command []string) (script string, ok bool) {
	if kindOf(command) != shell {
		return "", false
	}
	for i, arg := range command[:len(command)-1] {
		// also joined to others, as in -ec
		if i > 0 && strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.HasSuffix(arg, "c") {
			return command[i+1], true
		}
	}
	return "", false
}
