package compile

import (
	"cmp"
	"slices"
	"strings"

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
	rows := hashRows(files, groupBy)
	var out []Batch
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && rows[end].group == rows[start].group {
			end++
		}
		t := trie{files: files, limit: limit, group: rows[start].group, out: &out}
		t.split(rows[start:end], 0)
		start = end
	}
	return out
}

type row struct {
	group string
	hash  uint64
	file  int32
}

// hashRows sorts all files by group and hash, so that every node of a group's trie is a run of adjacent rows.
func hashRows(files *index.Table, groupBy []int) []row {
	rows := make([]row, files.Len())
	names := map[string]string{} // one string per group, not per row
	var buf []byte
	for i := range rows {
		group := ""
		if len(groupBy) > 0 {
			buf = appendGroup(buf[:0], files, i, groupBy)
			var ok bool
			if group, ok = names[string(buf)]; !ok {
				group = string(buf)
				names[group] = group
			}
		}
		rows[i] = row{group: group, hash: xxhash.Sum64String(files.Key(i)), file: int32(i)}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(strings.Compare(a.group, b.group), cmp.Compare(a.hash, b.hash), cmp.Compare(a.file, b.file))
	})
	return rows
}

func appendGroup(buf []byte, files *index.Table, row int, groupBy []int) []byte {
	for n, d := range groupBy {
		if n > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, files.Dim(row, d)...)
	}
	return buf
}

type trie struct {
	files *index.Table
	limit lang.Batch
	group string
	path  [hashBits]byte
	out   *[]Batch
}

// split makes a batch of the rows of one node, or splits the node by the next bit of the hash.
func (t *trie) split(rows []row, depth int) {
	if len(rows) == 0 {
		return
	}
	bytes := t.bytes(rows)
	if depth == hashBits || len(rows) == 1 || len(rows) <= t.limit.MaxFiles && bytes <= t.limit.MaxSize {
		t.leaf(rows, depth, bytes)
		return
	}
	bit := uint64(1) << (hashBits - 1 - depth)
	middle, _ := slices.BinarySearchFunc(rows, bit, func(r row, bit uint64) int {
		return cmp.Compare(r.hash&bit, bit)
	})
	t.path[depth] = '0'
	t.split(rows[:middle], depth+1)
	t.path[depth] = '1'
	t.split(rows[middle:], depth+1)
}

func (t *trie) leaf(rows []row, depth int, bytes int64) {
	files := make([]int32, len(rows))
	for i, r := range rows {
		files[i] = r.file
	}
	slices.Sort(files)
	*t.out = append(*t.out, Batch{Group: t.group, Path: string(t.path[:depth]), Files: files, Bytes: bytes})
}

func (t *trie) bytes(rows []row) int64 {
	var sum int64
	for _, r := range rows {
		sum += max(0, t.files.Size(int(r.file)))
	}
	return sum
}
