package e2e

// What an engine is known to do otherwise than the reader that judges it, by the reason of that reader.
const (
	oldWithCoding = "Transfer-Encoding in HTTP/1.0"
	bothFramings  = "both framings"
	noForm        = "a target of no form"
	fragment      = "a fragment in an absolute-form"
	noConnect     = "CONNECT is not for a reverse proxy"
	noEscape      = "a percent sign that begins no escape"
	badExtension  = "a malformed chunk extension"
	badTrailer    = "a malformed trailer"
	readsOn       = "it reads on behind a malformed chunk"
	passesH2C     = "an upgrade to h2c"
	losesLast     = "the answer to a last request is lost"
	panics        = "chunks that are expected with 100-continue"
	answersItself = "it answers OPTIONS * itself"
)

// engineTolerates says why it is left so.
var engineTolerates = map[string]map[string]string{
	std: {
		oldWithCoding: "net/http ignores the field in HTTP/1.0, and takes it away before a handler could see it",
		bothFramings:  "net/http goes by the Transfer-Encoding, and keeps the connection",
		noForm:        "net/http parses targets as URLs, and does not ask for one of the four forms",
		fragment:      "net/http parses targets as URLs",
		noConnect:     "net/http passes it to handlers",
		noEscape:      "net/http refuses what net/url cannot unescape",
		badExtension:  "net/http does not look into extensions; none is passed on",
		badTrailer:    "net/http reads trailers leniently; none is passed on",
		readsOn:       "net/http does not close the connection when the body of a full-duplex request is malformed",
		passesH2C:     "httputil.ReverseProxy passes every upgrade",
		losesLast:     "net/http closes at once, and what a client sent behind its last request makes that a reset",
		panics:        "net/http panics, once in 10,000, when the transport still reads such a body while the server goes on",
		answersItself: "net/http does that before any handler",
	},
}

func (m meaning) tolerates(what, engine string) bool { return engineTolerates[engine][what] != "" }

// tolerates says whether the engine that the request is read for does that, and notes it.
func (m *meant) tolerates(what string) bool {
	known := engineTolerates[m.engine][what] != ""
	if known {
		m.choose(what)
	}
	return known
}
