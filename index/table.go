package index

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// Table holds files in columns: about 60 bytes a file and the texts of its key and ETag, and no object for each. It is immutable
// once Select has returned it, and safe for concurrent use.
type Table struct {
	texts arena
	keys  []ref
	etags []ref
	sizes []int64
	ids   [][]uint32 // by dimension, by row

	dimensions []string
	values     [][]string // by dimension, by id; sorted
}

// Len is the number of files.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return len(t.keys)
}

// Key is the key of file i.
func (t *Table) Key(i int) string { return t.texts.text(t.keys[i]) }

// ETag is the ETag of file i, empty when the source knows none.
func (t *Table) ETag(i int) string { return t.texts.text(t.etags[i]) }

// Size is the size of file i in bytes as stored, -1 when unknown.
func (t *Table) Size(i int) int64 { return t.sizes[i] }

// Dimensions are the names of the dimensions, in the order of the layout.
func (t *Table) Dimensions() []string { return slices.Clone(t.dimensions) }

// DimensionIndex is the index of the dimension with this name, or -1.
func (t *Table) DimensionIndex(name string) int { return slices.Index(t.dimensions, name) }

// Dim is the value of dimension d of file i, as the key has it.
func (t *Table) Dim(i, d int) string { return t.values[d][t.ids[d][i]] }

// DimID is a number for the value of dimension d of file i: two files have the same number when they have the same
// value, and the numbers have the order of the values. They mean nothing outside this table.
func (t *Table) DimID(i, d int) uint32 { return t.ids[d][i] }

// Dims are the values of all dimensions of file i.
func (t *Table) Dims(i int) []string {
	dims := make([]string, len(t.ids))
	for d := range t.ids {
		dims[d] = t.Dim(i, d)
	}
	return dims
}

// Find is the row of a key, or -1 when the table does not hold it.
func (t *Table) Find(key string) int {
	i, found := slices.BinarySearchFunc(t.keys, key, func(at ref, key string) int {
		return cmp.Compare(t.texts.text(at), key)
	})
	if !found {
		return -1
	}
	return i
}

func newTable(dimensions []string) *Table {
	return &Table{
		dimensions: dimensions,
		ids:        make([][]uint32, len(dimensions)),
		values:     make([][]string, len(dimensions)),
	}
}

func (t *Table) add(f File, ids []uint32) {
	t.keys = append(t.keys, t.texts.add(f.Key))
	t.etags = append(t.etags, t.texts.add(f.ETag))
	t.sizes = append(t.sizes, f.Size)
	for d, id := range ids {
		t.ids[d] = append(t.ids[d], id)
	}
}

func (t *Table) file(i int) File {
	return File{Key: t.texts.bytes(t.keys[i]), Size: t.sizes[i], ETag: t.texts.bytes(t.etags[i])}
}

// sort orders the rows by key.
func (t *Table) sort() {
	order := make([]uint32, t.Len())
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return bytes.Compare(t.texts.bytes(t.keys[a]), t.texts.bytes(t.keys[b]))
	})
	t.keys = permute(t.keys, order)
	t.etags = permute(t.etags, order)
	t.sizes = permute(t.sizes, order)
	for d := range t.ids {
		t.ids[d] = permute(t.ids[d], order)
	}
}

func permute[T any](column []T, order []uint32) []T {
	out := make([]T, len(column))
	for i, from := range order {
		out[i] = column[from]
	}
	return out
}

// duplicate is a key that two neighbouring rows have.
func (t *Table) duplicate() (key string, found bool) {
	for i := 1; i < t.Len(); i++ {
		if bytes.Equal(t.texts.bytes(t.keys[i-1]), t.texts.bytes(t.keys[i])) {
			return strings.Clone(t.Key(i)), true
		}
	}
	return "", false
}
