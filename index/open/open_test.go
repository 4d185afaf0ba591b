package open_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/open"
	"github.com/tafc/tafc/index/sqlite"
)

func TestOpen(t *testing.T) {
	base := t.TempDir()
	if err := os.MkdirAll(filepath.Join(base, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(base, "data", "a.txt"), []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	folder, err := open.Open(t.Context(), "dir:data", open.Options{BaseDir: base})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Write(context.Background(), filepath.Join(base, "index.db"), folder, nil, ""); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{"dir:data", "dir:./data/", "dir:" + filepath.Join(base, "data"), "sqlite:index.db"} {
		src, err := open.Open(t.Context(), spec, open.Options{BaseDir: base})
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		selection, err := index.Select(context.Background(), src, nil, "", index.Filter{})
		if err != nil || selection.Files.Len() != 1 || selection.Files.Key(0) != "a.txt" || src.String() != spec || selection.Root != index.FileURL(filepath.Join(base, "data")) {
			t.Errorf("%s: %v, %+v", spec, err, selection)
		}
		if err := src.Close(); err != nil {
			t.Errorf("%s: close: %v", spec, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	for _, test := range []struct {
		spec, table string
		want        string
		scheme      bool // a *SchemeError
	}{
		{"data", "", "write dir:data", true},
		{"index.db", "", "write sqlite:index.db", true},
		{"", "", "write dir:PATH", true},
		{"s3:bucket", "", "names no bucket", false},
		{"s3://bucket", "files", "has no tables", false},
		{"service:host/files", "", "write service:https://HOST/files", false},
		{"inventory:x", "", "does not exist; write inventory:", false},
		{"https://host/files", "", "write service:https://host/files", true},
		{"postgre://u:secret@host/db", "", `"postgre://u@host/db": there is no kind of source "postgre"; did you mean postgres://u@host/db?`, true},
		{"sqlite3:index.db", "", "did you mean sqlite:index.db?", true},
		{"Dir:data", "", "did you mean dir:data?", true},
		{"hdfs:data", "", `no kind of source "hdfs"; write dir:PATH`, true},
		{"dir:", "", "has no path", false},
		{"dir:.", "files", "leave table out", false},
		{"dir:missing", "", "does not exist", false},
		{"sqlite:missing.db", "", "build it with: tafc index build", false},
	} {
		src, err := open.Open(t.Context(), test.spec, open.Options{BaseDir: t.TempDir(), Table: test.table})
		var scheme *open.SchemeError
		if err == nil || src != nil || !strings.Contains(err.Error(), test.want) || errors.As(err, &scheme) != test.scheme {
			t.Errorf("%q: %v, %v, want an error with %q", test.spec, src, err, test.want)
		}
	}
}
