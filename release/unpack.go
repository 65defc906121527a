package release

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// unpack writes the tar's entries under dir, which is empty, and returns how many there were. It never writes
// outside: entries go through an os.Root, and only files, folders and links inside the tree are taken.
func unpack(r io.Reader, dir string) (files int, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			// What follows the end mark belongs to the digest, and to nothing else.
			_, err := io.Copy(io.Discard, r)
			return files, err
		}
		if err != nil {
			return files, err
		}
		files++
		if err := unpackOne(root, tr, h); err != nil {
			return files, fmt.Errorf("unpack %q: %w", h.Name, err)
		}
	}
}

func unpackOne(root *os.Root, tr *tar.Reader, h *tar.Header) error {
	name := strings.TrimSuffix(h.Name, "/")
	if !filepath.IsLocal(name) || path.Clean(name) != name || name == "." || name == markerName {
		return fmt.Errorf("%w: not a path inside a release", ErrCorrupt)
	}
	mode := fs.FileMode(h.Mode).Perm()
	switch h.Typeflag {
	case tar.TypeDir:
		// Always enterable and writable by us while it is filled.
		return root.MkdirAll(name, mode|0o700)
	case tar.TypeReg:
		return unpackFile(root, tr, name, mode, h)
	case tar.TypeSymlink:
		if err := checkLink(name, h.Linkname); err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return errors.Join(root.MkdirAll(path.Dir(name), 0o755), root.Symlink(h.Linkname, name))
	default:
		return fmt.Errorf("%w: neither a file, a folder nor a symbolic link (type %q)", ErrCorrupt, h.Typeflag)
	}
}

func unpackFile(root *os.Root, r io.Reader, name string, mode fs.FileMode, h *tar.Header) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode|0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: it is there twice", ErrCorrupt)
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return root.Chtimes(name, h.ModTime, h.ModTime)
}
