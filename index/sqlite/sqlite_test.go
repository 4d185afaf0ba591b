package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/dir"
	"github.com/tafc/tafc/index/sqlite"
)

var ctx = context.Background()

// rows lists files that exist nowhere, in the order given.
type rows struct {
	layout, root string
	files        []index.File
}

func (r *rows) String() string                           { return "rows:test" }
func (r *rows) Layout() string                           { return r.layout }
func (r *rows) Root() string                             { return r.root }
func (r *rows) Close() error                             { return nil }
func (r *rows) Revision(context.Context) (string, error) { return "r", nil }
func (r *rows) Scan(_ context.Context, fn func(index.File) error) error {
	for _, f := range r.files {
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}

func files(keys ...string) *rows {
	r := &rows{}
	for i, key := range keys {
		r.files = append(r.files, index.File{Key: []byte(key), Size: int64(i), ETag: []byte("e" + key)})
	}
	return r
}

// listing is what a source yields, one file a line.
func listing(t *testing.T, src index.Source) []string {
	t.Helper()
	var out []string
	err := src.Scan(ctx, func(f index.File) error {
		out = append(out, fmt.Sprintf("%s %d %s", f.Key, f.Size, f.ETag))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func open(t *testing.T, path, table string) *sqlite.Source {
	t.Helper()
	src, err := sqlite.Open("sqlite:index.db", path, table)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func TestRoundTrip(t *testing.T) {
	base := t.TempDir()
	keys := []string{"data/r/a/c/v/b.d.log", "data/r/a/c/v/b.d%20é ü.log", "data/junk", "data/a.txt", "data/a/b"}
	for _, key := range keys {
		path := filepath.Join(base, filepath.FromSlash(key))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(key), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := dir.Open("dir:data", filepath.Join(base, "data"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(base, "index ?#%.db") // characters that mean something in a URI
	layout, err := index.ParseLayout("telemetry")
	if err != nil {
		t.Fatal(err)
	}
	summary, err := sqlite.Write(ctx, path, folder, layout, "")
	if err != nil {
		t.Fatal(err)
	}
	revision, err := folder.Revision(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := &sqlite.Summary{Layout: "telemetry", Root: "data", Revision: revision, Files: 5, Bytes: int64(len(strings.Join(keys, ""))), Unparsed: 3}
	if diff := cmp.Diff(want, summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	src := open(t, path, "")
	if diff := cmp.Diff(listing(t, folder), listing(t, src)); diff != "" {
		t.Errorf("rows (-folder +index):\n%s", diff)
	}
	if got, _ := src.Revision(ctx); got != revision || src.Layout() != "telemetry" || src.Root() != folder.Root() || src.String() != "sqlite:index.db" {
		t.Errorf("revision %s, layout %s, root %s", got, src.Layout(), src.Root())
	}
	left, err := filepath.Glob(filepath.Join(base, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestMovedTogether(t *testing.T) {
	base := t.TempDir()
	old, moved := filepath.Join(base, "old"), filepath.Join(base, "new")
	if err := errors.Join(os.MkdirAll(filepath.Join(old, "data"), 0o755), os.WriteFile(filepath.Join(old, "data", "x"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	folder, err := dir.Open("dir:data", filepath.Join(old, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Write(ctx, filepath.Join(old, "index.db"), folder, nil, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(old, moved); err != nil {
		t.Fatal(err)
	}
	src := open(t, filepath.Join(moved, "index.db"), "")
	if want := index.FileURL(filepath.Join(moved, "data")); src.Root() != want {
		t.Errorf("root %s, want %s", src.Root(), want)
	}
}

func TestRoots(t *testing.T) {
	base := t.TempDir()
	for _, test := range []struct{ source, given, stored, resolved string }{
		{"", "", "", ""},
		{"", "s3://bucket/", "s3://bucket/", "s3://bucket/"},
		{"s3://bucket/", "", "s3://bucket/", "s3://bucket/"},
		{"", "../data", "../data", index.FileURL(filepath.Join(base, "data"))},
		{"", filepath.Join(base, "x"), filepath.Join(base, "x"), index.FileURL(filepath.Join(base, "x"))},
		{index.FileURL(filepath.Join(base, "repo", "data")), "", "data", index.FileURL(filepath.Join(base, "repo", "data"))},
		{index.FileURL(filepath.Join(base, "repo")), "", ".", index.FileURL(filepath.Join(base, "repo"))},
		{index.FileURL(base), "", "..", index.FileURL(base)},
		{index.FileURL(filepath.Join(base, "elsewhere")), "", index.FileURL(filepath.Join(base, "elsewhere")), index.FileURL(filepath.Join(base, "elsewhere"))},
	} {
		path := filepath.Join(base, "repo", "index.db")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		list := files("a")
		list.root = test.source
		summary, err := sqlite.Write(ctx, path, list, nil, test.given)
		if err != nil {
			t.Fatal(err)
		}
		src := open(t, path, "")
		if summary.Root != test.stored || src.Root() != test.resolved {
			t.Errorf("%+v: stored %s, resolved %s", test, summary.Root, src.Root())
		}
		src.Close()
	}
}

func TestWriteReplacesOnlyItsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	for range 2 {
		if _, err := sqlite.Write(ctx, path, files("a", "b"), nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []*rows{files("b", "a"), files("a", "a")} {
		if _, err := sqlite.Write(ctx, path, bad, nil, ""); err == nil {
			t.Errorf("%s after %s was written", bad.files[1].Key, bad.files[0].Key)
		}
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("a failed build changed the index (%v)", err)
	}
	other := filepath.Join(t.TempDir(), "published.db")
	database(t, other, "CREATE TABLE files (key, size, etag)")
	note := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(note, []byte("keep me"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{other, note} {
		if _, err := sqlite.Write(ctx, path, files("a"), nil, ""); err == nil || !strings.Contains(err.Error(), "not an index that tafc built") {
			t.Errorf("%s was replaced: %v", path, err)
		}
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	var content [2][]byte
	for i := range content {
		path := filepath.Join(t.TempDir(), "index.db")
		if _, err := sqlite.Write(ctx, path, files("a/1", "b/2"), nil, "s3://x/"); err != nil {
			t.Fatal(err)
		}
		var err error
		if content[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(content[0], content[1]) {
		t.Error("equal rows gave different bytes")
	}
}

func TestDetectedAndRecordedLayout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	summary, err := sqlite.Write(ctx, path, files("r/a/c/v/b.d.log", "x"), nil, "")
	if err != nil || summary.Layout != "telemetry" || summary.Unparsed != 1 {
		t.Errorf("detected: %v, %+v", err, summary)
	}
	list := files("x/y", "z")
	list.layout = "{a}/{b}"
	summary, err = sqlite.Write(ctx, path, list, nil, "")
	if err != nil || summary.Layout != "{a}/{b}" || summary.Unparsed != 1 {
		t.Errorf("recorded: %v, %+v", err, summary)
	}
	summary, err = sqlite.Write(ctx, path, files("x/y"), nil, "")
	if err != nil || summary.Layout != "" || summary.Unparsed != 0 {
		t.Errorf("none: %v, %+v", err, summary)
	}
}

// database makes a database that tafc did not build.
func database(t testing.TB, path, script string) {
	t.Helper()
	conn, err := zombiezen.OpenConn(path, zombiezen.OpenReadWrite|zombiezen.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecuteScript(conn, script, nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestForeignTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coordinator.db")
	database(t, path, `
		CREATE TABLE published_files (file_id INTEGER PRIMARY KEY, bucket_name, File_Name TEXT UNIQUE, file_size BIGINT, file_md5);
		INSERT INTO published_files VALUES (1, 'b', 'z', 3, 'm1'), (2, 'b', 'a/b', NULL, NULL), (3, 'b', 'a.b', -7, 'm3'), (4, 'b', 'B', 'many', x'6d34');
		CREATE TABLE "odd ""name" (key, etag);
		INSERT INTO "odd ""name" VALUES ('k', 5);
		CREATE VIEW v AS SELECT file_name AS key, file_size AS size, 'x' AS md5 FROM published_files WHERE file_id = 1;
		CREATE TABLE bare (a, b);
		CREATE TABLE holes (key);
		INSERT INTO holes VALUES ('a'), (NULL);`)
	for table, want := range map[string][]string{
		"published_files": {"B -1 m4", "a.b -1 m3", "a/b -1 ", "z 3 m1"},
		"Published_Files": {"B -1 m4", "a.b -1 m3", "a/b -1 ", "z 3 m1"},
		`odd "name`:       {"k -1 5"},
		"v":               {"z 3 x"},
	} {
		src := open(t, path, table)
		if diff := cmp.Diff(want, listing(t, src)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", table, diff)
		}
		if revision, _ := src.Revision(ctx); revision == "" || src.Layout() != "" || src.Root() != "" {
			t.Errorf("%s: revision %q, layout %q, root %q", table, revision, src.Layout(), src.Root())
		}
	}
	for table, want := range map[string]string{
		"":        `set table to one of: bare, holes, odd "name, published_files, v`,
		"missing": "there are: bare, holes",
		"bare":    "the table has a, b",
	} {
		if _, err := sqlite.Open("sqlite:x", path, table); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("table %q: error %v, want one with %q", table, err, want)
		}
	}
	err := open(t, path, "holes").Scan(ctx, func(index.File) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "has no key") {
		t.Errorf("row without key: %v", err)
	}
}

// TestWriteAheadLog reads rows that so far stand only in the log of a database that somebody else has open.
func TestWriteAheadLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "live.db")
	conn, err := zombiezen.OpenConn(path, zombiezen.OpenReadWrite|zombiezen.OpenCreate|zombiezen.OpenWAL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	insert := func(script string) string {
		t.Helper()
		if err := sqlitex.ExecuteScript(conn, script, nil); err != nil {
			t.Fatal(err)
		}
		revision, err := open(t, path, "list").Revision(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return revision
	}
	first := insert("CREATE TABLE list (key, size, etag); INSERT INTO list VALUES ('a', 1, 'x')")
	second := insert("INSERT INTO list VALUES ('b', 2, 'y')")
	if diff := cmp.Diff([]string{"a 1 x", "b 2 y"}, listing(t, open(t, path, "list"))); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if first == second {
		t.Error("the revision did not change with the rows")
	}
}

func TestOpenErrors(t *testing.T) {
	base := t.TempDir()
	note, newer, empty := filepath.Join(base, "note.txt"), filepath.Join(base, "newer.db"), filepath.Join(base, "empty.db")
	if err := os.WriteFile(note, []byte(strings.Repeat("no database ", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Write(ctx, newer, files("a"), nil, ""); err != nil {
		t.Fatal(err)
	}
	database(t, newer, "UPDATE meta SET value = '3' WHERE name = 'schema'")
	database(t, empty, "CREATE TABLE a (b); DROP TABLE a")
	for path, want := range map[string]string{
		filepath.Join(base, "missing.db"): "does not exist; build it with: tafc index build",
		base:                              "write dir:PATH for a folder with the files",
		note:                              "is not an SQLite database",
		newer:                             `schema "3", this one reads 2`,
		empty:                             "holds no table",
	} {
		if src, err := sqlite.Open("sqlite:x", path, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, error %v, want one with %q", path, src, err, want)
		}
	}
}

func TestScanStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	if _, err := sqlite.Write(ctx, path, files("a", "b"), nil, ""); err != nil {
		t.Fatal(err)
	}
	src := open(t, path, "")
	stop := errors.New("stop")
	if err := src.Scan(ctx, func(index.File) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of fn: %v", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := src.Scan(canceled, func(index.File) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if got := listing(t, src); len(got) != 2 {
		t.Errorf("after that: %q", got)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if err := src.Scan(ctx, func(index.File) error { return nil }); err == nil {
		t.Error("a closed index can be read")
	}
}

func BenchmarkSelect(b *testing.B) {
	const n = 100_000
	list := &rows{}
	for i := range n {
		key := fmt.Sprintf("saved_session/Firefox/nightly/28.0a1/%014d.20140%d.v2.log.%032x.lzma", i, 301+i*30/n, i)
		list.files = append(list.files, index.File{Key: []byte(key), Size: int64(i), ETag: fmt.Appendf(nil, "%032x", i)})
	}
	path := filepath.Join(b.TempDir(), "index.db")
	if _, err := sqlite.Write(ctx, path, list, nil, ""); err != nil {
		b.Fatal(err)
	}
	src, err := sqlite.Open("sqlite:index.db", path, "")
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	filter := index.Filter{Where: []index.Term{{Dimension: "submission_date", Op: index.OpBetween, Values: []string{"20140305", "20140310"}}}}
	for b.Loop() {
		selection, err := index.Select(ctx, src, nil, "", filter)
		if err != nil || selection.Total != n {
			b.Fatal(err)
		}
	}
}
