package mapper_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/tafc/tafc/internal/ledgertest"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/mapper"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/runtime/pin"
)

// plan writes files and plans them. A name that ends in .gz is compressed.
func plan(t testing.TB, files ...[2]string) []job.File {
	t.Helper()
	dir := t.TempDir()
	var out []job.File
	for _, f := range files {
		data := []byte(f[1])
		if strings.HasSuffix(f[0], ".gz") && !bytes.HasPrefix(data, []byte("\x1f\x8b")) {
			data = gz(t, f[1])
		}
		path := filepath.Join(dir, f[0])
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		out = append(out, planned(t, f[0], path))
	}
	return out
}

func planned(t testing.TB, key, path string) job.File {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return job.File{Key: key, URL: "file://" + path, Size: fi.Size(), ETag: pin.ETag(fi)}
}

func gz(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func mapSpec(files []job.File) *job.Spec {
	return &job.Spec{Version: job.Version, Task: "map.words", Key: "k", Attempt: 1, Role: job.RoleMap, Format: "lines", Files: files, Partitions: 1,
		Code: &job.Code{Entry: "mapper.py", Language: "python", Contract: "taf"}}
}

func path(f job.File) string { return strings.TrimPrefix(f.URL, "file://") }

type result struct {
	*job.Report
	dir string
	log string
}

func run(t testing.TB, spec *job.Spec) result {
	t.Helper()
	dir := t.TempDir()
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r := mapper.Run(ctx, spec, dir, mapper.Options{Start: start, Log: &log})
	if r == nil {
		t.Fatal("no report")
	}
	ledgertest.Report(t, r)
	if left, _ := filepath.Glob(filepath.Join(dir, "temp")); len(left) > 0 {
		t.Error("the temporary folder is left")
	}
	return result{r, dir, log.String()}
}

// text is the result, one line a pair.
func (r result) text(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for _, p := range r.Parts {
		p.Path = filepath.Join(r.dir, p.Path)
		src, err := pairs.Part(p)()
		if err != nil {
			t.Fatal(err)
		}
		if err := pairs.WriteText(&b, r.Form, src); err != nil {
			t.Fatal(err)
		}
		src.Close()
	}
	return strings.ReplaceAll(b.String(), "\t", " ")
}

func (r result) upstream() job.Upstream {
	u := job.Upstream{Task: r.Task, Form: r.Form, Partial: r.Partial, Covers: r.Covers}
	for _, p := range r.Parts {
		p.Path = filepath.Join(r.dir, p.Path)
		u.Parts = append(u.Parts, p)
	}
	return u
}

func (r result) events(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range bytes.Lines(data) {
		var e struct{ Time, Event string }
		if err := json.Unmarshal(line, &e); err != nil || e.Time == "" {
			t.Errorf("event %q: %v", line, err)
		}
		names = append(names, e.Event)
	}
	return names
}

func (r result) quarantine(t testing.TB) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(r.dir, r.Quarantine.Path))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range bytes.Lines(data) {
		var q struct {
			File           string
			Record, Offset int64
			Cause, Text    string
		}
		if err := json.Unmarshal(line, &q); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s:%d@%d %s %s", q.File, q.Record, q.Offset, q.Cause, q.Text))
	}
	return out
}

