package e2e

// What an engine is known to do otherwise than the reader that judges it, by the reason of that reader.
const (
	oldWithCoding = "Transfer-Encoding in HTTP/1.0"
	bothFramings  = "both framings"
	noEscape      = "a percent sign that begins no escape"
	badExtension  = "a malformed chunk extension"
	badTrailer    = "a malformed trailer"
	waitsForCRLF  = "a trailer that ends with a bare LF"
	endsEarly     = "the next request is lost behind one that was answered early"
	losesLast     = "the answer to a last request is lost"
)

// engineTolerates says why it is left so.
var engineTolerates = map[string]map[string]string{
	std: {
		oldWithCoding: "net/http ignores the field in HTTP/1.0, and takes it away before a handler could see it",
		bothFramings:  "net/http goes by the Transfer-Encoding, and keeps the connection",
		noEscape:      "net/http refuses what net/url cannot unescape",
		badExtension:  "net/http does not look into extensions; none is passed on",
		badTrailer:    "net/http reads trailers leniently; none is passed on",
		waitsForCRLF:  "net/http waits until CRLF CRLF is there, and then reads leniently",
		endsEarly:     "the connection ends with an answer that comes before the request's end: it depends on when that comes",
		losesLast:     "net/http closes at once, and what a client sent behind its last request makes that a reset",
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
