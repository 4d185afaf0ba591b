package index

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// Table holds files: 24 bytes for each, 4 for each dimension of each and the texts of its key and ETag, but no object that the
// garbage collector would have to visit. It is immutable once Select has returned it, and safe for concurrent use.
type Table struct {
	texts arena
	rows  []row
	ids   []uint32 // of the values, row by row

	dimensions []string
	values     [][]string // by dimension, by id; sorted
}

type row struct {
	key, etag ref
	size      int64
}

// Len is the number of files.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return len(t.rows)
}

// Key is the key of file i.
func (t *Table) Key(i int) string { return t.texts.text(t.rows[i].key) }

// ETag is the ETag of file i, empty when the source knows none.
func (t *Table) ETag(i int) string { return t.texts.text(t.rows[i].etag) }

// Size is the size of file i in bytes as stored, -1 when unknown.
func (t *Table) Size(i int) int64 { return t.rows[i].size }

// Dimensions are the names of the dimensions, in the order of the layout.
func (t *Table) Dimensions() []string { return slices.Clone(t.dimensions) }

// DimensionIndex is the index of the dimension with this name, or -1.
func (t *Table) DimensionIndex(name string) int { return slices.Index(t.dimensions, name) }

// Dim is the value of dimension d of file i, as the key has it.
func (t *Table) Dim(i, d int) string { return t.values[d][t.DimID(i, d)] }

// DimID is a number for the value of dimension d of file i: two files have the same number when they have the same
// value, and the numbers have the order of the values. They mean nothing outside this table.
func (t *Table) DimID(i, d int) uint32 { return t.ids[i*len(t.dimensions)+d] }

// Dims are the values of all dimensions of file i.
func (t *Table) Dims(i int) []string {
	dims := make([]string, len(t.dimensions))
	for d := range dims {
		dims[d] = t.Dim(i, d)
	}
	return dims
}

// Find is the row of a key, or -1 when the table does not hold it.
func (t *Table) Find(key string) int {
	i, found := slices.BinarySearchFunc(t.rows, key, func(r row, key string) int {
		return cmp.Compare(t.texts.text(r.key), key)
	})
	if !found {
		return -1
	}
	return i
}

func newTable(dimensions []string) *Table {
	return &Table{
		dimensions: dimensions,
		values:     make([][]string, len(dimensions)),
	}
}

func (t *Table) add(f File, ids []uint32) {
	if len(t.rows) == cap(t.rows) { // append alone grows by a quarter, which copies millions of rows too often
		t.rows = slices.Grow(t.rows, max(1024, len(t.rows)))
		t.ids = slices.Grow(t.ids, len(ids)*max(1024, len(t.rows)))
	}
	t.rows = append(t.rows, row{key: t.texts.add(f.Key), etag: t.texts.add(f.ETag), size: f.Size})
	t.ids = append(t.ids, ids...)
}

func (t *Table) key(i int) []byte { return t.texts.bytes(t.rows[i].key) }

func (t *Table) file(i int) File {
	return File{Key: t.key(i), Size: t.rows[i].size, ETag: t.texts.bytes(t.rows[i].etag)}
}

// sort orders the rows by key.
func (t *Table) sort() {
	order := make([]int, t.Len())
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(t.key(a), t.key(b)) })
	rows, ids, width := make([]row, 0, len(t.rows)), make([]uint32, 0, len(t.ids)), len(t.dimensions)
	for _, i := range order {
		rows = append(rows, t.rows[i])
		ids = append(ids, t.ids[i*width:(i+1)*width]...)
	}
	t.rows, t.ids = rows, ids
}

// duplicate is a key that two neighbouring rows have.
func (t *Table) duplicate() (key string, found bool) {
	for i := 1; i < t.Len(); i++ {
		if bytes.Equal(t.key(i-1), t.key(i)) {
			return strings.Clone(t.Key(i)), true
		}
	}
	return "", false
}
