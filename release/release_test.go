package release

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

func TestRelease_ComesBackAsItWasPublished(t *testing.T) {
	src, store, shelf := tree(t), folder(t), t.TempDir()
	m, changed, err := Publish(t.Context(), store, src, "v1", Options{Env: map[string]string{"A": "1"}})
	if err != nil || !changed {
		t.Fatalf("Publish: %v, changed %t", err, changed)
	}
	r, err := open(t, shelf, store).Fetch(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(shelf, "v1"); r.Dir != want || r.Manifest.SHA256 != m.SHA256 || r.Manifest.Env["A"] != "1" {
		t.Errorf("fetched %+v", r)
	}
	if got, want := list(t, r.Dir), list(t, src); got != want {
		t.Errorf("unpacked:\n%s\npublished:\n%s", got, want)
	}
	if _, err := os.Stat(filepath.Join(r.Dir, ".git")); err == nil {
		t.Error(".git was published")
	}
}

func TestPublish_TheSameTreeAgainChangesNothingAnotherIsRefused(t *testing.T) {
	src, store := tree(t), folder(t)
	first, _, err := Publish(t.Context(), store, src, "v1", Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, changed, err := Publish(t.Context(), store, src, "v1", Options{})
	if err != nil || changed || again.SHA256 != first.SHA256 {
		t.Errorf("again: %v, changed %t", err, changed)
	}
	write1(t, src, "server.js", "other")
	if _, _, err := Publish(t.Context(), store, src, "v1", Options{}); !errors.Is(err, ErrPublished) {
		t.Errorf("another tree: %v", err)
	}
	forced, changed, err := Publish(t.Context(), store, src, "v1", Options{Force: true})
	if err != nil || !changed || forced.TarSHA256 == first.TarSHA256 {
		t.Errorf("forced: %v, changed %t", err, changed)
	}
}

func TestPublish_RefusesWhatCannotBeARelease(t *testing.T) {
	src, store := tree(t), folder(t)
	if err := os.Symlink("../../etc/passwd", filepath.Join(src, "lib", "out")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Publish(t.Context(), store, src, "v1", Options{}); err == nil || !strings.Contains(err.Error(), "lib/out") {
		t.Errorf("a link that leads out: %v", err)
	}
	for _, name := range []string{"", "../x", ".hidden", "a/b", strings.Repeat("a", 129), "a b", "ü"} {
		if _, _, err := Publish(t.Context(), store, tree(t), name, Options{}); err == nil {
			t.Errorf("published as %q", name)
		}
	}
	if files, _ := os.ReadDir(string(store)); len(files) != 0 {
		t.Errorf("the store holds %v", files)
	}
}

func TestFetch_NothingUnpackedRemainsOfABrokenRelease(t *testing.T) {
	cases := map[string]struct {
		breakIt func(t *testing.T, store string)
		want    error
		says    string
	}{
		"unknown": {func(*testing.T, string) {}, ErrNotFound, "v2"},
		"truncated": {func(t *testing.T, s string) {
			change(t, s, "v1.tar.zst", func(b []byte) []byte { return b[:len(b)/2] })
		}, ErrCorrupt, "SHA-256"},
		"one bit": {func(t *testing.T, s string) {
			change(t, s, "v1.tar.zst", func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}, ErrCorrupt, "SHA-256"},
		"longer": {func(t *testing.T, s string) {
			change(t, s, "v1.tar.zst", func(b []byte) []byte { return append(b, 0) })
		}, ErrCorrupt, "SHA-256"},
		"no archive": {func(t *testing.T, s string) {
			if err := os.Remove(filepath.Join(s, "v1.tar.zst")); err != nil {
				t.Fatal(err)
			}
		}, ErrCorrupt, "no archive"},
		"no JSON":        {func(t *testing.T, s string) { write1(t, s, "v1.json", "{") }, ErrCorrupt, "no JSON"},
		"another commit": {func(t *testing.T, s string) { replace(t, s, `"commit": "v1"`, `"commit": "v9"`) }, ErrCorrupt, "names the commit"},
		"tar too long":   {func(t *testing.T, s string) { replace(t, s, `"tar_size": `, `"tar_size": 1`) }, ErrCorrupt, "tar in the archive"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			store, dir := folder(t), t.TempDir()
			if _, _, err := Publish(t.Context(), store, tree(t), "v1", Options{}); err != nil {
				t.Fatal(err)
			}
			tc.breakIt(t, string(store))
			commit := "v1"
			if name == "unknown" {
				commit = "v2"
			}
			_, err := open(t, dir, store).Fetch(t.Context(), commit)
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want %v that says %q", err, tc.want, tc.says)
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestFetch_TakesWhatIsOnTheDiskWhenTheStoreIsAway(t *testing.T) {
	store, dir := folder(t), t.TempDir()
	if _, _, err := Publish(t.Context(), store, tree(t), "v1", Options{}); err != nil {
		t.Fatal(err)
	}
	shelf := open(t, dir, store)
	if _, err := shelf.Fetch(t.Context(), "v1"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(string(store)); err != nil {
		t.Fatal(err)
	}
	if _, err := shelf.Fetch(t.Context(), "v1"); err != nil {
		t.Errorf("on the disk: %v", err)
	}
	if _, err := shelf.Fetch(t.Context(), "v2"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("not on the disk: %v", err)
	}
}

func TestFetch_ANameThatWasPublishedAnewIsNotMistaken(t *testing.T) {
	store, dir, src := folder(t), t.TempDir(), tree(t)
	if _, _, err := Publish(t.Context(), store, src, "v1", Options{}); err != nil {
		t.Fatal(err)
	}
	shelf := open(t, dir, store)
	if _, err := shelf.Fetch(t.Context(), "v1"); err != nil {
		t.Fatal(err)
	}
	write1(t, src, "server.js", "other")
	if _, _, err := Publish(t.Context(), store, src, "v1", Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := shelf.Fetch(t.Context(), "v1"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("published anew: %v", err)
	}
}

func TestShelf_SweepsWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".tmp-v1-123", "node_modules")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, dir, folder(t))
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

func TestFetch_NeverRemovesWhatIsNoRelease(t *testing.T) {
	store, dir := folder(t), t.TempDir()
	if _, _, err := Publish(t.Context(), store, tree(t), "v1", Options{}); err != nil {
		t.Fatal(err)
	}
	write1(t, filepath.Join(dir, "v1"), "data.db", "precious")
	if _, err := open(t, dir, store).Fetch(t.Context(), "v1"); err == nil || !strings.Contains(err.Error(), "in the way") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "v1", "data.db")); err != nil {
		t.Error(err)
	}
}

func TestFetch_SeveralContainersOnOneFolder(t *testing.T) {
	store, dir := folder(t), t.TempDir()
	if _, _, err := Publish(t.Context(), store, tree(t), "v1", Options{}); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() {
			shelf, err := OpenShelf(dir, store) // sweeps, while others unpack
			if err == nil {
				_, err = shelf.Fetch(t.Context(), "v1")
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
}

func TestUnpack_RefusesHostileEntries(t *testing.T) {
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644} }
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
	}
	cases := map[string][]tar.Header{
		"parent":            {file("../evil")},
		"parent inside":     {file("a/../../evil")},
		"absolute":          {file("/evil")},
		"link out":          {link("a", "../..")},
		"absolute link":     {link("a", "/etc")},
		"through a link":    {link("a/b", "..") /* inside */, link("a/c", "b/../.."), file("a/c/evil")},
		"hard link":         {{Name: "a", Typeflag: tar.TypeLink, Linkname: "b"}},
		"device":            {{Name: "a", Typeflag: tar.TypeChar}},
		"fifo":              {{Name: "a", Typeflag: tar.TypeFifo}},
		"twice":             {file("a"), file("a")},
		"over a link":       {link("a", "b"), file("a")},
		"the marker":        {file(markerName)},
		"not a clean path":  {file("a//b")},
		"the folder itself": {file(".")},
	}
	for name, headers := range cases {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			tw := tar.NewWriter(&buf)
			for _, h := range headers {
				if err := tw.WriteHeader(&h); err != nil {
					t.Fatal(err)
				}
			}
			_ = tw.Close()
			around := t.TempDir()
			dir := filepath.Join(around, "in")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if _, err := unpack(&buf, dir); err == nil {
				t.Error("unpacked without an error")
			}
			if entries, _ := os.ReadDir(around); len(entries) != 1 {
				t.Errorf("wrote outside: %v", entries)
			}
		})
	}
}

func TestUnpack_SetuidBitsAreDropped(t *testing.T) {
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	if err := tw.WriteHeader(&tar.Header{Name: "a", Typeflag: tar.TypeReg, Mode: 0o6755}); err != nil {
		t.Fatal(err)
	}
	_ = tw.Close()
	dir := t.TempDir()
	if _, err := unpack(&buf, dir); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(dir, "a")); err != nil || st.Mode() != 0o755 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestUnpack_ABombEndsAtTheSizeOfTheManifest(t *testing.T) {
	var buf bytes.Buffer
	zw, _ := zstd.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	_ = tw.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Size: 1 << 30})
	_, _ = io.Copy(tw, io.LimitReader(zeros{}, 1<<30))
	_ = errors.Join(tw.Close(), zw.Close())
	d := newDigest()
	_, _ = d.Write(buf.Bytes())
	dir := t.TempDir()
	err := unpackVerified(&buf, Manifest{Size: d.size, SHA256: d.sum(), TarSize: 1 << 20, Files: 1}, dir)
	if err == nil {
		t.Fatal("a gigabyte passed as a megabyte")
	}
	if st, err := os.Stat(filepath.Join(dir, "zeros")); err != nil || st.Size() > 1<<20 {
		t.Errorf("unpacked %d bytes, %v", st.Size(), err)
	}
}

