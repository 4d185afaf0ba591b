package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/postgres"
	"github.com/tafc/tafc/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// row is a file with its dimensions.
type row struct {
	key  string
	size int64
	etag string
	dims []string
}

// memory is the same rows without a database: what the filter means.
type memory struct {
	layout string
	rows   []row
}

func (m *memory) String() string                           { return "memory:" }
func (m *memory) Layout() string                           { return m.layout }
func (m *memory) Root() string                             { return "" }
func (m *memory) Close() error                             { return nil }
func (m *memory) Revision(context.Context) (string, error) { return "", nil }
func (m *memory) Scan(_ context.Context, fn func(index.File) error) error {
	for _, r := range m.rows {
		f := index.File{Key: []byte(r.key), Size: r.size, ETag: []byte(r.etag)}
		for _, d := range r.dims {
			f.Dims = append(f.Dims, []byte(d))
		}
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}

var (
	countries = []string{"de", "fr", "gb", "DE", "d-e", "d_e", "é", "", " de", "d%", "d'e", `d"e`, `d\e`, "Zürich", "z", "中"}
	days      = []string{"20140301", "20140302", "20140308", "20140401", "2014-03-01", "", "unknown"}
	versions  = []string{"9", "10", "28.0", "28.0a1", "100.0", "*"}
)

// rows draws rows whose values are as bad as values get.
func rows() *rapid.Generator[[]row] {
	return rapid.Custom(func(t *rapid.T) []row {
		n := rapid.IntRange(0, 60).Draw(t, "rows")
		list := make([]row, n)
		for i := range list {
			list[i] = row{
				key: fmt.Sprintf("%s/%03d", rapid.SampledFrom([]string{"A", "a", "B", "b", "é", "_", "-", "~"}).Draw(t, "folder"), i), size: int64(i) - 1, etag: fmt.Sprint("e", i),
				dims: []string{rapid.SampledFrom(countries).Draw(t, "country"), rapid.SampledFrom(days).Draw(t, "day"), rapid.SampledFrom(versions).Draw(t, "version")},
			}
		}
		slices.SortFunc(list, func(a, b row) int { return strings.Compare(a.key, b.key) })
		return list
	})
}

func filters() *rapid.Generator[index.Filter] {
	dims := map[string][]string{"country": countries, "day": days, "version": versions}
	term := rapid.Custom(func(t *rapid.T) index.Term {
		dim := rapid.SampledFrom([]string{"country", "day", "version"}).Draw(t, "dimension")
		value := rapid.SampledFrom(dims[dim])
		op := rapid.SampledFrom([]index.Op{index.OpAny, index.OpOneOf, index.OpBetween, index.OpAtLeast, index.OpAtMost, index.OpGlob, index.OpMatches}).Draw(t, "op")
		switch op {
		case index.OpAny:
			return index.Term{Dimension: dim, Op: op}
		case index.OpOneOf:
			return index.Term{Dimension: dim, Op: op, Values: rapid.SliceOfN(value, 0, 4).Draw(t, "values")}
		case index.OpBetween:
			return index.Term{Dimension: dim, Op: op, Values: rapid.SliceOfN(value, 2, 2).Draw(t, "values")}
		case index.OpGlob:
			return index.Term{Dimension: dim, Op: op, Values: []string{rapid.SampledFrom([]string{"*", "d*", "?e", "2014*", "{de,fr}", "[0-9]*"}).Draw(t, "pattern")}}
		case index.OpMatches:
			return index.Term{Dimension: dim, Op: op, Values: []string{rapid.SampledFrom([]string{"^d", "^$", "0$", "(?i)de", "a|b"}).Draw(t, "expression")}}
		}
		return index.Term{Dimension: dim, Op: op, Values: []string{value.Draw(t, "value")}}
	})
	return rapid.Custom(func(t *rapid.T) index.Filter {
		return index.Filter{
			Where: rapid.SliceOfN(term, 0, 3).Draw(t, "where"), Exclude: rapid.SliceOfN(term, 0, 2).Draw(t, "exclude"),
			AsService: rapid.Bool().Draw(t, "as service"),
		}
	})
}

// compare fails unless two selections have the same files and counts.
func compare(t interface {
	Helper()
	Fatal(...any)
}, want, got *index.Selection) {
	t.Helper()
	files := func(s *index.Selection) (list []string) {
		for i := range s.Files.Len() {
			list = append(list, fmt.Sprintf("%q %d %q %q", s.Files.Key(i), s.Files.Size(i), s.Files.ETag(i), s.Files.Dims(i)))
		}
		return list
	}
	if diff := cmp.Diff(files(want), files(got)); diff != "" {
		t.Fatal("files (-want +got)", diff)
	}
	counts := func(s *index.Selection) []any {
		return []any{s.Total, s.Bytes, s.Unparsed, s.UnparsedSample, s.Funnel, s.Dimensions, s.Unlisted}
	}
	if diff := cmp.Diff(counts(want), counts(got)); diff != "" {
		t.Fatal("counts (-want +got)", diff)
	}
}

// insert are statements that make rows the only ones of a table.
func insert(table string, rows []row) string {
	var tuples []string
	for _, r := range rows {
		literal := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
		values := []string{literal(r.key), "NULL", literal(r.etag)}
		if r.size >= 0 {
			values[1] = fmt.Sprint(r.size)
		}
		for i, d := range r.dims {
			if values = append(values, literal(d)); d == "" && i%2 == 0 {
				values[len(values)-1] = "NULL" // as good as empty
			}
		}
		tuples = append(tuples, "("+strings.Join(values, ", ")+")")
	}
	if len(tuples) == 0 {
		return "DELETE FROM " + table
	}
	return fmt.Sprintf("DELETE FROM %s; INSERT INTO %s VALUES %s", table, table, strings.Join(tuples, ", "))
}

// A filter selects of a table what it selects of the same rows in memory, whatever the collation and type of the columns, and counts them alike.
func TestWhereMeansWhatTheFilterMeans(t *testing.T) {
	url := pgtest.Database(t,
		`CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
		`CREATE TABLE plain (key text, size bigint, etag text, country text, day text, version text)`,
		`CREATE TABLE odd (key varchar(200) COLLATE "en-x-icu", size int, etag text, country text COLLATE nocase, day varchar COLLATE "und-x-icu", version text COLLATE "en-x-icu")`)
	const layout = "columns:country,day:date,version"
	ctx := context.Background()
	sources := map[string]index.Source{}
	for _, table := range []string{"plain", "odd"} {
		src, err := postgres.Open(ctx, url, postgres.Options{Table: table, Layout: layout})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		sources[table] = src
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rapid.Check(t, func(rt *rapid.T) {
		list := rows().Draw(rt, "table")
		table := rapid.SampledFrom([]string{"plain", "odd"}).Draw(rt, "kind")
		src := sources[table]
		if _, err := conn.Exec(ctx, insert(table, list), pgx.QueryExecModeSimpleProtocol); err != nil {
			rt.Fatal(err)
		}
		for range 4 {
			f := filters().Draw(rt, "filter")
			want, err := index.Select(ctx, &memory{layout, list}, nil, "", f)
			if err != nil {
				rt.Fatal(err)
			}
			got, err := index.Select(ctx, src, nil, "", f)
			if err != nil {
				rt.Fatal(err)
			}
			compare(rt, want, got)
		}
	})
}

func TestAncestorsTable(t *testing.T) {
	url := pgtest.Database(t, `CREATE TABLE published_files (file_id serial, bucket_name text, reason text, app_name text, app_update_channel text,
			app_version text, app_build_id text, submission_date text, log_version text, file_name text UNIQUE, file_size bigint, file_md5 text)`,
		`INSERT INTO published_files (reason, app_name, app_update_channel, app_version, app_build_id, submission_date, file_name, file_size, file_md5) VALUES
			('saved_session', 'Firefox', 'nightly', '29.0a1', '20140228', '20140308', 'saved_session/Firefox/nightly/29.0a1/20140228.20140308.v2.log.a.lzma', 7, 'x'),
			('idle_daily', 'Firefox', 'nightly', '29.0a1', '20140228', '20140309', 'idle_daily/Firefox/nightly/29.0a1/20140228.20140309.v2.log.b.lzma', 5, 'y')`)
	src, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	sel, err := index.Select(t.Context(), src, nil, "", index.Filter{Where: []index.Term{
		{Dimension: "reason", Op: index.OpOneOf, Values: []string{"saved-session"}}, {Dimension: "submission_date", Op: index.OpAtLeast, Values: []string{"20140301"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if sel.Files.Len() != 1 || sel.Files.Size(0) != 7 || sel.Files.ETag(0) != "x" || sel.Total != 2 || sel.Layout.String() != "telemetry" || sel.Live == nil {
		t.Errorf("%+v", sel)
	}
	if diff := cmp.Diff([]index.Step{{Dimension: "reason", Left: 1}, {Dimension: "submission_date", Left: 1}}, sel.Funnel); diff != "" {
		t.Error(diff)
	}
}

// A table without columns for the dimensions is read whole; its revision tells of every change of a row.
func TestKeysTell(t *testing.T) {
	url := pgtest.Database(t, `CREATE SCHEMA "My"`, `CREATE TABLE "My"."Files" ("Path" text, bytes numeric, md5 uuid)`,
		`INSERT INTO "My"."Files" VALUES ('b/2', 2, NULL), ('a/1', NULL, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), ('B/3', 3, NULL), ('x', 1, NULL)`)
	src, err := postgres.Open(t.Context(), url, postgres.Options{Table: "My.Files", Columns: map[string]string{"key": "path", "size": "bytes"}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	layout, err := index.ParseLayout("{letter}/{number}")
	if err != nil {
		t.Fatal(err)
	}
	read := func() *index.Selection {
		sel, err := index.Select(t.Context(), src, layout, "", index.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return sel
	}
	sel := read()
	var got []string
	for i := range sel.Files.Len() {
		got = append(got, fmt.Sprint(sel.Files.Key(i), " ", sel.Files.Size(i), " ", sel.Files.ETag(i)))
	}
	if diff := cmp.Diff([]string{"B/3 3 ", "a/1 -1 a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "b/2 2 "}, got); diff != "" || sel.Unparsed != 1 {
		t.Error(diff, sel.Unparsed)
	}
	pgtest.Exec(t, url, `UPDATE "My"."Files" SET bytes = 4 WHERE "Path" = 'B/3'`)
	if after := read(); after.Revision == sel.Revision {
		t.Error("a row changed and the revision did not")
	}
}

// Some dimensions can be in columns and the others in the key.
func TestColumnsAndKeys(t *testing.T) {
	url := pgtest.Database(t, `CREATE TABLE files (key text, cc text, seen date)`,
		`INSERT INTO files VALUES ('de/1.log', 'DE', '2014-03-01'), ('fr/2.log', 'FR', '2014-03-02'), ('junk', 'GB', NULL)`)
	src, err := postgres.Open(t.Context(), url, postgres.Options{Table: "files", Layout: "{country}/{number}.log", Columns: map[string]string{"country": "cc"}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	sel, err := index.Select(t.Context(), src, nil, "", index.Filter{Where: []index.Term{{Dimension: "country", Op: index.OpOneOf, Values: []string{"DE"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if sel.Files.Len() != 1 || !cmp.Equal(sel.Files.Dims(0), []string{"DE", "1"}) || sel.Unparsed != 1 || sel.Total != 3 {
		t.Errorf("%+v", sel)
	}
	dated, err := postgres.Open(t.Context(), url, postgres.Options{Table: "files", Columns: map[string]string{"country": "cc", "when": "seen"}})
	if err != nil {
		t.Fatal(err)
	}
	defer dated.Close()
	sel, err = index.Select(t.Context(), dated, nil, "", index.Filter{Where: []index.Term{{Dimension: "when", Op: index.OpAtLeast, Values: []string{"2014-03-02"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if sel.Layout.String() != "columns:country,when:date" || sel.Layout.DateDimension() != "when" || sel.Files.Len() != 1 || sel.Files.Key(0) != "fr/2.log" {
		t.Errorf("%s, %d files", sel.Layout, sel.Files.Len())
	}
}

func TestOpenErrors(t *testing.T) {
	url := pgtest.Database(t, `CREATE TABLE files (key text, country text)`, `CREATE TABLE other (a int)`)
	server := pgtest.Start(t)
	t.Setenv("PGPASSFILE", "/nonexistent")
	for _, test := range []struct {
		url     string
		options postgres.Options
		want    string
	}{
		{url, postgres.Options{}, "say which table has the files: set table to one of files, other"},
		{url, postgres.Options{Table: "fils"}, `did you mean "files"?`},
		{url, postgres.Options{Table: "entirely_else"}, "there are files, other"},
		{url, postgres.Options{Table: "other"}, "no column for the key"},
		{url, postgres.Options{Table: "files", Columns: map[string]string{"c": "contry"}}, `has no column "contry" for dimension c (did you mean "country"?)`},
		{url, postgres.Options{Table: "files", Layout: "columns:contry"}, `no column for the dimension "contry" (did you mean "country"?)`},
		{url, postgres.Options{Table: "files", Layout: "{a}/{b}", Columns: map[string]string{"c": "country"}}, `"c", which is no dimension of the layout`},
		{"postgres:db", postgres.Options{}, "write postgres://USER@HOST/DATABASE"},
		{"postgres://u:pa%zzss@h/db", postgres.Options{}, "postgres://u@h/db is not a URL"},
		{"postgres://taf:wrongpw@127.0.0.1:1/db", postgres.Options{}, "no server answers at 127.0.0.1:1: the connection was refused"},
		{"postgres:///db?host=/nonexistent", postgres.Options{}, "there is no socket"},
		{server.URL("missing"), postgres.Options{}, `database "missing" does not exist`},
		{server.TCP("postgres") + "?sslmode=disable", postgres.Options{}, "give the password in PGPASSWORD or ~/.pgpass"},
		{strings.Replace(server.TCP("postgres"), "taf@", "taf:wrongpw@", 1), postgres.Options{}, "password authentication failed"},
	} {
		src, err := postgres.Open(t.Context(), test.url, test.options)
		if src != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: %v, want %q", test.url, test.options, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), "wrongpw") || strings.Contains(err.Error(), "pa%zz")) {
			t.Errorf("the password is in: %v", err)
		}
	}
}

func TestPasswords(t *testing.T) {
	url := pgtest.Database(t, `CREATE TABLE files (key text)`, `INSERT INTO files VALUES ('a')`, `CREATE TABLE secret (key text)`, `GRANT SELECT ON files TO taf`)
	name := url[len("postgres:///"):strings.Index(url, "?")]
	server := pgtest.Start(t)
	scan := func(src index.Source) error { return src.Scan(t.Context(), func(index.File) error { return nil }) }
	open := func(url, table string) (index.Source, error) {
		return postgres.Open(t.Context(), url, postgres.Options{Table: table})
	}
	pass := t.TempDir() + "/pgpass"
	if err := os.WriteFile(pass, []byte(fmt.Sprintf("127.0.0.1:%d:*:taf:%s\n", server.Port, pgtest.Password)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ what, url, env, value string }{
		{"URL", strings.Replace(server.TCP(name), "taf@", "taf:s3cret%2Fpass%20word@", 1), "PGPASSWORD", ""},
		{"environment", server.TCP(name), "PGPASSWORD", pgtest.Password},
		{"file", server.TCP(name), "PGPASSFILE", pass},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Setenv(test.env, test.value)
			src, err := open(test.url, "files")
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			if err := scan(src); err != nil || strings.Contains(src.String(), "s3cret") {
				t.Error(src, err)
			}
			closed, err := open(test.url, "secret")
			if err == nil {
				defer closed.Close()
				err = scan(closed)
			}
			if err == nil || !strings.Contains(err.Error(), `GRANT SELECT ON "public"."secret"`) {
				t.Error(err)
			}
		})
	}
}

// Who stops reading waits for nothing, and the source can be used again; a lost connection is made anew.
func TestStopAndGoOn(t *testing.T) {
	url := pgtest.Database(t, `CREATE TABLE files AS SELECT 'k' || i AS key FROM generate_series(1, 300000) i`)
	src, err := postgres.Open(t.Context(), url, postgres.Options{Table: "files"})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	enough := errors.New("enough")
	for range 2 {
		rows := 0
		err = src.Scan(t.Context(), func(index.File) error {
			if rows++; rows == 10 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	err = src.Scan(ctx, func(index.File) error {
		if rows++; rows == 10 {
			cancel()
			time.Sleep(50 * time.Millisecond)
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	pgtest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tafc' AND pid <> pg_backend_pid()`)
	_ = src.Scan(t.Context(), func(index.File) error { return nil })
	rows = 0
	if err := src.Scan(t.Context(), func(index.File) error { rows++; return nil }); err != nil || rows != 300000 {
		t.Errorf("%d rows, %v", rows, err)
	}
}
