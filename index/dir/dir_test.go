package dir_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/dir"
)

func write(t testing.TB, root string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skipf("this system makes no symbolic links: %v", err)
	}
}

func scan(t *testing.T, root string) []string {
	t.Helper()
	src, err := dir.Open("dir:x", root)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	err = src.Scan(context.Background(), func(f index.File) error { keys = append(keys, string(f.Key)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestScan(t *testing.T) {
	root := t.TempDir()
	write(t, root, "b/x", "b.txt", "a", "b/c/d/e", ".hidden", ".taf/state.db", "b/.git/config", "b/.20140402.v2.log", "b/.DS_Store", "b-1")
	want := []string{"a", "b-1", "b.txt", "b/.20140402.v2.log", "b/c/d/e", "b/x"} // in byte order, not in that of a walk
	if diff := cmp.Diff(want, scan(t, root)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestManyFolders(t *testing.T) {
	root := t.TempDir()
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprintf("%02d/%d/f%03d", i/30, i/6%5, i))
	}
	write(t, root, want...)
	got := scan(t, root)
	if len(got) != len(want) || !isSorted(got) {
		t.Errorf("%d keys, want %d in order", len(got), len(want))
	}
}

func isSorted(keys []string) bool {
	for i := 1; i < len(keys); i++ {
		if keys[i-1] >= keys[i] {
			return false
		}
	}
	return true
}

func TestSymbolicLinks(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	write(t, root, "a/file")
	write(t, other, "big", "deep/file")
	link(t, filepath.Join(other, "big"), filepath.Join(root, "a", "link"))
	link(t, filepath.Join(other, "deep"), filepath.Join(root, "folder"))
	link(t, root, filepath.Join(root, "a", "loop"))
	if diff := cmp.Diff([]string{"a/file", "a/link", "folder/file"}, scan(t, root)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	link(t, filepath.Join(other, "gone"), filepath.Join(root, "dangling"))
	src, err := dir.Open("dir:x", root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Revision(context.Background()); err == nil || !strings.Contains(err.Error(), "points to nothing") {
		t.Errorf("dangling link: %v", err)
	}
}

func TestRevision(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a", "b")
	revision := func() string {
		src, err := dir.Open("dir:x", root)
		if err != nil {
			t.Fatal(err)
		}
		r, err := src.Revision(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := revision()
	if again := revision(); again != first {
		t.Errorf("nothing changed, but %s became %s", first, again)
	}
	if err := os.Chtimes(filepath.Join(root, "a"), time.Now(), time.Unix(1, 5)); err != nil {
		t.Fatal(err)
	}
	changed := revision()
	write(t, root, "c")
	if added := revision(); changed == first || added == changed || added == first {
		t.Errorf("revisions %s, %s, %s are not different", first, changed, added)
	}
}

func TestRow(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a/file")
	if err := os.Chtimes(filepath.Join(root, "a", "file"), time.Now(), time.Unix(1, 255)); err != nil {
		t.Fatal(err)
	}
	src, err := dir.Open("dir:data", root)
	if err != nil {
		t.Fatal(err)
	}
	err = src.Scan(context.Background(), func(f index.File) error {
		if string(f.Key) != "a/file" || f.Size != 6 || string(f.ETag) != "3b9acaff-6" {
			t.Errorf("row %q %d %q", f.Key, f.Size, f.ETag)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if path, ok := index.FilePath(src.Root()); !ok || path != root || src.String() != "dir:data" || !strings.HasSuffix(src.Root(), "/") {
		t.Errorf("root %s of %s", src.Root(), root)
	}
	stop := errors.New("stop")
	if err := src.Scan(context.Background(), func(index.File) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of fn: %v", err)
	}
}

func TestErrors(t *testing.T) {
	root := t.TempDir()
	write(t, root, "file", "closed/file")
	if _, err := dir.Open("dir:missing", filepath.Join(root, "missing")); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("missing: %v", err)
	}
	if _, err := dir.Open("dir:file", filepath.Join(root, "file")); err == nil || !strings.Contains(err.Error(), "is not a folder") {
		t.Errorf("file: %v", err)
	}
	src, err := dir.Open("dir:x", root)
	if err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := src.Revision(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if _, err := src.Revision(context.Background()); err != nil {
		t.Errorf("after a canceled attempt: %v", err)
	}
}

func TestUnreadableFolder(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("this user reads every folder")
	}
	root := t.TempDir()
	write(t, root, "closed/file")
	closed := filepath.Join(root, "closed")
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(closed, 0o755) })
	src, err := dir.Open("dir:x", root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Revision(context.Background()); err == nil || !strings.Contains(err.Error(), closed) {
		t.Errorf("error %v, want one that names %s", err, closed)
	}
}

func BenchmarkScan(b *testing.B) {
	root := b.TempDir()
	for i := range 20_000 {
		write(b, root, fmt.Sprintf("%02d/%02d/%05d", i/1000, i/50%20, i))
	}
	for b.Loop() {
		src, err := dir.Open("dir:x", root)
		if err != nil {
			b.Fatal(err)
		}
		if err := src.Scan(context.Background(), func(index.File) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
