package compile

import (
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// Batch is the files of one map task. Which files share a batch depends only on the set of files: inside a group they are
// the leaves of a binary trie over a hash of the key, split where a node holds more than a task may read. So a new file
// changes one batch, or splits one in two, and a batch keeps its name as long as its trie node stays a leaf.
type Batch struct {
	Group string  // values of the group_by dimensions, joined by commas; empty without any
	Path  string  // trie path, a text of 0 and 1; empty when the group is one batch
	Files []int32 // rows of the selection's table, in key order
	Bytes int64   // stored size; files of unknown size count nothing
}

// Name is the batch's part of its task's address: 20140308/0110.
func (b *Batch) Name() string {
	switch {
	case b.Group == "" && b.Path == "":
		return "all"
	case b.Group == "":
		return b.Path
	case b.Path == "":
		return b.Group
	}
	return b.Group + "/" + b.Path
}

// hashBits is the depth of the trie: two files whose whole hashes are equal stay together.
const hashBits = 64

// Batches splits the files of a table. groupBy are indexes of dimensions. Batches come sorted by group and path.
func Batches(files *index.Table, groupBy []int, limit lang.Batch) []Batch {
	names, groupOf := groups(files, groupBy)
	rows, starts := rowsByGroup(files, groupOf, len(names))
	batches := make([][]Batch, len(names))
	parallel(len(names), 1, func(from, to int) {
		for g := from; g < to; g++ {
			group := rows[starts[g]:starts[g+1]]
			t := trie{files: files, limit: limit, group: names[g], spare: make([]int32, 0, len(group))}
			t.split(group, 0)
			batches[g] = t.out
		}
	})
	return slices.Concat(batches...)
}

// groups are the sorted names of the groups, and the group of each combination of values.
func groups(files *index.Table, groupBy []int) (names []string, of []int32) {
	of = make([]int32, files.Combinations())
	known := map[string]int32{}
	var buf []byte
	for c := range of {
		buf = appendGroup(buf[:0], files, c, groupBy)
		g, ok := known[string(buf)]
		if !ok {
			g = int32(len(names))
			names = append(names, string(buf))
			known[names[g]] = g
		}
		of[c] = g
	}
	unsorted := slices.Clone(names)
	slices.Sort(names)
	for i, name := range names {
		known[name] = int32(i)
	}
	for c, g := range of {
		of[c] = known[unsorted[g]]
	}
	return names, of
}

func appendGroup(buf []byte, files *index.Table, combination int, groupBy []int) []byte {
	for n, d := range groupBy {
		if n > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, files.CombinationDim(combination, d)...)
	}
	return buf
}

type row struct {
	hash uint64
	file int32
}

// rowsByGroup are all files group by group: those of group g are from starts[g] up to starts[g+1].
func rowsByGroup(files *index.Table, groupOf []int32, groups int) (rows []row, starts []int) {
	starts = make([]int, groups+1)
	for i := range files.Len() {
		starts[groupOf[files.Combination(i)]+1]++
	}
	for g := range groups {
		starts[g+1] += starts[g]
	}
	rows = make([]row, files.Len())
	next := slices.Clone(starts)
	for i := range files.Len() {
		g := groupOf[files.Combination(i)]
		rows[next[g]].file = int32(i)
		next[g]++
	}
	parallel(len(rows), 1<<13, func(from, to int) {
		var key []byte
		for i := from; i < to; i++ {
			key = files.AppendKey(key[:0], int(rows[i].file))
			rows[i].hash = xxhash.Sum64(key)
		}
	})
	return rows, starts
}

// trie splits one group.
type trie struct {
	files *index.Table
	limit lang.Batch
	group string
	path  [hashBits]byte
	spare []int32 // room for the files of all batches
	out   []Batch
}

// split makes a batch of the rows of one node, or splits the node by the next bit of the hash.
func (t *trie) split(rows []row, depth int) {
	if len(rows) == 0 {
		return
	}
	last := depth == hashBits || len(rows) == 1
	if last || len(rows) <= t.limit.MaxFiles {
		if bytes := t.bytes(rows); last || bytes <= t.limit.MaxSize {
			t.leaf(rows, depth, bytes)
			return
		}
	}
	middle := partition(rows, uint64(1)<<(hashBits-1-depth))
	t.path[depth] = '0'
	t.split(rows[:middle], depth+1)
	t.path[depth] = '1'
	t.split(rows[middle:], depth+1)
}

// partition moves the rows whose hash has the bit behind the others, and tells where they begin.
func partition(rows []row, bit uint64) int {
	low, high := 0, len(rows)
	for low < high {
		if rows[low].hash&bit == 0 {
			low++
			continue
		}
		high--
		rows[low], rows[high] = rows[high], rows[low]
	}
	return low
}

func (t *trie) leaf(rows []row, depth int, bytes int64) {
	start := len(t.spare)
	for _, r := range rows {
		t.spare = append(t.spare, r.file)
	}
	files := t.spare[start:len(t.spare):len(t.spare)]
	slices.Sort(files)
	t.out = append(t.out, Batch{Group: t.group, Path: string(t.path[:depth]), Files: files, Bytes: bytes})
}

func (t *trie) bytes(rows []row) int64 {
	var sum int64
	for _, r := range rows {
		sum += max(0, t.files.Size(int(r.file)))
	}
	return sum
}
