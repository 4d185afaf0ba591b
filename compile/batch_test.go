package compile_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// files is an index in memory: sizes by key.
type files map[string]int64

func (f files) String() string                           { return "memory:" }
func (f files) Revision(context.Context) (string, error) { return fmt.Sprint(len(f)), nil }
func (f files) Layout() string                           { return "" }
func (f files) Root() string                             { return "file:///data" }
func (f files) Close() error                             { return nil }
func (f files) Scan(_ context.Context, fn func(index.File) error) error {
	for _, key := range slices.Sorted(maps.Keys(f)) {
		if err := fn(index.File{Key: []byte(key), Size: f[key], ETag: []byte("v1")}); err != nil {
			return err
		}
	}
	return nil
}

func selection(t interface{ Fatal(...any) }, f files, layout string) *index.Selection {
	var l *index.Layout
	if layout != "" {
		var err error
		if l, err = index.ParseLayout(layout); err != nil {
			t.Fatal(err)
		}
	}
	sel, err := index.Select(context.Background(), f, l, "", index.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return sel
}

const dayLayout = "{day:date}/{name}.{rest}"

func drawFiles(t *rapid.T) files {
	f := files{}
	for range rapid.IntRange(0, 300).Draw(t, "files") {
		f[rapid.StringMatching(`2014030[1-5]/[a-z]{1,6}\.log`).Draw(t, "key")] = rapid.Int64Range(0, 1000).Draw(t, "size")
	}
	return f
}

// byName is the keys of each batch.
func byName(sel *index.Selection, limit lang.Batch) map[string][]string {
	m := map[string][]string{}
	batches, _ := compile.Batches(sel.Files.Survey(), []int{0}, limit, true)
	for _, b := range batches {
		for _, row := range b.Files {
			m[b.Name()] = append(m[b.Name()], sel.Files.Key(int(row)))
		}
	}
	return m
}

func TestBatchesHoldEveryFileOnceWithinTheLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFiles(t)
		limit := lang.Batch{MaxFiles: rapid.IntRange(1, 50).Draw(t, "max_files"), MaxSize: rapid.Int64Range(1, 20_000).Draw(t, "max_size")}
		sel := selection(t, f, dayLayout)
		seen := map[string]int{}
		for name, keys := range byName(sel, limit) {
			var size int64
			for _, key := range keys {
				seen[key]++
				size += f[key]
				if key[:8] != name[:8] {
					t.Fatalf("batch %s holds %s of another day", name, key)
				}
			}
			if len(keys) > 1 && (len(keys) > limit.MaxFiles || size > limit.MaxSize) {
				t.Fatalf("batch %s has %d files and %d bytes, over %+v", name, len(keys), size, limit)
			}
			if !slices.IsSorted(keys) {
				t.Fatalf("batch %s is not in key order", name)
			}
		}
		for key := range f {
			if seen[key] != 1 {
				t.Fatalf("%s is in %d batches", key, seen[key])
			}
		}
		if len(seen) != len(f) {
			t.Fatalf("%d files in batches, %d in the index", len(seen), len(f))
		}
	})
}

// One more file changes one batch or splits one in two; one more day changes only that day. Taking it away again undoes it.
func TestBatchesAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFiles(t)
		limit := lang.Batch{MaxFiles: rapid.IntRange(1, 20).Draw(t, "max_files"), MaxSize: 1 << 40}
		before := byName(selection(t, f, dayLayout), limit)
		key := rapid.StringMatching(`2014030[1-9]/[a-z]{7}\.log`).Draw(t, "new file")
		more := maps.Clone(f)
		more[key] = 1
		after := byName(selection(t, more, dayLayout), limit)

		changed := 0
		for name, keys := range after {
			if !slices.Equal(before[name], keys) {
				changed++
				if name[:8] != key[:8] {
					t.Fatalf("a new file of %s changed batch %s", key[:8], name)
				}
			}
		}
		if changed < 1 || changed > 2 {
			t.Fatalf("one new file changed %d batches", changed)
		}
	})
}
