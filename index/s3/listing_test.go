package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/index"
)

// memory lists keys as S3 does, a few at a time.
type memory struct {
	keys []string // sorted
	most int

	mu       sync.Mutex
	requests []request
}

func newMemory(most int, keys ...string) *memory {
	slices.Sort(keys)
	return &memory{keys: slices.Compact(keys), most: most}
}

func (m *memory) list(ctx context.Context, r request) (*page, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	m.mu.Lock()
	m.requests = append(m.requests, r)
	m.mu.Unlock()
	from := max(r.after, r.token)
	p := &page{}
	for _, key := range m.keys[sort.SearchStrings(m.keys, r.prefix):] {
		rest, ok := strings.CutPrefix(key, r.prefix)
		if !ok {
			break
		}
		item, prefix := key, false
		if r.delimiter != "" {
			if at := strings.Index(rest, r.delimiter); at >= 0 {
				item, prefix = r.prefix+rest[:at+len(r.delimiter)], true
			}
		}
		if item <= from || item == p.last {
			continue
		}
		if len(p.objects)+len(p.prefixes) == m.most {
			p.next = p.last
			break
		}
		p.last = item
		if prefix {
			p.prefixes = append(p.prefixes, item)
		} else {
			p.objects = append(p.objects, object{key: key, etag: "e-" + key, size: int64(len(key))})
		}
	}
	return p, nil
}

func (m *memory) source(folder string) *Source {
	return &Source{name: "s3://memory/" + folder, bucket: "memory", folder: folder, api: m}
}

// plain is a source that knows nothing of pruning.
type plain struct{ keys []string }

func (p plain) String() string                           { return "plain" }
func (p plain) Layout() string                           { return "" }
func (p plain) Root() string                             { return "file:///" }
func (p plain) Close() error                             { return nil }
func (p plain) Revision(context.Context) (string, error) { return "", nil }
func (p plain) Scan(_ context.Context, fn func(index.File) error) error {
	for _, k := range p.keys {
		if err := fn(index.File{Key: []byte(k), Size: int64(len(k)), ETag: []byte("e-" + k)}); err != nil {
			return err
		}
	}
	return nil
}

func keysGenerator(alphabet []string) *rapid.Generator[[]string] {
	part := rapid.StringOfN(rapid.SampledFrom([]rune("09aZ_-.é\U0010ffff")), 0, 3, -1)
	if alphabet != nil {
		part = rapid.SampledFrom(alphabet)
	}
	key := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "parts"), "/")
	}).Filter(func(k string) bool { return k != "" })
	return rapid.SliceOfNDistinct(key, 0, 60, rapid.ID[string])
}

// TestScanYieldsAllInOrder splits what is listed in all ways that happen, with pages so small that each segment is long.
func TestScanYieldsAllInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := keysGenerator(rapid.SampledFrom([][]string{nil, {"a", "b", "20140301", "c.d"}}).Draw(t, "alphabet")).Draw(t, "keys")
		m := newMemory(rapid.IntRange(1, 4).Draw(t, "page"), keys...)
		l := &listing{api: m, workers: rapid.IntRange(1, 6).Draw(t, "workers")}
		folder := rapid.SampledFrom([]string{"", "a/", "a/b/"}).Draw(t, "folder")
		var want, got []string
		for _, k := range m.keys {
			if strings.HasPrefix(k, folder) {
				want = append(want, k)
			}
		}
		err := l.run(context.Background(), &segment{prefix: folder}, func(o object) error { got = append(got, o.key); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("keys (-want +got):\n%s", diff)
		}
	})
}

// TestCut: each key behind the first folder is in exactly one part, also where the name of a folder begins another one or is empty.
func TestCut(t *testing.T) {
	part := rapid.StringOfN(rapid.SampledFrom([]rune("a-./0\U0010ffff")), 0, 3, -1)
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.Map(rapid.SliceOfN(part, 1, 3), func(p []string) string { return strings.Join(p, "/") }), 1, 40, rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		var folders []string
		loose := false
		for _, k := range keys {
			if slash := strings.IndexByte(k, '/'); slash < 0 {
				loose = true
			} else if f := k[:slash+1]; !slices.Contains(folders, f) {
				folders = append(folders, f)
			}
		}
		slices.Sort(folders)
		if len(folders) == 0 {
			return
		}
		parts := cut(folders, segment{}, rapid.IntRange(1, 5).Draw(t, "n"), !loose, true)
		left := &segment{end: parts[0].after + "\x00"}
		for _, k := range keys {
			in := 0
			for _, s := range append(parts, left) {
				if strings.HasPrefix(k, s.prefix) && (s.inside(k) || k == "" && s == left) {
					in++
				}
			}
			if in != 1 {
				t.Errorf("%q is in %d parts", k, in)
			}
		}
	})
}

