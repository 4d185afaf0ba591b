package pairs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
)

type list struct {
	lines []string
	at    int
}

func (l *list) Next() (key, value []byte, err error) {
	if l.at == len(l.lines) {
		return nil, nil, io.EOF
	}
	k, v, _ := strings.Cut(l.lines[l.at], "\t")
	l.at++
	key, err = pairs.AppendKey(nil, []byte(k))
	return key, []byte(v), err
}

func lines(t interface{ Fatalf(string, ...any) }, src pairs.Source) []string {
	var out []string
	for {
		key, value, err := src.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		text, err := pairs.AppendJSON(nil, key)
		if err != nil {
			t.Fatalf("%v", err)
		}
		out = append(out, string(text)+"\t"+string(value))
	}
}

func file(t testing.TB, in []string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pairs.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	src := &list{lines: in}
	for {
		key, value, err := src.Next()
		if err == io.EOF {
			break
		}
		if err := w.Add(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readAll(data []byte) (n int, err error) {
	r, err := pairs.NewReader(bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for {
		if _, _, err = r.Next(); err != nil {
			if err == io.EOF {
				err = nil
			}
			return int(r.Count()), err
		}
	}
}

func TestFileRoundTrip(t *testing.T) {
	in := []string{"1\t", "1\t2", "\"a\"\t[1,2]", "\"b\"\t\"" + strings.Repeat("x", 3<<20) + "\""}
	r, err := pairs.NewReader(bytes.NewReader(file(t, in)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if diff := cmp.Diff(in, lines(t, r)); diff != "" {
		t.Error(diff)
	}
}

func TestDamagedFileIsNeverSound(t *testing.T) {
	data := file(t, []string{"1\t1", "1\t2", `"a"` + "\t3", `["x","y"]` + "\t{}"})
	for i := range data {
		if _, err := readAll(data[:i]); err == nil {
			t.Errorf("cut at %d of %d: no error", i, len(data))
		}
	}
	if _, err := readAll(append(bytes.Clone(data), 'x')); err == nil {
		t.Error("a byte more: no error")
	}
	if _, err := readAll(append(bytes.Clone(data), data...)); err == nil {
		t.Error("twice: no error")
	}
}

func TestWriterRefusesDisorder(t *testing.T) {
	w, err := pairs.NewWriter(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add([]byte("b"), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Add([]byte("a"), nil); err == nil {
		t.Error("no error")
	}
}

func collect(t interface{ Fatalf(string, ...any) }, dir string, in []string, partitions int, memory int64) []job.Part {
	temp := filepath.Join(dir, "temp")
	if err := os.MkdirAll(temp, 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	c := pairs.NewCollector(pairs.CollectorOptions{Temp: temp, Partitions: partitions, Memory: memory})
	for _, l := range in {
		if err := c.AddLines(context.Background(), []byte(l+"\n")); err != nil {
			t.Fatalf("%v", err)
		}
	}
	parts, err := c.Write(context.Background(), dir)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Fatalf("%d runs are left", len(left))
	}
	for i := range parts {
		parts[i].Path = filepath.Join(dir, parts[i].Path)
	}
	return parts
}

func partLines(t interface{ Fatalf(string, ...any) }, p job.Part) []string {
	src, err := pairs.Part(p)()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer src.Close()
	return lines(t, src)
}

// The files are the stable sort of the pairs by key, and the same whatever the memory.
func TestCollectorSorts(t *testing.T) {
	base := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		keys := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "10", `"a"`, `"abcdefghij"`, `"abcdefghik"`, "null", "[1]"}), 0, 200).Draw(t, "keys")
		in := make([]string, len(keys))
		for i, k := range keys {
			in[i] = fmt.Sprintf("%s\t%d", k, i)
		}
		partitions := rapid.IntRange(1, 4).Draw(t, "partitions")
		var first []job.Part
		for i, memory := range []int64{0, rapid.Int64Range(1, 4000).Draw(t, "memory")} {
			parts := collect(t, filepath.Join(base, fmt.Sprint(n), fmt.Sprint(i)), in, partitions, memory)
			if i == 0 {
				first = parts
				continue
			}
			for p := range parts {
				if parts[p].Digest != first[p].Digest {
					t.Fatalf("partition %d differs with memory %d", p, memory)
				}
			}
		}
		var got, want []string
		for p, part := range first {
			got = append(got, partLines(t, part)...)
			sorted := slices.DeleteFunc(slices.Clone(in), func(l string) bool {
				k, _, _ := strings.Cut(l, "\t")
				return pairs.Partition(encode(t, k), partitions) != p
			})
			slices.SortStableFunc(sorted, func(a, b string) int {
				x, _, _ := strings.Cut(a, "\t")
				y, _, _ := strings.Cut(b, "\t")
				return bytes.Compare(encode(t, x), encode(t, y))
			})
			want = append(want, sorted...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s", diff)
		}
	})
}

func TestCollectorManyRuns(t *testing.T) {
	var in []string
	for i := range 3000 {
		in = append(in, fmt.Sprintf("%d\t%d", i*7919%1000, i))
	}
	dir := t.TempDir()
	small, large := collect(t, filepath.Join(dir, "s"), in, 3, 700), collect(t, filepath.Join(dir, "l"), in, 3, 0)
	for i := range small {
		if small[i].Digest != large[i].Digest || small[i].Pairs != large[i].Pairs {
			t.Errorf("partition %d depends on memory", i)
		}
	}
}

// Merging is sorting: any number of files, in passes or at once, give the stable sort of their pairs in the order of the files.
func TestMergeIsSort(t *testing.T) {
	dir := t.TempDir()
	var inputs []pairs.Input
	var want []string
	for i := range 150 {
		var in []string
		for k := range i % 5 {
			in = append(in, fmt.Sprintf("%d\t%d", k, i))
		}
		part := collect(t, filepath.Join(dir, fmt.Sprint(i)), in, 1, 0)[0]
		inputs = append(inputs, pairs.Part(part))
		want = append(want, in...)
	}
	slices.SortStableFunc(want, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
	for _, fanIn := range []int{0, 2, 7, 1000} {
		temp := filepath.Join(dir, "temp")
		if err := os.MkdirAll(temp, 0o755); err != nil {
			t.Fatal(err)
		}
		m, err := pairs.Merge(context.Background(), inputs, temp, fanIn)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, lines(t, m)); diff != "" {
			t.Errorf("fan in %d:\n%s", fanIn, diff)
		}
		m.Close()
		if left, _ := os.ReadDir(temp); len(left) > 0 {
			t.Errorf("fan in %d: %d files are left", fanIn, len(left))
		}
	}
}

func TestWriteSorted(t *testing.T) {
	var in []string
	for i := range 500 {
		in = append(in, fmt.Sprintf("%d\t%d", i/2, i))
	}
	for _, partitions := range []int{1, 5, 40} {
		dir := t.TempDir()
		parts, err := pairs.WriteSorted(context.Background(), &list{lines: in}, dir, pairs.CollectorOptions{Temp: t.TempDir(), Partitions: partitions})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range collect(t, t.TempDir(), in, partitions, 0) {
			if parts[i].Digest != want.Digest || parts[i].Partition != i {
				t.Errorf("%d partitions: partition %d is not what a collector writes", partitions, i)
			}
		}
	}
}

func TestPartChecks(t *testing.T) {
	dir := t.TempDir()
	part := collect(t, dir, []string{"1\t1", "2\t2"}, 1, 0)[0]
	tests := []struct {
		name   string
		change func(*job.Part)
	}{
		{"count", func(p *job.Part) { p.Pairs++ }},
		{"digest", func(p *job.Part) { p.Digest = strings.Repeat("0", 64) }},
		{"missing", func(p *job.Part) { p.Path += "x" }},
	}
	for _, tt := range tests {
		p := part
		tt.change(&p)
		src, err := pairs.Part(p)()
		for err == nil {
			_, _, err = src.Next()
		}
		var bad *pairs.PartError
		if !errors.As(err, &bad) || bad.Path != p.Path {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestOutputs(t *testing.T) {
	in := []string{"null\t1", "2\t", `"a b"` + "\t" + `"x, y"`, `"t\tab"` + "\t" + `"\u0001"`, `["WINNT","6.1"]` + "\t[7,null,\"é\",{\"a\":1}]"}
	rows := []string{`"Linux"` + "\t" + `"Linux 3"`, `"WINNT"` + "\t" + `"WINNT 7 extra"`}
	tests := []struct {
		name  string
		write func(io.Writer, job.Form, pairs.Source) error
		pairs string
		lines string
		none  string
	}{
		{"text", pairs.WriteText, "null\t1\n2\na b\tx, y\n\"t\\tab\"\t\"\\u0001\"\n[\"WINNT\",\"6.1\"]\t[7,null,\"é\",{\"a\":1}]\n", "Linux 3\nWINNT 7 extra\n", ""},
		{"csv", pairs.WriteCSV, ",1\n2\na b,\"x, y\"\nt\tab,\x01\nWINNT,6.1,7,,é,\"{\"\"a\"\":1}\"\n", "Linux,3\nWINNT,7 extra\n", ""},
		{"jsonl", pairs.WriteJSONL, `{"key":null,"value":1}
{"key":2}
{"key":"a b","value":"x, y"}
{"key":"t\tab","value":"\u0001"}
{"key":["WINNT","6.1"],"value":[7,null,"é",{"a":1}]}
`, "{\"line\":\"Linux 3\"}\n{\"line\":\"WINNT 7 extra\"}\n", ""},
		{"json", pairs.WriteJSON, `[
{"key":null,"value":1},
{"key":2},
{"key":"a b","value":"x, y"},
{"key":"t\tab","value":"\u0001"},
{"key":["WINNT","6.1"],"value":[7,null,"é",{"a":1}]}
]
`, "[\n{\"line\":\"Linux 3\"},\n{\"line\":\"WINNT 7 extra\"}\n]\n", "[]\n"},
	}
	for _, tt := range tests {
		for _, c := range []struct {
			form job.Form
			in   []string
			want string
		}{{job.FormPairs, in, tt.pairs}, {job.FormLines, rows, tt.lines}, {job.FormPairs, nil, tt.none}} {
			var b strings.Builder
			if err := tt.write(&b, c.form, &list{lines: c.in}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, b.String()); diff != "" {
				t.Errorf("%s of %s (-want +got):\n%s", tt.name, c.form, diff)
			}
		}
	}
}

// What is not UTF-8 leaves as it came; half of a surrogate pair that stands for no byte has no bytes, so that its JSON is shown.
func TestOutputsOfBytes(t *testing.T) {
	in := []string{`"caf\udce9"` + "\t" + `"\udced\udca0\udc80"`, `"\ud800"` + "\t" + `"é\udcff"`}
	rows := []string{`"caf\udce9"` + "\t" + `"caf\udce9 1"`}
	for _, tt := range []struct {
		name, want string
		write      func(io.Writer, job.Form, pairs.Source) error
		form       job.Form
		in         []string
	}{
		{"text", "caf\xe9\t\xed\xa0\x80\n\"\\ud800\"\té\xff\n", pairs.WriteText, job.FormPairs, in},
		{"text of lines", "caf\xe9 1\n", pairs.WriteText, job.FormLines, rows},
		{"csv", "caf\xe9,\xed\xa0\x80\n\xed\xa0\x80,é\xff\n", pairs.WriteCSV, job.FormPairs, in},
		{"csv of lines", "caf\xe9,1\n", pairs.WriteCSV, job.FormLines, rows},
		{"jsonl", "{\"key\":\"caf\\udce9\",\"value\":\"\\udced\\udca0\\udc80\"}\n{\"key\":\"\\ud800\",\"value\":\"é\\udcff\"}\n", pairs.WriteJSONL, job.FormPairs, in},
		{"jsonl of lines", "{\"line\":\"caf\\udce9 1\"}\n", pairs.WriteJSONL, job.FormLines, rows},
	} {
		var b strings.Builder
		if err := tt.write(&b, tt.form, &list{lines: tt.in}); err != nil {
			t.Fatal(err)
		}
		if b.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, b.String(), tt.want)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(file(f, nil))
	f.Add(file(f, []string{"1\t1", "1\t2", `"a"` + "\t3"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := readAll(data)
		var bad *pairs.FormatError
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("error of no known kind: %v", err)
		}
	})
}

// A streaming program's second TAB belongs to its value, and comes out as it went in.
func TestTextKeepsTabsOfValues(t *testing.T) {
	var b strings.Builder
	if err := pairs.WriteText(&b, job.FormPairs, &list{lines: []string{`"k"` + "\t" + `"v1\tv2"`, `"l"` + "\t" + `"two\nlines"`}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("k\tv1\tv2\nl\t\"two\\nlines\"\n", b.String()); diff != "" {
		t.Error(diff)
	}
}
