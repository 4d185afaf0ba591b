package index_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/index"
)

func TestSanitize(t *testing.T) {
	for in, want := range map[string]string{
		"Hello World!": "Hello_World_", "what\nam\ni": "what_am_i", "saved-session": "saved_session", "v1.0-b 2": "v1.0_b_2",
		"x/y": "x/y", "café": "caf_", "": "", "日本": "__", "a\xff\xfeb": "a__b", "plain_1.0": "plain_1.0",
	} {
		if got := index.Sanitize(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func parse(t testing.TB, layout string) *index.Layout {
	t.Helper()
	l, err := index.ParseLayout(layout)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func selectedKeys(s *index.Selection) []string {
	var keys []string
	for i := range s.Files.Len() {
		keys = append(keys, s.Files.Key(i))
	}
	return keys
}

func TestSelect(t *testing.T) {
	src := keys("b/1/y", "a/2/x", "junk", "a/1/x", "c/2/z", "a/3")
	selection, err := index.Select(context.Background(), src, parse(t, "{letter}/{day:date}/{rest}"), "", index.Filter{
		Where:   []index.Term{{Dimension: "letter", Op: index.OpOneOf, Values: []string{"a", "b"}}, {Dimension: "day", Op: index.OpAny}},
		Exclude: []index.Term{{Dimension: "letter", Op: index.OpOneOf, Values: []string{"a"}}, {Dimension: "day", Op: index.OpAtLeast, Values: []string{"2"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/1/x", "b/1/y"}, selectedKeys(selection)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	f := selection.Files
	if f.Size(0) != 4 || f.ETag(0) != "ea/1/x" || f.Dim(0, 0) != "a" || f.Dim(1, 1) != "1" || f.DimID(0, 0) >= f.DimID(1, 0) || f.DimID(0, 1) != f.DimID(1, 1) {
		t.Errorf("columns: %d %q %q %q", f.Size(0), f.ETag(0), f.Dims(0), f.Dims(1))
	}
	if f.Find("b/1/y") != 1 || f.Find("a/2/x") != -1 || f.DimensionIndex("day") != 1 || f.DimensionIndex("x") != -1 {
		t.Error("Find or DimensionIndex is wrong")
	}
	selection.Files, selection.Layout = nil, nil
	want := &index.Selection{
		Source: "list:test", Revision: "r1", Root: "file:///data/",
		Total: 6, Bytes: 5, Unparsed: 2, UnparsedSample: []string{"a/3", "junk"},
		Funnel: []index.Step{{Dimension: "letter", Left: 3}, {Dimension: "exclude", Left: 2}},
		Dimensions: []index.Dimension{
			{Name: "letter", Values: []index.ValueCount{{Value: "a", Files: 2}, {Value: "b", Files: 1}, {Value: "c", Files: 1}}},
			{Name: "day", Values: []index.ValueCount{{Value: "1", Files: 2}, {Value: "2", Files: 2}}},
		},
	}
	if diff := cmp.Diff(want, selection); diff != "" {
		t.Errorf("selection (-want +got):\n%s", diff)
	}
}

func TestSelectWithoutLayout(t *testing.T) {
	src := keys("b.txt", "books/a.txt")
	selection, err := index.Select(context.Background(), src, nil, "s3://bucket/", index.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if selection.Layout != nil || selection.Files.Len() != 2 || selection.Unparsed != 0 || selection.Root != "s3://bucket/" {
		t.Errorf("selection %+v", selection)
	}
	_, err = index.Select(context.Background(), src, nil, "", index.Filter{Where: []index.Term{{Dimension: "day", Op: index.OpAny}}})
	var noLayout *index.NoLayoutError
	if !errors.As(err, &noLayout) || noLayout.Dimension != "day" {
		t.Errorf("error %v, want a *NoLayoutError about day", err)
	}
}

func TestSelectUsesTheLayoutOfTheSource(t *testing.T) {
	src := keys("r/a/c/v/b.d.log", "x")
	selection, err := index.Select(context.Background(), src, nil, "", index.Filter{})
	if err != nil || selection.Layout.String() != "telemetry" || selection.Unparsed != 1 {
		t.Errorf("detected: %v, %+v", err, selection)
	}
	src.layout = "{name}"
	selection, err = index.Select(context.Background(), src, nil, "", index.Filter{})
	if err != nil || selection.Layout.String() != "{name}" || selection.Files.Len() != 1 {
		t.Errorf("recorded: %v, %+v", err, selection)
	}
	src.layout = "{name"
	_, err = index.Select(context.Background(), src, nil, "", index.Filter{})
	var layoutError *index.LayoutError
	if !errors.As(err, &layoutError) || !strings.Contains(err.Error(), "list:test") {
		t.Errorf("recorded and wrong: %v", err)
	}
}

func TestSelectErrors(t *testing.T) {
	ctx, layout := context.Background(), parse(t, "{a}/{b}")
	where := func(op index.Op, values ...string) index.Filter {
		return index.Filter{Where: []index.Term{{Dimension: "a", Op: op, Values: values}}}
	}
	_, err := index.Select(ctx, keys("1/2"), layout, "", index.Filter{Exclude: []index.Term{{Dimension: "c", Op: index.OpAny}}})
	var unknown *index.UnknownDimensionError
	if !errors.As(err, &unknown) || unknown.Name != "c" || !slices.Equal(unknown.Known, []string{"a", "b"}) {
		t.Errorf("unknown dimension: %v", err)
	}
	for _, f := range []index.Filter{where(index.OpGlob, "["), where(index.OpGlob, "{a"), where(index.OpMatches, "("), where(index.OpVersion, "28.*"), where(index.OpDates, "x", ""), where(index.OpDates, "2014-03-08"), where(index.OpBetween, "1"), where("like", "1"), where(index.OpAny, "1")} {
		_, err := index.Select(ctx, keys("1/2"), layout, "", f)
		var condition *index.ConditionError
		if !errors.As(err, &condition) || !cmp.Equal(condition.Term, f.Where[0]) {
			t.Errorf("%v: error %v, want a *ConditionError", f, err)
		}
		if err := index.CheckTerm(f.Where[0]); !errors.As(err, &condition) {
			t.Errorf("%v: CheckTerm: %v", f, err)
		}
	}
	for _, src := range []*list{keys("1/2", "1/2"), keys("1/2", "0/1", "1/2")} {
		_, err := index.Select(ctx, src, layout, "", index.Filter{})
		var duplicate *index.DuplicateKeyError
		if !errors.As(err, &duplicate) || duplicate.Key != "1/2" {
			t.Errorf("duplicate: %v", err)
		}
	}
	if _, err := index.Select(ctx, failing{keys("1/2")}, layout, "", index.Filter{}); !errors.Is(err, errDisk) {
		t.Errorf("failing source: %v", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := index.Select(canceled, &list{rows: telemetryRows(5000)}, nil, "", index.Filter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestLongKeysAndManyBlocks(t *testing.T) {
	var all []string
	for i := range 300 {
		all = append(all, fmt.Sprintf("%03d/%s", i, strings.Repeat("x", i*100)))
	}
	all = append(all, "999/"+strings.Repeat("y", 3<<20))
	selection, err := index.Select(context.Background(), keys(all...), parse(t, "{n}/{rest}"), "", index.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	all = all[1:] // 000/ is a folder marker
	if !slices.Equal(all, selectedKeys(selection)) || selection.Unparsed != 1 {
		t.Error("keys differ from what went in")
	}
}

// TestSelectAgainstSimple compares Select with the plainest evaluation of the same filter, for sources in any order.
func TestSelectAgainstSimple(t *testing.T) {
	layout := parse(t, "{a}/{b}.{c}")
	value := rapid.SampledFrom([]string{"", "x", "y-1", "y_1", "z", "é"})
	term := rapid.Custom(func(t *rapid.T) index.Term {
		op := rapid.SampledFrom([]index.Op{index.OpAny, index.OpOneOf, index.OpBetween, index.OpAtLeast, index.OpAtMost, index.OpGlob}).Draw(t, "op")
		n := map[index.Op]int{index.OpOneOf: rapid.IntRange(0, 2).Draw(t, "n"), index.OpBetween: 2, index.OpAtLeast: 1, index.OpAtMost: 1, index.OpGlob: 1}[op]
		values := rapid.SliceOfN(value, n, n).Draw(t, "values")
		return index.Term{Dimension: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "dimension"), Op: op, Values: values}
	})
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfDistinct(rapid.Custom(func(t *rapid.T) string {
			return value.Draw(t, "a") + rapid.SampledFrom([]string{"/", "-"}).Draw(t, "slash") + value.Draw(t, "b") + "." + value.Draw(t, "c")
		}), func(s string) string { return s }).Draw(t, "keys")
		filter := index.Filter{
			Where: rapid.SliceOfN(term, 0, 3).Draw(t, "where"), Exclude: rapid.SliceOfN(term, 0, 2).Draw(t, "exclude"),
			AsService: rapid.Bool().Draw(t, "as service"),
		}
		selection, err := index.Select(context.Background(), keys(parts...), layout, "", filter)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, key := range parts {
			if simple(layout, key, filter) {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, selectedKeys(selection)); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

// simple tells whether a key matches, without any cleverness.
func simple(layout *index.Layout, key string, f index.Filter) bool {
	dims := make([][]byte, len(layout.Dimensions()))
	if !layout.Match([]byte(key), dims) {
		return false
	}
	holds := func(t index.Term) bool {
		v := string(dims[slices.Index(layout.Dimensions(), t.Dimension)])
		if !f.AsService {
			v = index.Sanitize(v)
		}
		var p []string
		for _, value := range t.Values {
			p = append(p, index.Sanitize(value))
		}
		switch t.Op {
		case index.OpOneOf:
			return slices.Contains(p, v)
		case index.OpBetween:
			return p[0] <= v && v <= p[1]
		case index.OpAtLeast:
			return p[0] <= v
		case index.OpAtMost:
			return v <= p[0]
		case index.OpGlob: // the values above hold no wildcard
			return v == p[0]
		}
		return true
	}
	for _, t := range f.Where {
		if !holds(t) {
			return false
		}
	}
	return len(f.Exclude) == 0 || slices.ContainsFunc(f.Exclude, func(t index.Term) bool { return !holds(t) })
}

func TestSelectDoesNotDependOnOrder(t *testing.T) {
	sorted := &list{rows: telemetryRows(2000)}
	for i := range 30 {
		sorted.rows = append(sorted.rows, row{key: fmt.Sprintf("zz-unparsed-%02d", i)})
	}
	shuffled := &list{rows: slices.Clone(sorted.rows)}
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(shuffled.rows), func(i, j int) {
		shuffled.rows[i], shuffled.rows[j] = shuffled.rows[j], shuffled.rows[i]
	})
	if a, b := picture(t, sorted), picture(t, shuffled); a != b {
		t.Errorf("selections differ:\n%s", cmp.Diff(a, b))
	}
}

// picture is everything a Selection says, as text.
func picture(t *testing.T, src index.Source) string {
	t.Helper()
	s, err := index.Select(context.Background(), src, nil, "", nightly)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i := range s.Files.Len() {
		fmt.Fprintln(&out, s.Files.Key(i), s.Files.Size(i), s.Files.ETag(i), s.Files.Dims(i), s.Files.DimID(i, 4))
	}
	fmt.Fprintln(&out, s.Layout, s.Total, s.Bytes, s.Unparsed, s.UnparsedSample, s.Funnel, s.Dimensions)
	return out.String()
}

// nightly is a filter with a bit of everything.
var nightly = index.Filter{
	Where: []index.Term{
		{Dimension: "reason", Op: index.OpOneOf, Values: []string{"saved-session", "idle-daily"}},
		{Dimension: "appName", Op: index.OpOneOf, Values: []string{"Firefox"}},
		{Dimension: "appUpdateChannel", Op: index.OpGlob, Values: []string{"{nightly,aurora}"}},
		{Dimension: "submission_date", Op: index.OpBetween, Values: []string{"20140105", "20140220"}},
	},
	Exclude: []index.Term{{Dimension: "appVersion", Op: index.OpMatches, Values: []string{`^24\.`}}},
}

func BenchmarkSelect(b *testing.B) {
	src := &list{rows: telemetryRows(1_000_000)}
	for _, bench := range []struct {
		name   string
		layout *index.Layout
		filter index.Filter
	}{
		{"Some", parse(b, "telemetry"), nightly},
		{"All", parse(b, "telemetry"), index.Filter{}},
		{"Detect", nil, nightly},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := index.Select(context.Background(), src, bench.layout, "", bench.filter); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Dates and versions are compared as such, in whatever form keys write them; what is none matches nothing.
func TestDatesAndVersions(t *testing.T) {
	src := keys("28.0a1/20140308", "28.0/2014-03-08", "9.0/2014_03_09", "100.0/2014.03.10", "nightly/20140308", "28.0/today")
	for _, tt := range []struct {
		where index.Term
		want  []string
	}{
		{index.Term{Dimension: "day", Op: index.OpDates, Values: []string{"2014-03-08", "2014-03-09"}}, []string{"28.0/2014-03-08", "28.0a1/20140308", "9.0/2014_03_09", "nightly/20140308"}},
		{index.Term{Dimension: "day", Op: index.OpDates, Values: []string{"2014-03-09", ""}}, []string{"100.0/2014.03.10", "9.0/2014_03_09"}},
		{index.Term{Dimension: "day", Op: index.OpDates, Values: []string{"", "2014-03-08"}}, []string{"28.0/2014-03-08", "28.0a1/20140308", "nightly/20140308"}},
		{index.Term{Dimension: "version", Op: index.OpVersion, Values: []string{">= 28.0"}}, []string{"100.0/2014.03.10", "28.0/2014-03-08", "28.0/today"}},
		{index.Term{Dimension: "version", Op: index.OpVersion, Values: []string{"< 28"}}, []string{"28.0a1/20140308", "9.0/2014_03_09"}},
	} {
		selection, err := index.Select(context.Background(), src, parse(t, "{version}/{day:date}"), "", index.Filter{Where: []index.Term{tt.where}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, selectedKeys(selection)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.where, diff)
		}
	}
}

// A limit keeps the same files in whatever order they come, and a new file drives out one other at most.
func TestLimit(t *testing.T) {
	layout := parse(t, "{a}/{b}")
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-c]/[a-z]{1,6}`), 2, 40, rapid.ID[string]).Draw(t, "keys")
		n := rapid.IntRange(1, len(all)).Draw(t, "limit")
		pick := func(all []string) []string {
			s, err := index.Select(context.Background(), keys(all...), layout, "", index.Filter{Limit: n})
			if err != nil {
				t.Fatal(err)
			}
			got, bytes := selectedKeys(s), int64(0)
			for i := range got {
				bytes += s.Files.Size(i)
			}
			if len(got) != min(n, len(all)) || !slices.IsSorted(got) || s.Bytes != bytes || s.Funnel[len(s.Funnel)-1] != (index.Step{Dimension: "limit", Left: len(got)}) {
				t.Fatalf("%q with %d bytes and %v", got, s.Bytes, s.Funnel)
			}
			return got
		}
		some := pick(all)
		if shuffled := pick(rapid.Permutation(all).Draw(t, "order")); !slices.Equal(some, shuffled) {
			t.Fatalf("%q in another order %q", some, shuffled)
		}
		lost := 0
		for _, key := range pick(all[1:]) {
			if !slices.Contains(some, key) {
				lost++
			}
		}
		if lost > 1 {
			t.Fatalf("one file drives out %d", lost)
		}
	})
}
