// Package http1 reads HTTP/1.1 as RFC 9112 and RFC 9110 write it, strictly, out of byte slices.
//
//   - No I/O: the caller reads, and shows the bytes again when there are more of them.
//   - A byte is looked at once, however the bytes are cut on their way.
//   - What two readers could understand in two ways is refused: where a message ends, there must be no second opinion.
//   - In the steady state nothing is allocated.
package http1
