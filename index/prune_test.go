package index_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/index"
)

// counting is a list that leaves out what the filter refuses and counts it, as a database can.
type counting struct {
	*list
	noise bool // also yields some files that the filter refuses
}

func (c counting) DetectLayout(context.Context) (*index.Layout, error) {
	var all []string
	for _, r := range c.rows {
		all = append(all, r.key)
	}
	return index.DetectLayout(all), nil
}

func (c counting) ScanMatching(_ context.Context, layout *index.Layout, f index.Filter, fn func(index.File) error) (index.Skipped, error) {
	m, err := index.NewMatcher(layout, f)
	if err != nil {
		return index.Skipped{}, err
	}
	skipped := index.Skipped{}
	groups := map[string]*index.Group{}
	dims := make([][]byte, len(layout.Dimensions()))
	for i, r := range c.rows {
		values := []string{}
		fits := layout.Match([]byte(r.key), dims)
		for _, d := range dims {
			values = append(values, string(d))
		}
		switch {
		case fits && m.MayMatch(values), c.noise && i%3 == 0:
			if err := fn(index.File{Key: []byte(r.key), Size: r.size, ETag: []byte(r.etag)}); err != nil {
				return skipped, err
			}
		case !fits:
			skipped.Unparsed++
			skipped.UnparsedSample = append(skipped.UnparsedSample, r.key)
		default:
			name := strings.Join(values, "\x00")
			if groups[name] == nil {
				groups[name] = &index.Group{Values: values}
			}
			groups[name].Files++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		skipped.Groups = append(skipped.Groups, *groups[name])
	}
	return skipped, nil
}

// folders is a list that does not look into folders whose names the filter refuses, as a bucket can.
type folders struct{ counting }

func (s folders) ScanMatching(_ context.Context, layout *index.Layout, f index.Filter, fn func(index.File) error) (index.Skipped, error) {
	m, err := index.NewMatcher(layout, f)
	if err != nil {
		return index.Skipped{}, err
	}
	skipped := index.Skipped{}
	pruned := map[string]bool{}
	dims := make([][]byte, len(layout.Dimensions()))
next:
	for _, r := range s.rows {
		for at := range r.key {
			prefix := r.key[:at+1]
			if r.key[at] != '/' {
				continue
			}
			known, fits := layout.MatchFolder([]byte(prefix), dims)
			var values []string
			for _, d := range dims[:known] {
				values = append(values, string(d))
			}
			if fits && m.MayMatch(values) {
				continue
			}
			if !pruned[prefix] {
				pruned[prefix] = true
				if fits {
					skipped.Groups = append(skipped.Groups, index.Group{Values: values, Files: index.Unlisted})
				} else {
					skipped.UnparsedPrefixes++
				}
			}
			continue next
		}
		if err := fn(index.File{Key: []byte(r.key), Size: r.size, ETag: []byte(r.etag)}); err != nil {
			return skipped, err
		}
	}
	return skipped, nil
}

// filters draws filters over the telemetry layout.
func filters() *rapid.Generator[index.Filter] {
	values := map[string][]string{
		"reason": {"idle_daily", "saved-session", "saved_session", "none"}, "appName": {"Firefox", "Fennec", "Thunderbird"},
		"appUpdateChannel": {"nightly", "aurora", "beta"}, "appVersion": {"24.0a1", "26.0a2", "29.0a1"},
		"submission_date": {"20140101", "20140115", "20140201", "20140230"},
	}
	term := rapid.Custom(func(t *rapid.T) index.Term {
		dim := rapid.SampledFrom(slices.Sorted(maps.Keys(values))).Draw(t, "dimension")
		value := rapid.SampledFrom(values[dim])
		switch op := rapid.SampledFrom([]index.Op{index.OpAny, index.OpOneOf, index.OpBetween, index.OpAtLeast, index.OpAtMost, index.OpGlob}).Draw(t, "op"); op {
		case index.OpAny:
			return index.Term{Dimension: dim, Op: op}
		case index.OpOneOf:
			return index.Term{Dimension: dim, Op: op, Values: rapid.SliceOfN(value, 0, 3).Draw(t, "values")}
		case index.OpBetween:
			return index.Term{Dimension: dim, Op: op, Values: rapid.SliceOfN(value, 2, 2).Draw(t, "values")}
		case index.OpGlob:
			return index.Term{Dimension: dim, Op: op, Values: []string{value.Draw(t, "value")[:3] + "*"}}
		default:
			return index.Term{Dimension: dim, Op: op, Values: []string{value.Draw(t, "value")}}
		}
	})
	return rapid.Custom(func(t *rapid.T) index.Filter {
		return index.Filter{
			Where:     rapid.SliceOfN(term, 0, 4).Draw(t, "where"),
			Exclude:   rapid.SliceOfN(term, 0, 2).Draw(t, "exclude"),
			AsService: rapid.Bool().Draw(t, "as service"),
		}
	})
}

func tableKeys(t *index.Table) []string {
	var keys []string
	for i := range t.Len() {
		keys = append(keys, t.Key(i))
	}
	return keys
}

// prunedRows are telemetry rows and some keys of other shapes.
func prunedRows() []row {
	rows := telemetryRows(300)
	for i, key := range []string{"README", "a/b", "saved_session/Firefox/nightly/x", "zz/1/2/3/4/5/6.7.8", "/a/b/c/1.20140101.x"} {
		rows = append(rows, row{key, int64(i), "e"})
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.key, b.key) })
	return rows
}

