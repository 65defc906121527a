// Package release gets from the name of a commit to a directory with its verified code.
//
//   - What Fetch returns is whole and has the digest that its manifest names; anything else leaves nothing behind.
//   - A release directory appears under its name at once, by rename, with the manifest inside as its marker.
//   - Publish writes the manifest last, so that a release that can be seen is whole.
//   - A commit that is on the disk can be had without the store.
package release