// Helpers

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func open(t *testing.T, dir string, store Store) *Shelf {
	t.Helper()
	s, err := OpenShelf(dir, store)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func folder(t *testing.T) Folder {
	t.Helper()
	f, err := OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tree makes a small app with what real ones have: run bits, links inside, an empty folder, odd names.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write1(t, dir, "server.js", "console.log('hello')")
	write1(t, dir, "node_modules/.bin-target/cli.js", "#!/usr/bin/env node")
	write1(t, dir, "lib/ein Name.txt", strings.Repeat("lorem ipsum ", 10000))
	write1(t, dir, ".git/config", "secret")
	for _, err := range []error{
		os.Chmod(filepath.Join(dir, "node_modules/.bin-target/cli.js"), 0o755),
		os.MkdirAll(filepath.Join(dir, "node_modules/.bin"), 0o755),
		os.Symlink("../.bin-target/cli.js", filepath.Join(dir, "node_modules/.bin/cli")),
		os.Mkdir(filepath.Join(dir, "empty"), 0o755),
		os.Chtimes(filepath.Join(dir, "server.js"), time.Unix(1e9, 0), time.Unix(1e9, 0)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write1(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, dir, name string, f func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	write1(t, dir, name, string(f(data)))
}

func replace(t *testing.T, dir, old, new string) {
	t.Helper()
	change(t, dir, "v1.json", func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) })
}

// list describes a tree: names, modes, contents, links and the times of files.
func list(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		if err != nil || rel == "." || rel == markerName {
			return err
		}
		if d.Name() == ".git" {
			return fs.SkipDir
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		out.WriteString(rel + " " + st.Mode().String())
		switch {
		case st.Mode().IsRegular():
			data, _ := os.ReadFile(path)
			d := newDigest()
			_, _ = d.Write(data)
			out.WriteString(" " + d.sum() + " " + st.ModTime().Truncate(time.Second).String())
		case st.Mode()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			out.WriteString(" → " + target)
		}
		out.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}
