package index

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
)

// Table holds files in key order: 20 bytes for each and the texts of its key and ETag, shortened where neighbours are alike, but no
// object that the garbage collector would have to visit. It is immutable once Select has returned it, and safe for concurrent use.
type Table struct {
	texts  arena
	refs   []ref
	sizes  []int64
	combos []uint32 // which values a row has: the number of a row of ids
	ids    []uint32 // of values, combination by combination

	dimensions []string
	values     [][]string // by dimension, by id; sorted

	unread int // how many files it would hold
}

// Unread stands for the table of n files that were not read. It tells how many they are, and nothing else.
func Unread(n int, layout *Layout) *Table {
	t := &Table{unread: n}
	if layout != nil {
		t.dimensions = layout.dimensions
	}
	return t
}

// Len is the number of files.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return max(t.unread, len(t.refs))
}

// Key is the key of file i.
func (t *Table) Key(i int) string {
	folder, name, _ := t.texts.record(t.refs[i])
	return string(folder) + string(name)
}

// AppendKey appends the key of file i.
func (t *Table) AppendKey(to []byte, i int) []byte {
	folder, name, _ := t.texts.record(t.refs[i])
	return append(append(to, folder...), name...)
}

// ETag is the ETag of file i, empty when the source knows none.
func (t *Table) ETag(i int) string { return string(t.AppendETag(nil, i)) }

// AppendETag appends the ETag of file i.
func (t *Table) AppendETag(to []byte, i int) []byte {
	_, _, packed := t.texts.record(t.refs[i])
	to, _ = AppendUnpacked(to, packed)
	return to
}

// AppendRow appends the key of file i, its size and its ETag, with a TAB between them.
func (t *Table) AppendRow(to []byte, i int) []byte {
	folder, name, packed := t.texts.record(t.refs[i])
	to = append(append(append(to, folder...), name...), '\t')
	to = append(strconv.AppendInt(to, t.sizes[i], 10), '\t')
	to, _ = AppendUnpacked(to, packed)
	return to
}

// Size is the size of file i in bytes as stored, -1 when unknown.
func (t *Table) Size(i int) int64 { return t.sizes[i] }

// Dimensions are the names of the dimensions, in the order of the layout.
func (t *Table) Dimensions() []string { return slices.Clone(t.dimensions) }

// DimensionIndex is the index of the dimension with this name, or -1.
func (t *Table) DimensionIndex(name string) int { return slices.Index(t.dimensions, name) }

// Dim is the value of dimension d of file i, as the key has it.
func (t *Table) Dim(i, d int) string { return t.values[d][t.DimID(i, d)] }

// DimID is a number for the value of dimension d of file i: two files have the same number when they have the same
// value, and the numbers have the order of the values. They mean nothing outside this table.
func (t *Table) DimID(i, d int) uint32 { return t.ids[int(t.combos[i])*len(t.dimensions)+d] }

// Dims are the values of all dimensions of file i.
func (t *Table) Dims(i int) []string {
	dims := make([]string, len(t.dimensions))
	for d := range dims {
		dims[d] = t.Dim(i, d)
	}
	return dims
}

// Combination is a number for the values of all dimensions of file i: files with the same number have the same values, but
// files with the same values may have several numbers. They are below Combinations.
func (t *Table) Combination(i int) int { return int(t.combos[i]) }

// Combinations is how many numbers Combination tells.
func (t *Table) Combinations() int {
	if len(t.dimensions) == 0 {
		return 1
	}
	return len(t.ids) / len(t.dimensions)
}

// CombinationDim is the value of dimension d in a combination.
func (t *Table) CombinationDim(combination, d int) string {
	return t.values[d][t.ids[combination*len(t.dimensions)+d]]
}

// Find is the row of a key, or -1 when the table does not hold it.
func (t *Table) Find(key string) int {
	var buf []byte
	low, high := 0, t.Len()
	for low < high {
		middle := (low + high) / 2
		buf = t.AppendKey(buf[:0], middle)
		switch cmp.Compare(string(buf), key) {
		case 0:
			return middle
		case -1:
			low = middle + 1
		default:
			high = middle
		}
	}
	return -1
}

