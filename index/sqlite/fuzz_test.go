package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/sqlite"
)

// few is an index in memory.
type few []string

func (k few) String() string                           { return "dir:data" }
func (k few) Revision(context.Context) (string, error) { return "1", nil }
func (k few) Layout() string                           { return "telemetry" }
func (k few) Root() string                             { return "file:///data/" }
func (k few) Close() error                             { return nil }
func (k few) Scan(_ context.Context, fn func(index.File) error) error {
	for _, key := range k {
		if err := fn(index.File{Key: []byte(key), Size: 1, ETag: []byte("e")}); err != nil {
			return err
		}
	}
	return nil
}

// FuzzDamaged checks that a damaged index file is an error or a list that ends, and never a panic. What is changed is one place of a good file: at is
// where, and data is what is written there; cut ends the file behind it.
func FuzzDamaged(f *testing.F) {
	keys := few{
		"idle_daily/Firefox/nightly/30.0a1/20140301030203.20140309.a.log",
		"saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.a.log",
	}
	good := filepath.Join(f.TempDir(), "good.db")
	if _, err := sqlite.Write(context.Background(), good, keys, nil, ""); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		f.Fatal(err)
	}
	for _, at := range []int{0, 16, 18, 24, 28, 100, 4096, 8192, len(text) / 2, len(text) - 40} {
		f.Add(at, []byte{0xff, 0x00, 0x7f}, false)
	}
	f.Add(0, []byte{}, true)
	f.Add(len(text)/2, []byte{}, true)
	f.Add(len(text)-1, []byte{}, true)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, at int, data []byte, cut bool) {
		if at < 0 || at > len(text) || len(data) > 1<<16 {
			return
		}
		damaged := append([]byte{}, text...)
		if cut {
			damaged = damaged[:at]
		}
		damaged = append(damaged[:at], append(data, damaged[min(at+len(data), len(damaged)):]...)...)
		path := filepath.Join(dir, filepath.Base(t.TempDir())+".db")
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(path)
		src, err := sqlite.Open("sqlite:x.db", path, "")
		if err != nil {
			return
		}
		defer src.Close()
		files := 0
		errStop := errors.New("more files than there are")
		err = src.Scan(context.Background(), func(index.File) error {
			if files++; files > 1000 {
				return errStop
			}
			return nil
		})
		if errors.Is(err, errStop) {
			t.Error(err)
		}
		// Select may read the rows in their packed form, which the damage has not hit.
		if sel, err := index.Select(context.Background(), src, nil, "", index.Filter{}); err == nil && sel.Total > 1000 {
			t.Errorf("%d files selected", sel.Total)
		}
	})
}

// TestDamaged holds that the error of a damaged file says what to do.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	if _, err := sqlite.Write(context.Background(), path, few{"a/b"}, nil, ""); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open("sqlite:index.db", path, ""); err == nil || !strings.Contains(err.Error(), "build it again with tafc index build") {
		t.Errorf("%v", err)
	}
}
