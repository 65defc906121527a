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
)

// Store is where releases lie. Names are those of files without a folder.
type Store interface {
	// Open returns the bytes of a file; an error that is ErrNotFound or ErrUnavailable otherwise.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Create stores what write writes, whole or not at all.
	Create(ctx context.Context, name string, write func(io.Writer) error) error
	// String names the store to people.
	String() string
}

// Folder is a store in a directory of the local disk, or of a shared one.
type Folder string

// OpenFolder returns the store in an existing directory.
func OpenFolder(dir string) (Folder, error) {
	if strings.Contains(dir, "://") {
		return "", fmt.Errorf("the store %s is a URL, and only folders are supported so far: mount it, or copy it to a folder", dir)
	}
	if st, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("the store %s cannot be opened: %w: publish a first release into it, or check the mount", dir, errors.Unwrap(err))
	} else if !st.IsDir() {
		return "", fmt.Errorf("the store %s is not a folder", dir)
	}
	return Folder(dir), nil
}

func (f Folder) String() string { return string(f) }

// Open implements Store.
func (f Folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	file, err := os.Open(filepath.Join(string(f), name))
	switch {
	case err == nil:
		return file, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	// A folder that is gone (unmounted) does not mean that the release is.
	if _, statErr := os.Stat(string(f)); statErr != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, statErr)
	}
	return nil, fmt.Errorf("%w: %s has no %s (names are exact)", ErrNotFound, f, name)
}

// Create implements Store: it writes beside, syncs, and renames.
func (f Folder) Create(_ context.Context, name string, write func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(string(f), ".tmp-"+name+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if err := write(tmp); err != nil {
		return err
	}
	if err := errors.Join(tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), filepath.Join(string(f), name))
}
