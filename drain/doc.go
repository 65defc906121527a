// Package drain decides which requests may be with a child, and knows when none is.
//
// Admission, the choice of the backend and counting are one step under one lock, so that:
//
//   - A request is either with a backend or waiting; none is refused because a reload is under way.
//   - Once Drained has returned nil for a retired backend, no request is with it, and none can
//     reach it unless Serve or Trial brings it back.
//   - Waiting is bounded in number, in buffered bytes and in time. A client that has left stops waiting
//     and is gone from the count at once.
//   - Those who wait get in by the order of their arrival; one whose backend died is at the head of the queue
//     with its original age.
package drain
