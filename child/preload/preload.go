package preload

import _ "embed"

const (
	// GenerationDirEnv names the variable with the absolute path of the generation's folder.
	GenerationDirEnv = "PITSTOP_GENERATION_DIR"
	// AppPortEnv names the variable with the app's port, in decimal.
	AppPortEnv = "PITSTOP_APP_PORT"
	// FIFO is the name of the FIFO in that folder.
	FIFO = "events"
	// MaxDir is how long the folder's path may be, in bytes, so that every socket's path fits sockaddr_un: the longest
	// name is an IPv6 address with ".sock". Beyond it the preload says [Unsupported] and leaves the app on TCP.
	MaxDir = 107 - len("/ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255.sock")
	// MaxLine is the longest line in the FIFO, in bytes, with its newline: writes up to it do not mix (PIPE_BUF).
	MaxLine = 4096
)

//go:embed preload.cjs
var source string

// Source is the text of the file, to be written where the child can read it, with a name that ends in .cjs.
func Source() []byte { return []byte(source) }
