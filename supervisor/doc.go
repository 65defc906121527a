// Package supervisor keeps a child serving and replaces it.
//
//   - The old child gets SIGTERM only when no request is with it, or when the drain's bound has passed.
//   - A release that does not become ready, or dies while it settles, never becomes the one that serves: the previous
//     one comes back by itself.
//   - One reload at a time. The same commit joins the one under way, another is told that it is busy. A caller
//     that hangs up ends its waiting, never the reload.
//   - A child that dies unasked is launched again within limits; past them the last good release, then the image
//     code, and at last pitstop ends with the child's exit code.
//
// One loop owns the state. For each event the pure function decide says what to do; the loop lends the slot to at
// most one act at a time (launch, swap, end), which is a function that reads from top to bottom.
package supervisor
