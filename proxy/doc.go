// Package proxy carries a request to the child and its response back.
//
//   - Nothing is sent to a child before the gate has let it in, and the visit ends when the response has been read
//     whole and the request written whole.
//   - A request whose child died before it answered is sent once more, to the next child, if RFC 9110 allows.
//   - A small body of known length is read before its request asks to be let in, so that a slow uploader does not delay a
//     drain. One of unknown length is passed on as it comes: it may be one side of a conversation.
//   - Failures become statuses in one table, and none of them tells of the app's inside.
//
// An engine is what carries. There are two, and this package is what they share: settings, the table of failures, what
// is said of a request's way, the observer. proxy/lean is our own HTTP/1.1; proxy/std stands on net/http, for HTTP/2, TLS
// and whoever wants to fall back. The seam is small: Serve, Drain, and what the supervisor needs, LameDuck and ClosePool.
package proxy