func TestMap(t *testing.T) {
	files := plan(t, [2]string{"a.gz", "x y\ny\n"}, [2]string{"b.txt", "z\n"}, [2]string{"c.gz", ""})
	r := run(t, mapSpec(files))
	if diff := cmp.Diff("x 1\ny 1\ny 1\nz 1\n", r.text(t)); diff != "" || r.Cause != job.CauseDone {
		t.Fatalf("%s %v:\n%s", r.Cause, r.Failure, diff)
	}
	l := r.Ledger
	if l.Files.Planned != 3 || l.Files.Done != 3 || l.Records.Read != 3 || l.Records.Mapped != 3 || l.Records.Emitted != 4 || l.Bytes.Decompressed != 8 || r.Counters["records"] != 3 {
		t.Errorf("ledger %+v, counters %v", l, r.Counters)
	}
	if want := files[0].Size + files[1].Size + files[2].Size; l.Bytes.Wire != want {
		t.Errorf("read %d bytes, want all %d, also those of the file without records", l.Bytes.Wire, want)
	}
	if l.Bytes.Written == 0 || l.PeakMemory <= 1<<20 {
		t.Errorf("ledger %+v", l)
	}
	if diff := cmp.Diff(r.Ledger, r.Covers); diff != "" {
		t.Error(diff)
	}
	want := []string{"task.start", "helper.start", "fetch.done", "decompress.done", "fetch.done", "decompress.done", "fetch.done", "decompress.done", "helper.exit", "result.done", "task.done"}
	var got []string
	for _, e := range r.events(t) {
		if e != "file.done" {
			got = append(got, e)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, line := range []string{"downloaded a.gz", "decompressed a.gz (gzip), 6 B", "rows processed a.gz, 2", "3 planned, 3 done, 0 failed"} {
		if !strings.Contains(r.log, line) {
			t.Errorf("the log lacks %q:\n%s", line, r.log)
		}
	}
}

func TestNoFiles(t *testing.T) {
	if r := run(t, mapSpec(nil)); r.Cause != job.CauseDone || len(r.Parts) != 1 {
		t.Errorf("%s %+v", r.Cause, r.Failure)
	}
}

// Every kind of loss ends in its cause, and names file and record.
func TestFailures(t *testing.T) {
	truncated := string(gz(t, strings.Repeat("words in a file\n", 100))[:40])
	tests := []struct {
		name   string
		files  [][2]string
		change func(t *testing.T, s *job.Spec)
		cause  job.Cause
		place  job.Place
		says   string
	}{
		{name: "raises", files: [][2]string{{"a", "x\nraise\nx\n"}}, cause: job.CauseCode, place: job.Place{File: "a", Record: 2, Offset: 2, Text: "raise"}, says: "KeyError"},
		{name: "record does not parse", files: [][2]string{{"a", "x\n"}, {"b", "not json\n"}}, cause: job.CauseCorrupt, place: job.Place{File: "b", Record: 1, Text: "not json"}},
		{name: "no TAB", files: [][2]string{{"a", "x\ty\nbad\n"}}, change: func(_ *testing.T, s *job.Spec) { s.Format = "telemetry" }, cause: job.CauseCorrupt, place: job.Place{File: "a", Record: 2, Offset: 4, Text: "bad"}, says: "no TAB"},
		{name: "raise before no TAB", files: [][2]string{{"a", "x\traise\nbad\n"}}, change: func(_ *testing.T, s *job.Spec) { s.Format = "telemetry" }, cause: job.CauseCode, place: job.Place{File: "a", Record: 1, Text: "x\traise"}},
		{name: "raise before a damaged file", files: [][2]string{{"a", "raise\n"}, {"b.gz", truncated}}, cause: job.CauseCode, place: job.Place{File: "a", Record: 1, Text: "raise"}},
		{name: "dies", files: [][2]string{{"a", "x\ndie\n"}}, cause: job.CauseCode, place: job.Place{File: "a", Record: 2, Offset: 2, Text: "die"}, says: "it died"},
		{name: "truncated", files: [][2]string{{"a.gz", truncated}}, cause: job.CauseCorrupt, place: job.Place{File: "a.gz", Offset: 1600}, says: "ends too early"},
		{name: "garbage", files: [][2]string{{"a.gz", string(gz(t, "x\n")) + "garbage behind the end"}}, cause: job.CauseCorrupt, place: job.Place{File: "a.gz", Offset: 2}, says: "other data"},
		{name: "empty gz", files: [][2]string{{"a.xz", ""}}, cause: job.CauseCorrupt, place: job.Place{File: "a.xz"}, says: "empty"},
		{name: "missing", files: [][2]string{{"a", "x\n"}}, change: func(t *testing.T, s *job.Spec) { remove(t, path(s.Files[0])) }, cause: job.CauseDownload, place: job.Place{File: "a"}, says: "missing"},
		{name: "folder", files: [][2]string{{"a", "x\n"}}, change: func(t *testing.T, s *job.Spec) { s.Files[0].URL = "file://" + t.TempDir() }, cause: job.CauseDownload, place: job.Place{File: "a"}, says: "a folder"},
		{name: "other size", files: [][2]string{{"a", "x\n"}}, change: func(_ *testing.T, s *job.Spec) { s.Files[0].Size++; s.Files[0].ETag = "" }, cause: job.CauseDrifted, place: job.Place{File: "a"}, says: "planned 3 bytes, found 2 bytes"},
		{name: "other time", files: [][2]string{{"a", "x\n"}}, change: func(t *testing.T, s *job.Spec) {
			if err := os.Chtimes(path(s.Files[0]), time.Now(), time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}, cause: job.CauseDrifted, place: job.Place{File: "a"}, says: "not the one that was planned"},
		{name: "scheme", files: [][2]string{{"a", "x\n"}}, change: func(_ *testing.T, s *job.Spec) { s.Files[0].URL = "ftp://bucket/a" }, cause: job.CauseBadSpec, says: `"ftp"`, place: job.Place{File: "a"}},
		{name: "long record", files: [][2]string{{"a", "x\n" + strings.Repeat("x", 100)}}, change: func(_ *testing.T, s *job.Spec) { s.Limits.Record = 10 }, cause: job.CauseCorrupt, place: job.Place{File: "a", Record: 2, Offset: 2}, says: "limit of 10 bytes"},
		{name: "no pair", files: [][2]string{{"a", "nan\n"}}, cause: job.CauseCode, says: "NaN"},
		{name: "hangs", files: [][2]string{{"a", "x\nhang\n"}}, change: func(_ *testing.T, s *job.Spec) { s.Limits.MaxRunTime = 50 * time.Millisecond }, cause: job.CauseTimeout, place: job.Place{File: "a", Record: 2, Offset: 2, Text: "hang"}, says: "50ms"},
		{name: "cannot start", files: [][2]string{{"a", "x\n"}}, change: func(_ *testing.T, s *job.Spec) { s.Code.Entry = "missing.py" }, cause: job.CauseCode, says: "missing.py"},
		{name: "format", files: [][2]string{{"a", "x\n"}}, change: func(_ *testing.T, s *job.Spec) { s.Format = "xml" }, cause: job.CauseBadSpec, says: "xml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := mapSpec(plan(t, tt.files...))
			if tt.change != nil {
				tt.change(t, spec)
			}
			r := run(t, spec)
			if r.Cause != tt.cause || r.Failure == nil {
				t.Fatalf("cause %s, want %s: %+v", r.Cause, tt.cause, r.Failure)
			}
			if diff := cmp.Diff(tt.place, r.Failure.Place); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(r.Failure.Message, tt.says) || !strings.Contains(r.log, tt.says) {
				t.Errorf("message %q lacks %q", r.Failure.Message, tt.says)
			}
			if len(r.Parts) > 0 || r.events(t)[len(r.events(t))-1] != "task.failed" {
				t.Errorf("parts %v, events %v", r.Parts, r.events(t))
			}
		})
	}
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestTolerateRecords(t *testing.T) {
	tests := []struct {
		limit job.Limit
		cause job.Cause
	}{
		{job.Limit{Count: 4}, job.CauseDone},
		{job.Limit{Count: 3}, job.CauseTolerance},
		{job.Limit{Share: 0.5, IsShare: true}, job.CauseDone},
		{job.Limit{Share: 0.49, IsShare: true}, job.CauseTolerance},
	}
	for _, tt := range tests {
		spec := mapSpec(plan(t, [2]string{"a", "i\tx\ni\traise\nbad\ni\ty\n"}, [2]string{"b", "i\tnot json\ni\tdie\ni\tx\ni\tz\n"}))
		spec.Format = "telemetry"
		spec.Tolerate.BadRecords = tt.limit
		r := run(t, spec)
		if r.Cause != tt.cause {
			t.Fatalf("%+v: %s %+v", tt.limit, r.Cause, r.Failure)
		}
		if tt.cause != job.CauseDone {
			if !strings.Contains(r.Failure.Message, "of 8 records are bad") || r.Failure.File != "a" {
				t.Errorf("%+v", r.Failure)
			}
			continue
		}
		if diff := cmp.Diff("x 1\nx 1\ny 1\nz 1\n", r.text(t)); diff != "" {
			t.Error(diff)
		}
		l := r.Ledger.Records
		if l.Read != 8 || l.Mapped != 4 || l.Quarantined != 4 || !r.Partial || r.Transient || r.Ledger.HelperRestarts != 2 {
			t.Errorf("%+v partial %v transient %v restarts %d", l, r.Partial, r.Transient, r.Ledger.HelperRestarts)
		}
		want := []string{"a:2@4 code i\traise", "a:3@12 corrupt bad", "b:1@0 corrupt i\tnot json", "b:2@11 code i\tdie"}
		if diff := cmp.Diff(want, r.quarantine(t)); diff != "" {
			t.Error(diff)
		}
		if q := r.Quarantine; q.Records != 4 || len(q.Groups) != 4 || q.Groups[0].Records != 1 || q.Size == 0 || q.Digest == "" {
			t.Errorf("%+v", q)
		}
	}
}

func TestDeathsOfManyRecords(t *testing.T) {
	spec := mapSpec(plan(t, [2]string{"a", "die\nx\ndie\ndie\nx\n"}, [2]string{"b", "die"}))
	spec.Tolerate.BadRecords.Count = 10
	r := run(t, spec)
	if diff := cmp.Diff("x 1\nx 1\n", r.text(t)); diff != "" || r.Ledger.HelperRestarts != 8 || r.Ledger.Records.Quarantined != 4 {
		t.Errorf("%s %+v %+v\n%s", r.Cause, r.Failure, r.Ledger, diff)
	}
	spec = mapSpec(plan(t, [2]string{"a", strings.Repeat("die\n", 500)}))
	spec.Tolerate.BadRecords = job.Limit{Share: 0.1, IsShare: true}
	if r := run(t, spec); r.Cause != job.CauseTolerance || r.Ledger.HelperRestarts > 110 {
		t.Errorf("%s after %d restarts", r.Cause, r.Ledger.HelperRestarts)
	}
}

func TestTolerateFiles(t *testing.T) {
	files := func() []job.File {
		f := plan(t, [2]string{"a", "x\n"}, [2]string{"b.gz", string(gz(t, strings.Repeat("y y y\n", 70_000)))}, [2]string{"c", "z\n"}, [2]string{"d", "x\n"})
		data, err := os.ReadFile(path(f[1]))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path(f[1]), data[:len(data)-9], 0o644); err != nil {
			t.Fatal(err)
		}
		f[1] = planned(t, f[1].Key, path(f[1]))
		remove(t, path(f[2]))
		return f
	}
	for _, limit := range []job.Limit{{Count: 2}, {Share: 0.5, IsShare: true}} {
		spec := mapSpec(files())
		spec.Tolerate.BadFiles = limit
		r := run(t, spec)
		if r.Cause != job.CauseDone || !r.Partial || !r.Transient {
			t.Fatalf("%s %+v partial %v transient %v", r.Cause, r.Failure, r.Partial, r.Transient)
		}
		l := r.Ledger
		if l.Files.Done != 2 || l.Files.Failed != 2 || len(l.Files.Losses) != 2 || l.Files.Losses[0].Cause != job.CauseCorrupt || l.Files.Losses[1].Cause != job.CauseDownload {
			t.Errorf("%+v", l.Files)
		}
		if b := l.Files.Losses[0]; b.Records+2 != l.Records.Read || b.Records == 0 || b.Offset == 0 {
			t.Errorf("%+v of %+v", b, l.Records)
		}
	}
	for _, limit := range []job.Limit{{Count: 1}, {Share: 0.49, IsShare: true}} {
		spec := mapSpec(files())
		spec.Tolerate.BadFiles = limit
		if r := run(t, spec); r.Cause != job.CauseTolerance || r.Failure.File != "c" {
			t.Errorf("%s %+v", r.Cause, r.Failure)
		}
	}
}

func TestDriftIsNeverTolerated(t *testing.T) {
	spec := mapSpec(plan(t, [2]string{"a", "x\n"}))
	spec.Files[0].ETag = "1-2"
	spec.Tolerate.BadFiles.Count = 9
	if r := run(t, spec); r.Cause != job.CauseDrifted {
		t.Errorf("%s %+v", r.Cause, r.Failure)
	}
}

func TestETagOfAnotherStore(t *testing.T) {
	spec := mapSpec(plan(t, [2]string{"a", "x\n"}))
	spec.Files[0].ETag = "d41d8cd98f00b204e9800998ecf8427e-2"
	if r := run(t, spec); r.Cause != job.CauseDone {
		t.Errorf("%s %+v", r.Cause, r.Failure)
	}
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	began := time.Now()
	hang := func(ctx context.Context, o usercodeOptions, s usercodeSink) (usercodeProgram, error) {
		p, err := start(ctx, o, s)
		context.AfterFunc(ctx, p.Kill)
		return p, err
	}
	r := mapper.Run(ctx, mapSpec(plan(t, [2]string{"a", "hang\n"})), t.TempDir(), mapper.Options{Start: hang})
	if r != nil || time.Since(began) > 5*time.Second {
		t.Errorf("report %+v after %s", r, time.Since(began))
	}
}
