package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

// tmpPrefix marks directories that are being unpacked or removed. No commit's name begins with a dot.
const tmpPrefix = ".tmp-"

// Shelf is the directory with the unpacked releases of this container.
type Shelf struct {
	dir   string
	store Store
}

// Release is a verified directory on the disk.
type Release struct {
	Manifest Manifest
	// Dir is its absolute path.
	Dir string
}

// OpenShelf makes the directory if need be, and sweeps what a crash left half unpacked.
func OpenShelf(dir string, store Store) (*Shelf, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("the release folder cannot be made: %w: name another one with --release-dir", err)
	}
	probe, err := os.MkdirTemp(dir, tmpPrefix+"probe-")
	if err != nil {
		return nil, fmt.Errorf("the release folder cannot be written to: %w: name another one with --release-dir", err)
	}
	_ = os.Remove(probe)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	guard, err := lockFolder(dir, unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer guard.Close()
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tmpPrefix) {
			if err := sweep(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return &Shelf{dir: dir, store: store}, nil
}

// Fetch returns the release of commit, from the disk if it is there as the store says, or else from the store. Its
// errors are ErrNotFound, ErrCorrupt, ErrUnavailable, or those of the disk.
func (s *Shelf) Fetch(ctx context.Context, commit string) (Release, error) {
	if err := CheckCommit(commit); err != nil {
		return Release{}, err
	}
	dir := filepath.Join(s.dir, commit)
	onDisk, diskErr := readMarker(dir, commit)
	m, err := readManifest(ctx, s.store, commit)
	switch {
	case err != nil && diskErr == nil && !errors.Is(err, ErrCorrupt):
		return Release{Manifest: onDisk, Dir: dir}, nil // the store is away, or has forgotten it
	case err != nil:
		return Release{}, err
	case diskErr == nil && onDisk.TarSHA256 == m.TarSHA256:
		return Release{Manifest: onDisk, Dir: dir}, nil
	case diskErr == nil:
		return Release{}, fmt.Errorf("%w: %s was published again with other content (tar %.12s) than is unpacked in %s (tar %.12s): publish it under a new name",
			ErrCorrupt, commit, m.TarSHA256, dir, onDisk.TarSHA256)
	}
	if !errors.Is(diskErr, fs.ErrNotExist) {
		return Release{}, fmt.Errorf("%w: the marker of the release in %s cannot be read (%w): remove that folder", ErrCorrupt, dir, diskErr)
	}
	if err := s.download(ctx, m, dir); err != nil {
		return Release{}, err
	}
	return Release{Manifest: m, Dir: dir}, nil
}

// download is one stream from the store to the disk: digest, decompress, digest, unpack; then sync and rename.
func (s *Shelf) download(ctx context.Context, m Manifest, dir string) (err error) {
	src, err := s.store.Open(ctx, m.Archive)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: the store has the manifest of %s but no archive %s: publish it again with --force", ErrCorrupt, m.Commit, m.Archive)
	}
	if err != nil {
		return err
	}
	defer src.Close()
	tmp, lock, err := s.makeTemp(m.Commit)
	if err != nil {
		return err
	}
	defer lock.Close()
	defer func() {
		if err != nil {
			_ = os.RemoveAll(tmp)
		}
	}()
	if err := unpackVerified(contextReader{ctx, src}, m, tmp); err != nil {
		return fmt.Errorf("release %s: %w", m.Commit, err)
	}
	if err := os.WriteFile(filepath.Join(tmp, markerName), m.encode(), 0o644); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(tmp, 0o755), syncFilesystem(tmp)); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		// Another container on the same folder may have been quicker.
		if there, markerErr := readMarker(dir, m.Commit); markerErr == nil && there.TarSHA256 == m.TarSHA256 {
			return os.RemoveAll(tmp)
		}
		return fmt.Errorf("%s is in the way and is no release: move it away: %w", dir, err)
	}
	return nil
}

func unpackVerified(src io.Reader, m Manifest, dir string) error {
	archive, tar := newDigest(), newDigest()
	// One byte more than promised is enough to tell that it is too long.
	in := io.TeeReader(io.LimitReader(src, m.Size+1), archive)
	zr, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer zr.Close()
	files, unpackErr := unpack(io.TeeReader(io.LimitReader(zr, m.TarSize+1), tar), dir)
	_, readErr := io.Copy(io.Discard, in)
	if readErr != nil {
		return fmt.Errorf("%w: read the archive: %w", ErrUnavailable, readErr)
	}
	// The digest comes first: with a wrong one, whatever else went wrong follows from it.
	if err := archive.check("archive", m.SHA256, m.Size); err != nil {
		return err
	}
	if unpackErr != nil {
		return fmt.Errorf("%w (the archive's SHA-256 %s is as the manifest says)", unpackErr, m.SHA256)
	}
	if err := tar.check("tar in the archive", m.TarSHA256, m.TarSize); err != nil {
		return err
	}
	if files != m.Files {
		return fmt.Errorf("%w: %d files, the manifest says %d", ErrCorrupt, files, m.Files)
	}
	return nil
}

// makeTemp makes a folder to unpack into, and locks it. No sweep comes between the two.
func (s *Shelf) makeTemp(commit string) (dir string, lock *os.File, err error) {
	guard, err := lockFolder(s.dir, unix.LOCK_SH)
	if err != nil {
		return "", nil, err
	}
	defer guard.Close()
	dir, err = os.MkdirTemp(s.dir, tmpPrefix+commit+"-")
	if err != nil {
		return "", nil, err
	}
	lock, err = lockFolder(dir, unix.LOCK_EX)
	return dir, lock, err
}

// lockFolder marks a folder as in use, until the file is closed or the process ends (flock(2)).
func lockFolder(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// sweep removes what a crash left, but not what another container on the same folder is just unpacking.
func sweep(dir string) error {
	lock, err := lockFolder(dir, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return nil // in use, or gone
	}
	defer lock.Close()
	return os.RemoveAll(dir)
}

// syncFilesystem writes all of it to the disk in one go; a sync a file takes ten seconds for 20,000 files.
func syncFilesystem(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.Syncfs(int(d.Fd()))
}

func readManifest(ctx context.Context, store Store, commit string) (Manifest, error) {
	f, err := store.Open(ctx, commit+".json")
	if err != nil {
		return Manifest{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return parseManifest(data, commit)
}

func readMarker(dir, commit string) (Manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, markerName))
	if err != nil {
		return Manifest{}, err
	}
	return parseManifest(data, commit)
}

// contextReader ends a copy when the context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
