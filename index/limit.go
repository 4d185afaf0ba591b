package index

import (
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// limit keeps n files at most: those whose keys have the smallest hashes. So it is a sample of all that match, it does not depend on
// the order of the source, and one new file takes the place of one other at most.
func (sel *Selection) limit(n int) {
	if n <= 0 {
		return
	}
	if sel.Files.Len() > n {
		sel.Files = sel.Files.keep(sel.Files.smallest(n))
		sel.Bytes = 0
		for _, size := range sel.Files.sizes {
			sel.Bytes += max(size, 0)
		}
	}
	sel.Funnel = append(sel.Funnel, Step{Dimension: "limit", Left: sel.Files.Len()})
}

// smallest are the n rows whose keys have the smallest hashes, in key order.
func (t *Table) smallest(n int) []int32 {
	type hashed struct {
		hash uint64
		row  int32
	}
	all := make([]hashed, t.Len())
	var buf []byte
	for i := range all {
		// Not the hash that batches are made by: all files would share the beginning of their paths.
		buf = t.AppendKey(append(buf[:0], "limit\x00"...), i)
		all[i] = hashed{xxhash.Sum64(buf), int32(i)}
	}
	slices.SortFunc(all, func(a, b hashed) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row)) })
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = all[i].row
	}
	slices.Sort(rows)
	return rows
}

// keep is a table of some rows, given in key order.
func (t *Table) keep(rows []int32) *Table {
	out := *t
	out.refs, out.sizes, out.combos = make([]ref, len(rows)), make([]int64, len(rows)), make([]uint32, len(rows))
	for to, from := range rows {
		out.refs[to], out.sizes[to], out.combos[to] = t.refs[from], t.sizes[from], t.combos[from]
	}
	return &out
}
