package release

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound says that the store has no such release.
	ErrNotFound = errors.New("no such release")
	// ErrCorrupt says that what the store holds is not what its manifest promises, or not a release at all.
	ErrCorrupt = errors.New("corrupt release")
	// ErrUnavailable says that the store could not be asked.
	ErrUnavailable = errors.New("store unavailable")
	// ErrPublished says that another release was published under the name.
	ErrPublished = errors.New("published before with other content")
)

// DigestError says that an archive is not the one its manifest names.
type DigestError struct {
	// What was digested: the archive, or the tar in it.
	What string
	// Want and Got are SHA-256 digests in hex.
	Want, Got string
	// WantSize and GotSize are in bytes.
	WantSize, GotSize int64
}

func (e *DigestError) Error() string {
	return fmt.Sprintf("the %s has SHA-256 %s (%d bytes), its manifest says %s (%d bytes): publish it again with --force",
		e.What, e.Got, e.GotSize, e.Want, e.WantSize)
}

func (e *DigestError) Unwrap() error { return ErrCorrupt }
