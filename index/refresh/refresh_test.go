package refresh_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/refresh"
)

// stored is a bucket in memory: when each key was stored.
type stored map[string]int64

func (s stored) String() string                           { return "s3://memory" }
func (s stored) Layout() string                           { return "" }
func (s stored) Root() string                             { return "s3://memory/" }
func (s stored) Close() error                             { return nil }
func (s stored) Revision(context.Context) (string, error) { return "", nil }

func (s stored) Scan(ctx context.Context, fn func(index.File) error) error {
	return s.ScanPrefix(ctx, "", fn)
}

func (s stored) ScanPrefix(_ context.Context, prefix string, fn func(index.File) error) error {
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if strings.HasPrefix(key, prefix) {
			if err := fn(index.File{Key: []byte(key), Size: 1, ETag: fmt.Append(nil, s[key]), Modified: s[key]}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s stored) ScanFolders(ctx context.Context, visit func(string) index.Visit, fn func(index.File) error) error {
	wanted := func(key string) bool {
		for at, c := range key {
			if c == '/' {
				if v := visit(key[:at+1]); v != index.VisitInside {
					return v == index.VisitAll
				}
			}
		}
		return true
	}
	return s.Scan(ctx, func(f index.File) error {
		if !wanted(string(f.Key)) {
			return nil
		}
		return fn(f)
	})
}

// earlier is what a listing left.
type earlier struct {
	stored
	folders map[string]index.Folder
}

func (e earlier) Folders(context.Context) (map[string]index.Folder, error) { return e.folders, nil }

func list(t interface{ Fatal(...any) }, src *refresh.Source) stored {
	got, last := stored{}, ""
	err := src.Scan(context.Background(), func(f index.File) error {
		if string(f.Key) <= last {
			return fmt.Errorf("%s comes after %s", f.Key, last)
		}
		last = string(f.Key)
		var at int64
		_, err := fmt.Sscan(string(f.ETag), &at)
		got[last] = at
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

const day = 24 * 60 * 60

// TestRecentMissesOnlyQuietFolders: after any changes, a listing of what is recent differs from a whole one only in folders
// that were quiet and still are there.
func TestRecentMissesOnlyQuietFolders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3).Draw(t, "folders"), "/") + "/" + rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name")
		})
		before := stored{}
		for _, k := range rapid.SliceOf(key).Draw(t, "before") {
			before[strings.TrimPrefix(k, "/")] = rapid.Int64Range(0, 20).Draw(t, "day") * day
		}
		first, err := refresh.New(before, nil, refresh.Options{Now: time.Unix(20*day, 0)})
		if err != nil {
			t.Fatal(err)
		}
		list(t, first)
		after := maps.Clone(before)
		for _, k := range rapid.SliceOf(key).Draw(t, "changed") {
			after[strings.TrimPrefix(k, "/")] = 21 * day
		}
		for _, k := range rapid.SliceOf(key).Draw(t, "removed") {
			delete(after, strings.TrimPrefix(k, "/"))
		}
		second, err := refresh.New(after, earlier{before, first.Folders()}, refresh.Options{Quiet: 7 * day * time.Second, Now: time.Unix(22*day, 0)})
		if err != nil {
			t.Fatal(err)
		}
		got := list(t, second)
		folder := func(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }
		var lists []string
		for k := range maps.Keys(before) {
			lists = append(lists, k)
		}
		for _, k := range append(lists, slices.Collect(maps.Keys(after))...) {
			known := first.Folders()[folder(k)]
			quiet := known.Listed != 0 && known.Listed-known.Newest >= 7*day && folder(k) != ""
			for up := range first.Folders() { // and it has no folder in it, and lies in no quiet one
				quiet = quiet && (up == folder(k) || !strings.HasPrefix(up, folder(k)))
				leaf := !slices.ContainsFunc(slices.Collect(maps.Keys(first.Folders())), func(o string) bool { return o != up && strings.HasPrefix(o, up) })
				if known.Listed == 0 && up != "" && leaf && strings.HasPrefix(folder(k), up) && first.Folders()[up].Listed-first.Folders()[up].Newest >= 7*day {
					quiet = true
				}
			}
			if !quiet && got[k] != after[k] {
				t.Fatalf("%s: %d, want %d; its folder is not quiet", k, got[k], after[k])
			}
			if _, there := got[k]; quiet && there && got[k] != before[k] {
				t.Fatalf("%s: %d, want %d, as before", k, got[k], before[k])
			}
		}
		third, err := refresh.New(after, earlier{got, second.Folders()}, refresh.Options{Now: time.Unix(23*day, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(after, list(t, third)); diff != "" {
			t.Fatalf("a whole listing afterwards (-want +got):\n%s", diff)
		}
	})
}

func TestChanged(t *testing.T) {
	before := stored{"a/1": 1, "a/2": 1, "b/1": 1, "c": 1}
	after := stored{"a/1": 2, "a/3": 2, "b/1": 2, "c": 2, "d/1": 2}
	for _, test := range []struct {
		changed []string
		want    stored
	}{
		{[]string{"a/"}, stored{"a/1": 2, "a/3": 2, "b/1": 1, "c": 1}},
		{[]string{"d/", "a/3", "a/"}, stored{"a/1": 2, "a/3": 2, "b/1": 1, "c": 1, "d/1": 2}},
		{[]string{""}, after},
		{[]string{"nothing"}, before},
	} {
		first, err := refresh.New(before, nil, refresh.Options{Now: time.Unix(5, 0)})
		if err != nil {
			t.Fatal(err)
		}
		list(t, first)
		src, err := refresh.New(after, earlier{before, first.Folders()}, refresh.Options{Changed: test.changed, Now: time.Unix(9, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, list(t, src)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.changed, diff)
		}
	}
}