// TestPrunedSelectsTheSame: a filter selects the same files when folders are left out as when all are listed.
func TestPrunedSelectsTheSame(t *testing.T) {
	values := []string{"a", "b", "a-b", "a_b", "20140301", "20140302.x", "x.20140301.y", "20140301.20140302.z", ".", "1.2"}
	rapid.Check(t, func(t *rapid.T) {
		keys := keysGenerator(values).Draw(t, "keys")
		text := rapid.SampledFrom([]string{
			"{one}/{two}", "{one}/{two}/{rest}", "{one}/{two}.{day:date}.{rest}", "{one}.{two}/{rest}", "a/{one}/{two}", "{one}/x.{two}.{rest}", "{one}.{two}",
		}).Draw(t, "layout")
		layout, err := index.ParseLayout(text)
		if err != nil {
			t.Fatal(err)
		}
		term := rapid.Custom(func(t *rapid.T) index.Term {
			op := rapid.SampledFrom([]index.Op{index.OpAny, index.OpOneOf, index.OpBetween, index.OpAtLeast, index.OpAtMost, index.OpGlob, index.OpMatches}).Draw(t, "op")
			n := map[index.Op]int{index.OpAny: 0, index.OpBetween: 2, index.OpOneOf: 2}[op]
			if n == 0 && op != index.OpAny {
				n = 1
			}
			of := rapid.SampledFrom([]string{"a", "b", "a-b", "20140301", "x", "1", "20140302"})
			return index.Term{Dimension: rapid.SampledFrom(layout.Dimensions()).Draw(t, "dimension"), Op: op, Values: rapid.SliceOfN(of, n, n).Draw(t, "values")}
		})
		f := index.Filter{
			Where: rapid.SliceOfN(term, 0, 2).Draw(t, "where"), Exclude: rapid.SliceOfN(term, 0, 2).Draw(t, "exclude"),
			AsService: rapid.Bool().Draw(t, "as service"),
		}
		folder := rapid.SampledFrom([]string{"", "top/"}).Draw(t, "folder")
		full := plain{keys: slices.Sorted(slices.Values(keys))}
		stored := []string{"tap", "toq/a"}
		for _, k := range keys {
			stored = append(stored, folder+k)
		}
		if folder == "" {
			stored = stored[2:]
		}
		m := newMemory(rapid.IntRange(1, 4).Draw(t, "page"), stored...)
		ctx := context.Background()
		want, err := index.Select(ctx, full, layout, "", f)
		if err != nil {
			t.Skip(err)
		}
		got, err := index.Select(ctx, m.source(folder), layout, "", f)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rows(want), rows(got)); diff != "" {
			t.Fatalf("files (-want +got):\n%s", diff)
		}
		if got.Unlisted == 0 && (got.Total != want.Total || got.Unparsed != want.Unparsed) {
			t.Fatalf("nothing was left out, but %d files, %d unparsed, want %d, %d", got.Total, got.Unparsed, want.Total, want.Unparsed)
		}
		if got.Total > want.Total {
			t.Fatalf("%d files of %d", got.Total, want.Total)
		}
	})
}

func rows(sel *index.Selection) []string {
	var out []string
	for i := range sel.Files.Len() {
		out = append(out, fmt.Sprint(sel.Files.Key(i), " ", sel.Files.Dims(i)))
	}
	return out
}

// TestBetween holds the law of between: it is between, and text that a server takes.
func TestBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.StringOfN(rapid.RuneFrom([]rune("019aZz/_-.~é\U0010ffff")), 0, 6, -1)
		low, high, from := texts.Draw(t, "low"), texts.Draw(t, "high"), rapid.IntRange(0, 6).Draw(t, "from")
		if high != "" && high <= low {
			low, high = high, low
		}
		if got, ok := between(low, high, from); ok && (got <= low || high != "" && got >= high || strings.ToValidUTF8(got, "") != got) {
			t.Fatalf("%q", got)
		}
	})
	for _, test := range []struct {
		low, high string
		from      int
		want      string
	}{
		{"b/2014", "", 2, "b/6"},
		{"b/2014", "b/3", 2, "b/25"},
		{"a", "", 0, "n"},
		{"", "", 0, ""},
		{"9", "", 0, "J"},
	} {
		if got, _ := between(test.low, test.high, test.from); got != test.want {
			t.Errorf("between %q and %q from %d: %q, want %q", test.low, test.high, test.from, got, test.want)
		}
	}
}

// TestFlatIsShared: a folder with many files and nothing else is listed by all workers, without many requests more than it takes.
func TestFlatIsShared(t *testing.T) {
	for _, shape := range []struct{ name, format string }{
		{"digits", "logs/2014%06d.log"}, {"hex", "%08x"}, {"folders", "logs/%[2]d/%[1]d"},
	} {
		var keys []string
		for i := range 20_000 {
			n := i
			if shape.name == "hex" {
				n = int(uint32(i) * 2654435761)
			}
			keys = append(keys, strings.TrimSuffix(fmt.Sprintf(shape.format, n, i%12), fmt.Sprintf("%%!(EXTRA int=%d)", i%12)))
		}
		m := newMemory(100, keys...)
		n := 0
		l := &listing{api: m, workers: 8}
		if err := l.run(context.Background(), &segment{}, func(object) error { n++; return nil }); err != nil || n != len(keys) {
			t.Errorf("%s: %d keys, %v", shape.name, n, err)
		}
		least := len(keys) / m.most
		t.Logf("%s: %d requests, %d without splitting", shape.name, len(m.requests), least)
		if len(m.requests) > 2*least {
			t.Errorf("%s: %d requests, %d would do", shape.name, len(m.requests), least)
		}
	}
}

func TestErrorsEndAListing(t *testing.T) {
	m := newMemory(2, "a", "b", "c", "d", "e", "f")
	stop := errors.New("stop")
	l := &listing{api: m, workers: 3}
	if err := l.run(context.Background(), &segment{}, func(object) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of fn: %v", err)
	}
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("%05d", i))
	}
	m = newMemory(2, many...)
	ctx, cancel := context.WithCancel(context.Background())
	l = &listing{api: m, workers: 3}
	err := l.run(ctx, &segment{}, func(object) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