// Whatever a source leaves out, the same files are selected; when it counts what it left out, all numbers are the same too.
func TestPrunersSelectTheSame(t *testing.T) {
	plain := &list{rows: prunedRows()}
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		f := filters().Draw(t, "filter")
		want, err := index.Select(ctx, plain, nil, "", f)
		if err != nil {
			t.Fatal(err)
		}
		revisions := map[string]bool{}
		for _, src := range []index.Pruner{counting{list: plain}, counting{list: plain, noise: true}} {
			got, err := index.Select(ctx, src, nil, "", f)
			if err != nil {
				t.Fatal(err)
			}
			for _, diff := range []string{
				cmp.Diff(tableKeys(want.Files), tableKeys(got.Files)), cmp.Diff(want.Funnel, got.Funnel), cmp.Diff(want.Dimensions, got.Dimensions),
				cmp.Diff([]any{want.Total, want.Bytes, want.Unparsed, want.UnparsedSample, 0}, []any{got.Total, got.Bytes, got.Unparsed, got.UnparsedSample, got.Unlisted}),
			} {
				if diff != "" {
					t.Fatal(diff)
				}
			}
			revisions[got.Revision] = got.Live != nil
		}
		got, err := index.Select(ctx, folders{counting{list: plain}}, nil, "", f)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tableKeys(want.Files), tableKeys(got.Files)); diff != "" {
			t.Fatal(diff)
		}
		if got.Unlisted == 0 && got.Total != want.Total || got.Total > want.Total {
			t.Fatalf("%d files in all, of %d, with %d folders not listed", got.Total, want.Total, got.Unlisted)
		}
		for i, step := range got.Funnel {
			if step.Left > want.Funnel[i].Left || i == len(got.Funnel)-1 && step.Left != want.Funnel[i].Left {
				t.Fatalf("funnel %v, want at most %v", got.Funnel, want.Funnel)
			}
		}
		if revisions[got.Revision] = got.Live != nil; len(revisions) != 1 || got.Live == nil {
			t.Fatalf("revisions %v: they must be of the matching files alone", revisions)
		}
	})
}

