package index_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/index"
)

// split is a source that is read in parts, which begin at the rows with the numbers in at.
type split struct {
	*list
	at []int
}

func (s split) Split(context.Context, int) ([]index.Part, error) {
	var parts []index.Part
	start := 0
	for _, end := range append(s.at, len(s.rows)) {
		part := list{rows: s.rows[start:end]}
		parts = append(parts, part.Scan)
		start = end
	}
	return parts, nil
}

// tableText is all that a table says.
func tableText(t *index.Table) (out []string) {
	for i := range t.Len() {
		line := fmt.Sprintf("%s %d %s %q", t.Key(i), t.Size(i), t.ETag(i), t.Dims(i))
		for d, name := range t.Dimensions() {
			line += fmt.Sprint(" ", name, t.DimID(i, d))
			if t.CombinationDim(t.Combination(i), d) != t.Dim(i, d) {
				line += " and its combination says something else"
			}
		}
		out = append(out, line)
	}
	return out
}

// Reading in parts selects what reading in one go selects.
func TestSplitSelectsTheSame(t *testing.T) {
	whole := telemetryRows(400)
	whole[7].key, whole[300].key = "a/marker/", "zz"
	rapid.Check(t, func(t *rapid.T) {
		rows := append([]row{}, whole[:rapid.IntRange(0, len(whole)).Draw(t, "rows")]...)
		if rapid.Bool().Draw(t, "shuffled") {
			rows = rapid.Permutation(rows).Draw(t, "order")
		}
		src := split{list: &list{layout: index.Telemetry, rows: rows}}
		for at := 0; ; {
			at += rapid.IntRange(0, 200).Draw(t, "part")
			if at > len(rows) {
				break
			}
			src.at = append(src.at, at)
		}
		filter := index.Filter{
			Where:   []index.Term{{Dimension: "reason", Op: index.OpOneOf, Values: []string{"idle-daily"}}, {Dimension: "appVersion", Op: index.OpGlob, Values: []string{"2*"}}},
			Exclude: []index.Term{{Dimension: "appName", Op: index.OpOneOf, Values: []string{"Fennec"}}},
		}
		want, err := index.Select(context.Background(), src.list, nil, "", filter)
		if err != nil {
			t.Fatal(err)
		}
		got, err := index.Select(context.Background(), src, nil, "", filter)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tableText(want.Files), tableText(got.Files)); diff != "" {
			t.Fatalf("files (-whole +split):\n%s", diff)
		}
		want.Files, got.Files, want.Layout, got.Layout = nil, nil, nil, nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("selection (-whole +split):\n%s", diff)
		}
	})
}

func TestSplitFindsDuplicates(t *testing.T) {
	src := split{list: keys("a", "b", "b", "c"), at: []int{2}}
	src.layout = "{name}"
	_, err := index.Select(context.Background(), src, nil, "", index.Filter{})
	var duplicate *index.DuplicateKeyError
	if !errors.As(err, &duplicate) || duplicate.Key != "b" {
		t.Errorf("%v", err)
	}
}

// A part of one file ends where the next one begins with a folder that the name of the file begins with.
func TestKeysThatGoOnLikeFolders(t *testing.T) {
	src := keys("b", "a/b/c", "a.x", "a/b", "a", "a/b.c/d", "a/b/")
	sel, err := index.Select(context.Background(), src, nil, "", index.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "a.x", "a/b", "a/b.c/d", "a/b/", "a/b/c", "b"}, selectedKeys(sel)); diff != "" {
		t.Error(diff)
	}
	for i := range sel.Files.Len() {
		if sel.Files.Find(sel.Files.Key(i)) != i {
			t.Errorf("Find(%q)", sel.Files.Key(i))
		}
	}
}

// What Count counts and Each yields is what Select selects.
func TestCountAndEach(t *testing.T) {
	rows := telemetryRows(300)
	src := split{list: &list{layout: index.Telemetry, rows: rows}, at: []int{100, 100, 250}}
	filter := index.Filter{Where: []index.Term{{Dimension: "appVersion", Op: index.OpGlob, Values: []string{"2*"}}, {Dimension: "reason", Op: index.OpOneOf, Values: []string{"idle-daily"}}}}
	want, err := index.Select(context.Background(), src, nil, "", filter)
	if err != nil {
		t.Fatal(err)
	}
	got, err := index.Count(context.Background(), src, nil, "", filter)
	if err != nil || got == nil || got.Files.Len() != want.Files.Len() {
		t.Fatalf("counted %+v, %v", got, err)
	}
	text := func(each func(func(index.File) error) error) (out []string) {
		if err := each(func(f index.File) error {
			out = append(out, fmt.Sprintf("%s %d %s %q", f.Key, f.Size, f.ETag, f.Dims))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	streamed := text(func(fn func(index.File) error) error { return index.Each(context.Background(), src, nil, filter, fn) })
	if diff := cmp.Diff(text(want.Files.Each), streamed); diff != "" || len(streamed) == 0 {
		t.Errorf("files (-selected +streamed):\n%s", diff)
	}
	want.Files, got.Files, want.Layout, got.Layout = nil, nil, nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("selection (-selected +counted):\n%s", diff)
	}
	if err := index.Each(context.Background(), src, nil, filter, func(index.File) error { return errDisk }); !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	slices.Reverse(rows)
	if got, err := index.Count(context.Background(), src, nil, "", filter); got != nil || err != nil {
		t.Errorf("counted a source without order: %v, %v", got, err)
	}
}