// builder makes a Table, row by row.
type builder struct {
	texts  arena
	refs   column[ref]
	sizes  column[int64]
	combos column[uint32]
	ids    column[uint32]
	next   uint32 // the number of the next combination
}

// combination notes a combination of values and returns its number. Files in key order seldom come back to one.
func (b *builder) combination(ids []uint32) uint32 {
	for _, id := range ids {
		b.ids.add(id)
	}
	b.next++
	return b.next - 1
}

func (b *builder) add(f File, combo uint32) {
	b.refs.add(b.texts.add(f.Key, f.ETag))
	b.sizes.add(f.Size)
	b.combos.add(combo)
}

func (b *builder) rename(renamed [][]uint32) { renameIDs(&b.ids, renamed) }

// renameIDs renumbers values: renamed are the new ids by dimension and id.
func renameIDs(ids *column[uint32], renamed [][]uint32) {
	d := 0
	for _, chunk := range ids.chunks {
		for i, id := range chunk {
			chunk[i] = renamed[d][id]
			d = (d + 1) % len(renamed)
		}
	}
}

// join puts the tables of several readers together, one after the other.
func join(dimensions []string, builders []*builder) *Table {
	rows, ids := 0, 0
	for _, b := range builders {
		rows, ids = rows+b.refs.len, ids+b.ids.len
	}
	t := &Table{
		refs: make([]ref, 0, rows), sizes: make([]int64, 0, rows), combos: make([]uint32, 0, rows), ids: make([]uint32, 0, ids),
		dimensions: dimensions, values: make([][]string, len(dimensions)),
	}
	combos := uint32(0)
	for _, b := range builders {
		start := len(t.refs)
		t.refs = b.refs.appendTo(t.refs)
		t.sizes = b.sizes.appendTo(t.sizes)
		t.combos = b.combos.appendTo(t.combos)
		t.ids = b.ids.appendTo(t.ids)
		if shift := t.texts.join(&b.texts); shift > 0 || combos > 0 {
			for i := start; i < len(t.refs); i++ {
				t.refs[i] += shift
				t.combos[i] += combos
			}
		}
		combos += b.next
	}
	return t
}

// file is a row. Its texts are in buf, which is returned for the next one.
func (t *Table) file(i int, buf []byte) (File, []byte) {
	buf = t.AppendKey(buf[:0], i)
	key := len(buf)
	buf = t.AppendETag(buf, i)
	return File{Key: buf[:key], Size: t.sizes[i], ETag: buf[key:]}, buf
}

// sort orders the rows by key.
func (t *Table) sort() {
	order := make([]int32, t.Len())
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return t.compare(int(a), int(b)) })
	refs, sizes, combos := make([]ref, len(order)), make([]int64, len(order)), make([]uint32, len(order))
	for to, from := range order {
		refs[to], sizes[to], combos[to] = t.refs[from], t.sizes[from], t.combos[from]
	}
	t.refs, t.sizes, t.combos = refs, sizes, combos
}

// compare compares the keys of two rows.
func (t *Table) compare(a, b int) int {
	folderA, nameA, _ := t.texts.record(t.refs[a])
	folderB, nameB, _ := t.texts.record(t.refs[b])
	shorter := min(len(folderA), len(folderB))
	if c := bytes.Compare(folderA[:shorter], folderB[:shorter]); c != 0 {
		return c
	}
	if len(folderA) == len(folderB) {
		return bytes.Compare(nameA, nameB)
	}
	// One folder lies in the other, or a name goes on like a folder.
	var bufA, bufB [256]byte
	return bytes.Compare(t.AppendKey(bufA[:0], a), t.AppendKey(bufB[:0], b))
}

// duplicate is a key that two neighbouring rows have.
func (t *Table) duplicate() (key string, found bool) {
	for i := 1; i < t.Len(); i++ {
		if t.compare(i-1, i) == 0 {
			return t.Key(i), true
		}
	}
	return "", false
}
