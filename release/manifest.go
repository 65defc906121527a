package release

import (
	"encoding/json"
	"fmt"
	"time"
)

// formatTarZstd is the only archive format so far: a tar (POSIX.1-2001 pax) in a zstd frame (RFC 8878).
const formatTarZstd = "tar.zst"

// Manifest describes the release of one commit. It lies beside the archive as <commit>.json, and in the
// release's directory as its marker.
type Manifest struct {
	Commit  string    `json:"commit"`
	Created time.Time `json:"created"`
	// Archive is the archive's name in the store.
	Archive string `json:"archive"`
	Format  string `json:"format"`
	// SHA256 and Size are of the archive, in hex and bytes.
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	// TarSHA256 and TarSize are of the tar in it. They, not the compressed bytes, are what the release is:
	// a compressor may change between versions.
	TarSHA256 string `json:"tar_sha256"`
	TarSize   int64  `json:"tar_size"`
	// Files counts the entries of the tar.
	Files int `json:"files"`
	// Env is added to the child's environment.
	Env map[string]string `json:"env,omitempty"`
}

// parseManifest reads a manifest and checks that it is one of this commit.
func parseManifest(data []byte, commit string) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%w: the manifest of %s is no JSON: %w", ErrCorrupt, commit, err)
	}
	switch {
	case m.Commit != commit:
		return m, fmt.Errorf("%w: the manifest of %s names the commit %q", ErrCorrupt, commit, m.Commit)
	case m.Format != formatTarZstd:
		return m, fmt.Errorf("%w: the manifest of %s names the format %q, known is %q", ErrCorrupt, commit, m.Format, formatTarZstd)
	case m.Archive != commit+"."+m.Format:
		return m, fmt.Errorf("%w: the manifest of %s names the archive %q", ErrCorrupt, commit, m.Archive)
	case len(m.SHA256) != 64 || len(m.TarSHA256) != 64 || m.Size <= 0 || m.TarSize <= 0:
		return m, fmt.Errorf("%w: the manifest of %s has no digests or sizes", ErrCorrupt, commit)
	}
	return m, nil
}

func (m Manifest) encode() []byte {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // strings, numbers and a time always encode
	}
	return append(data, '\n')
}
