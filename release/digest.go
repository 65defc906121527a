package release

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// digest is a writer that takes the SHA-256 and the size of what passes.
type digest struct {
	hash hash.Hash
	size int64
}

func newDigest() *digest { return &digest{hash: sha256.New()} }

func (d *digest) Write(p []byte) (int, error) {
	d.size += int64(len(p))
	return d.hash.Write(p)
}

func (d *digest) sum() string { return hex.EncodeToString(d.hash.Sum(nil)) }

// check compares with what the manifest says.
func (d *digest) check(what, want string, wantSize int64) error {
	if got := d.sum(); got != want || d.size != wantSize {
		return &DigestError{What: what, Want: want, Got: got, WantSize: wantSize, GotSize: d.size}
	}
	return nil
}
