// Command pitstop replaces the code inside a running container without losing a request.
package main

import (
	"os"

	"pitstop/cli"
)

// version is stamped in at the build.
var version = "dev"

func main() {
	os.Exit(cli.Run(os.Args[1:], cli.Process{Stdout: os.Stdout, Stderr: os.Stderr, Env: os.Environ(), Version: version}))
}
