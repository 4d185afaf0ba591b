package sqlite_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/sqlite"
)

// many lists files whose packs are several.
func many(n int) *rows {
	r := &rows{layout: "{a}/{b}/{rest}"}
	for i := range n {
		r.files = append(r.files, index.File{
			Key: fmt.Appendf(nil, "%03d/%02d/%040d", i/1000, i/100%10, i), Size: int64(i%7) - 1, ETag: fmt.Appendf(nil, "%016x", i*7919),
		})
	}
	return r
}

// The packs say what the table says, in whatever number of parts they are read.
func TestPartsTogetherAreTheIndex(t *testing.T) {
	list := many(30_000)
	path := filepath.Join(t.TempDir(), "index.db")
	if _, err := sqlite.Write(ctx, path, list, nil, ""); err != nil {
		t.Fatal(err)
	}
	want := listing(t, list)
	if diff := cmp.Diff(want, listing(t, open(t, path, ""))); diff != "" {
		t.Fatalf("rows of the packs:\n%s", diff)
	}
	if diff := cmp.Diff(want, listing(t, open(t, path, "files"))); diff != "" {
		t.Fatalf("rows of the table:\n%s", diff)
	}
	for _, n := range []int{1, 2, 3, 1000} {
		parts, err := open(t, path, "").Split(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 1 && len(parts) < 2 || len(parts) > n {
			t.Errorf("%d parts of %d", len(parts), n)
		}
		var got []string
		for _, part := range parts {
			err := part(ctx, func(f index.File) error {
				got = append(got, fmt.Sprintf("%s %d %s", f.Key, f.Size, f.ETag))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(want, got) {
			t.Errorf("%d parts yield something else", n)
		}
	}
}

// Any rows come out of an index as they went in.
func TestAnyRowsArePacked(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		list := &rows{}
		keys := rapid.SliceOfDistinct(rapid.StringMatching(`[a-c/]{1,6}\PC{0,3}`), rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		for _, key := range keys {
			list.files = append(list.files, index.File{
				Key: []byte(key), Size: rapid.Int64Min(-1).Draw(t, "size"),
				ETag: []byte(rapid.OneOf(rapid.StringMatching(`[0-9a-f]{0,8}`), rapid.StringMatching(`\PC{0,5}`)).Draw(t, "etag")),
			})
		}
		n++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", n))
		if _, err := sqlite.Write(ctx, path, list, nil, ""); err != nil {
			t.Fatal(err)
		}
		src, err := sqlite.Open("sqlite:x", path, "")
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		at := 0
		err = src.Scan(ctx, func(f index.File) error {
			if want := list.files[at]; !bytes.Equal(f.Key, want.Key) || f.Size != want.Size || !bytes.Equal(f.ETag, want.ETag) {
				t.Fatalf("row %d is %q %d %q, not %q %d %q", at, f.Key, f.Size, f.ETag, want.Key, want.Size, want.ETag)
			}
			at++
			return nil
		})
		if err != nil || at != len(keys) {
			t.Fatalf("%d rows of %d: %v", at, len(keys), err)
		}
	})
}

// Whatever somebody else does to the table is seen in the rows and in the revision.
func TestOthersMayChangeAnIndex(t *testing.T) {
	for name, script := range map[string]string{
		"insert":  "INSERT INTO files VALUES ('b2', 7, 'new')",
		"replace": "INSERT OR REPLACE INTO files VALUES ('b', 7, 'new')",
		"update":  "UPDATE files SET etag = 'new' WHERE key = 'b'",
		"delete":  "DELETE FROM files WHERE key = 'b'",
		"all":     "DELETE FROM files",
		"drop":    "DROP TABLE files; CREATE TABLE files (key TEXT PRIMARY KEY, size INTEGER NOT NULL, etag TEXT NOT NULL) WITHOUT ROWID; INSERT INTO files VALUES ('z', 1, '')",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "index.db")
			if _, err := sqlite.Write(ctx, path, files("a", "b", "c"), nil, ""); err != nil {
				t.Fatal(err)
			}
			src := open(t, path, "")
			before, err := src.Revision(ctx)
			if err != nil {
				t.Fatal(err)
			}
			database(t, path, script)
			src = open(t, path, "")
			after, err := src.Revision(ctx)
			if err != nil || after == before {
				t.Errorf("revision %s, %v", after, err)
			}
			if diff := cmp.Diff(listing(t, open(t, path, "files")), listing(t, src)); diff != "" {
				t.Errorf("rows (-table +index):\n%s", diff)
			}
			database(t, path, "INSERT INTO files VALUES ('q', 1, '')")
			if again, err := open(t, path, "").Revision(ctx); err != nil || again == after {
				t.Errorf("revision after a second change: %s, %v", again, err)
			}
		})
	}
}

// A pack that somebody damaged is an error, never other rows.
func TestDamagedPack(t *testing.T) {
	for _, script := range []string{
		"UPDATE packs SET rows = rows - 1", "UPDATE packs SET rows = rows + 1", "UPDATE packs SET data = substr(data, 1, 9)",
		"UPDATE packs SET data = x'ff' || data",
	} {
		path := filepath.Join(t.TempDir(), "index.db")
		if _, err := sqlite.Write(ctx, path, files("a", "b", "c"), nil, ""); err != nil {
			t.Fatal(err)
		}
		database(t, path, script)
		if err := open(t, path, "").Scan(ctx, func(index.File) error { return nil }); err == nil {
			t.Errorf("%s: no error", script)
		}
	}
}