func TestLiveRevisionTellsOfMatchingFilesAlone(t *testing.T) {
	f := index.Filter{Where: []index.Term{{Dimension: "reason", Op: index.OpOneOf, Values: []string{"saved_session"}}}}
	revision := func(change func([]row)) string {
		rows := prunedRows()
		change(rows)
		sel, err := index.Select(context.Background(), counting{list: &list{rows: rows}}, nil, "", f)
		if err != nil {
			t.Fatal(err)
		}
		return sel.Revision
	}
	of := func(prefix string, change func(*row)) func([]row) {
		return func(rows []row) {
			change(&rows[slices.IndexFunc(rows, func(r row) bool { return strings.HasPrefix(r.key, prefix+"/Firefox/nightly/2") })])
		}
	}
	before := revision(func([]row) {})
	if revision(of("idle_daily", func(r *row) { r.size++ })) != before {
		t.Error("a file that the filter refuses changed the revision")
	}
	for _, change := range []func(*row){func(r *row) { r.size++ }, func(r *row) { r.etag += "x" }, func(r *row) { r.key += "x" }} {
		if revision(of("saved_session", change)) == before {
			t.Error("a matching file changed, and the revision did not")
		}
	}
}

// columns is a counting source that knows the dimensions of files whose keys tell nothing.
type columns struct{ *list }

func (c columns) DetectLayout(context.Context) (*index.Layout, error) { return nil, nil }
func (c columns) ScanMatching(_ context.Context, _ *index.Layout, _ index.Filter, fn func(index.File) error) (index.Skipped, error) {
	for i, r := range c.rows {
		dims := [][]byte{[]byte(r.etag), fmt.Appendf(nil, "d%d", i%2)}
		if err := fn(index.File{Key: []byte(r.key), Size: r.size, Dims: dims}); err != nil {
			return index.Skipped{}, err
		}
	}
	return index.Skipped{}, nil
}

func TestDimensionsOfTheSource(t *testing.T) {
	src := columns{&list{layout: "{kind}/{day:date}", rows: []row{{"a", 1, "x"}, {"b", 2, "y"}, {"c", 3, "x"}}}}
	sel, err := index.Select(context.Background(), src, nil, "", index.Filter{Where: []index.Term{{Dimension: "kind", Op: index.OpOneOf, Values: []string{"x"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "c"}, tableKeys(sel.Files)); diff != "" || sel.Unparsed != 0 {
		t.Error(diff, sel.Unparsed)
	}
	if diff := cmp.Diff([]string{"x", "d0"}, sel.Files.Dims(1)); diff != "" {
		t.Error(diff)
	}
	before := sel.Revision
	src.rows[0].etag, src.rows[2].etag = "x2", "x2"
	sel, err = index.Select(context.Background(), src, nil, "", index.Filter{Where: []index.Term{{Dimension: "kind", Op: index.OpOneOf, Values: []string{"x2"}}}})
	if err != nil || sel.Revision == before {
		t.Errorf("the dimensions changed and the revision did not: %v", err)
	}
}

// losing forgets to tell what it left out, or tells that it left out what the filter wants.
type losing struct{ counting }

func (l losing) ScanMatching(context.Context, *index.Layout, index.Filter, func(index.File) error) (index.Skipped, error) {
	return index.Skipped{Groups: []index.Group{{Values: []string{"saved_session"}, Files: 3}}}, nil
}

func TestNothingIsLostByPruning(t *testing.T) {
	_, err := index.Select(context.Background(), losing{counting{list: &list{rows: prunedRows()}}}, nil, "", index.Filter{})
	if err == nil || !strings.Contains(err.Error(), "left out files that the filter does not refuse") {
		t.Errorf("%v", err)
	}
}

func TestMatchFolder(t *testing.T) {
	layout, err := index.ParseLayout("v1/{a}-{b}/{c}.{rest}")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		prefix string
		want   []string
		fits   bool
	}{
		{"", nil, true},
		{"v1/", nil, true},
		{"v2/", nil, false},
		{"v1/x-y/", []string{"x", "y"}, true},
		{"v1/x/", nil, false},
		{"v1/x-y/z/", nil, false},
		{"v1/x", nil, false},
	} {
		dims := make([][]byte, 3)
		known, fits := layout.MatchFolder([]byte(test.prefix), dims)
		var got []string
		for _, d := range dims[:known] {
			got = append(got, string(d))
		}
		if fits != test.fits || !cmp.Equal(got, test.want) {
			t.Errorf("%q: %q, %v, want %q, %v", test.prefix, got, fits, test.want, test.fits)
		}
	}
}
