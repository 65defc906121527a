package release

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// markerName is the manifest inside a release directory. It is never packed.
const markerName = ".pitstop-release.json"

// pack writes the tree under dir as a tar and returns the number of entries. The same tree gives the same bytes:
// paths in order, no owners, times in whole seconds. The times of the files are kept, since web servers
// make ETags of them, and two releases must not share those.
func pack(w io.Writer, dir string) (files int, err error) {
	tw := tar.NewWriter(w)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == "." || path == markerName {
			return nil
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		files++
		return packOne(tw, root, path)
	})
	return files, errors.Join(err, tw.Close())
}

func packOne(tw *tar.Writer, root *os.Root, path string) error {
	st, err := root.Lstat(path)
	if err != nil {
		return err
	}
	var target string
	switch {
	case st.Mode().IsRegular(), st.IsDir():
	case st.Mode()&fs.ModeSymlink != 0:
		if target, err = root.Readlink(path); err != nil {
			return err
		}
		if err := checkLink(path, target); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s is neither a file, a folder nor a link (%s): it cannot be published", path, st.Mode())
	}
	h, err := tar.FileInfoHeader(st, target)
	if err != nil {
		return err
	}
	*h = tar.Header{
		Typeflag: h.Typeflag, Name: filepath.ToSlash(path), Linkname: h.Linkname, Size: h.Size,
		Mode: int64(st.Mode().Perm()), ModTime: st.ModTime().Truncate(1e9), Format: tar.FormatPAX,
	}
	if st.IsDir() {
		h.Name += "/"
	}
	if err := tw.WriteHeader(h); err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	if !st.Mode().IsRegular() {
		return nil
	}
	f, err := root.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(tw, f); err != nil {
		return fmt.Errorf("pack %s, which changes meanwhile?: %w", path, err)
	}
	return nil
}

// checkLink refuses a symbolic link that leads out of the tree.
func checkLink(path, target string) error {
	if filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(path), target)) {
		return fmt.Errorf("the link %s leads out of the release, to %q", path, target)
	}
	return nil
}
