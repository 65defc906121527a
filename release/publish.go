package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Options are what a release has beside its tree.
type Options struct {
	// Force replaces a release of the same name.
	Force bool
	// Env is added to the child's environment.
	Env map[string]string
}

// Publish packs the tree under dir as the release of commit and stores it, the manifest last. Publishing the
// same tree again changes nothing; another tree under a name that is taken is ErrPublished. With force both are
// stored anew.
func Publish(ctx context.Context, store Store, dir, commit string, o Options) (m Manifest, changed bool, err error) {
	if err := CheckCommit(commit); err != nil {
		return m, false, err
	}
	if st, err := os.Stat(dir); err != nil {
		return m, false, err
	} else if !st.IsDir() {
		return m, false, fmt.Errorf("%s is not a folder", dir)
	}
	// Packed once for the digest alone: the store is not touched before it is known whether the name is free.
	m, err = write(io.Discard, dir, commit, o)
	if err != nil {
		return m, false, err
	}
	switch there, err := readManifest(ctx, store, commit); {
	case err == nil && there.TarSHA256 == m.TarSHA256 && maps.Equal(there.Env, m.Env) && !o.Force:
		return there, false, nil
	case err == nil && !o.Force:
		return there, false, fmt.Errorf("%s is %w (tar %.12s, this one %.12s): choose another name, or replace it with --force",
			commit, ErrPublished, there.TarSHA256, m.TarSHA256)
	case errors.Is(err, ErrUnavailable):
		return m, false, err
	}
	err = store.Create(ctx, m.Archive, func(w io.Writer) error {
		m, err = write(w, dir, commit, o)
		return err
	})
	if err != nil {
		return m, false, err
	}
	return m, true, store.Create(ctx, commit+".json", func(w io.Writer) error {
		_, err := w.Write(m.encode())
		return err
	})
}

// write packs and compresses the tree into w, and returns the manifest of it.
func write(w io.Writer, dir, commit string, o Options) (Manifest, error) {
	archive, tar := newDigest(), newDigest()
	zw, err := zstd.NewWriter(io.MultiWriter(w, archive))
	if err != nil {
		return Manifest{}, err
	}
	files, err := pack(io.MultiWriter(zw, tar), dir)
	if err := errors.Join(err, zw.Close()); err != nil {
		return Manifest{}, fmt.Errorf("pack %s: %w", dir, err)
	}
	return Manifest{
		Commit: commit, Created: time.Now().UTC().Truncate(time.Second),
		Archive: commit + "." + formatTarZstd, Format: formatTarZstd,
		SHA256: archive.sum(), Size: archive.size, TarSHA256: tar.sum(), TarSize: tar.size, Files: files, Env: o.Env,
	}, nil
}
