package http1

import "net/http"

// Error says why bytes are not an acceptable message. They are compared by identity, so that a test can ask which.
type Error struct {
	// Status is what a client that sent them gets; one whose response they were gets 502.
	Status int
	// Reason is for the log.
	Reason string
}

func (e *Error) Error() string { return e.Reason }

func bad(reason string) *Error { return &Error{http.StatusBadRequest, reason} }

// What is refused.
var (
	errBareLF          = bad("a line that ends without CR")
	errRequestLine     = bad("a malformed request line")
	errVersion         = bad("a malformed version of HTTP")
	errTarget          = bad("a malformed request target")
	errFold            = bad("a folded field line")
	errFieldName       = bad("a malformed field name")
	errFieldValue      = bad("a control byte in a field value")
	errNoHost          = bad("no Host")
	errManyHosts       = bad("more than one Host")
	errHost            = bad("a malformed Host")
	errHostDiffers     = bad("a Host that differs from the target's")
	errLength          = bad("a malformed Content-Length")
	errManyLengths     = bad("more than one Content-Length")
	errLengthAndCoding = bad("both Content-Length and Transfer-Encoding")
	errOldCoding       = bad("Transfer-Encoding in HTTP/1.0")
	errCoding          = bad("a Transfer-Encoding that does not end in chunked")
	errStatusLine      = bad("a malformed status line")
	errChunkSize       = bad("a malformed chunk size")
	errChunkExtension  = bad("a malformed chunk extension")
	errChunkEnd        = bad("a chunk that does not end where it should")

	errUnknownCoding = &Error{http.StatusNotImplemented, "a Transfer-Encoding other than chunked"}
	errConnect       = &Error{http.StatusNotImplemented, "the method CONNECT"}
	errOtherVersion  = &Error{http.StatusHTTPVersionNotSupported, "another version of HTTP"}
	errLongTarget    = &Error{http.StatusRequestURITooLong, "a request target over the limit"}
	errLargeHead     = &Error{http.StatusRequestHeaderFieldsTooLarge, "a head over the limit"}
	errManyFields    = &Error{http.StatusRequestHeaderFieldsTooLarge, "more fields than the limit"}
)
