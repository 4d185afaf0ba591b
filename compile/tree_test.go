package compile_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tafc/tafc/compile"
)

// drawBatches draws the leaves of some groups' tries.
func drawBatches(t *rapid.T) (groups, paths []string) {
	var split func(group, path string, depth int)
	split = func(group, path string, depth int) {
		if depth == 0 || rapid.IntRange(0, 4).Draw(t, "leaf") == 0 {
			groups, paths = append(groups, group), append(paths, path)
			return
		}
		split(group, path+"0", depth-1)
		split(group, path+"1", depth-1)
	}
	for day := range rapid.IntRange(1, 6).Draw(t, "days") {
		split(fmt.Sprintf("2014030%d", day+1), "", rapid.IntRange(0, 5).Draw(t, "depth"))
	}
	return groups, paths
}

func TestTreeStandsForEveryBatchOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups, paths := drawBatches(t)
		fanIn := rapid.IntRange(2, 9).Draw(t, "fan_in")
		root, inner := compile.SumTree(groups, paths, fanIn)
		seen := map[string]int{}
		var walk func(names []string)
		walk = func(names []string) {
			if len(names) > fanIn {
				t.Fatalf("%d inputs, fan_in is %d", len(names), fanIn)
			}
			for _, n := range names {
				if below, ok := inner[n]; ok {
					walk(below)
					delete(inner, n)
					continue
				}
				seen[n]++
			}
		}
		walk(root)
		for i := range groups {
			name := (&compile.Batch{Group: groups[i], Path: paths[i]}).Name()
			if seen[name] != 1 {
				t.Fatalf("%s stands %d times in the tree", name, seen[name])
			}
		}
		if len(inner) > 0 {
			t.Fatalf("%d nodes feed nobody", len(inner))
		}
	})
}

// A new day changes only the nodes above it.
func TestTreeIsStable(t *testing.T) {
	var groups, paths []string
	for day := 1; day <= 9; day++ {
		for path := range 32 {
			groups, paths = append(groups, fmt.Sprintf("2014030%d", day)), append(paths, fmt.Sprintf("%05b", path))
		}
	}
	_, before := compile.SumTree(groups, paths, 8)
	_, after := compile.SumTree(append(slices.Clone(groups), "20140310"), append(slices.Clone(paths), ""), 8)
	changed := 0
	for name, inputs := range after {
		if !slices.Equal(before[name], inputs) {
			changed++
		}
	}
	if changed > 4 {
		t.Errorf("a new day changed %d of %d nodes", changed, len(after))
	}
}
