package columns

import "github.com/tafc/tafc/index"

// Reader puts the dimensions of files together: some from columns, the others from the key. It is not safe for concurrent use.
type Reader struct {
	layout *index.Layout
	column []bool // by dimension: a column has it
	whole  bool   // columns have all
	keys   [][]byte
	dims   [][]byte
}

// NewReader returns the reader of a mapping.
func NewReader(m *Mapping) *Reader {
	n := len(m.Dims)
	r := &Reader{layout: m.Layout, whole: m.Layout != nil, column: make([]bool, n), keys: make([][]byte, n), dims: make([][]byte, n)}
	for d, column := range m.Dims {
		r.column[d] = column != ""
		r.whole = r.whole && column != ""
	}
	return r
}

// Whole tells whether columns have all dimensions.
func (r *Reader) Whole() bool { return r.whole }

// Dims are the values of a file's dimensions, given those of the columns (Mapping.Columns) in their order; valid until the next call. Nil
// means that columns have none of them, or that the key does not fit the layout: then only the key tells.
func (r *Reader) Dims(key []byte, values [][]byte) [][]byte {
	if r.layout == nil || !r.whole && !r.layout.Match(key, r.keys) {
		return nil
	}
	next := 0
	for d := range r.dims {
		if r.dims[d] = r.keys[d]; r.column[d] {
			r.dims[d] = values[next]
			next++
		}
	}
	return r.dims
}

// Columns are the columns that have dimensions, in the order of the layout.
func (m *Mapping) Columns() []string {
	var list []string
	for _, column := range m.Dims {
		if column != "" {
			list = append(list, column)
		}
	}
	return list
}
