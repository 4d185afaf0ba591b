package index

import (
	"context"
	"fmt"
)

// Count is Select without the files: the Selection's Files only say how many there are. It is nil when the source is one that Select reads
// better (see SelectSurvey), or does not list its files in key order.
func Count(ctx context.Context, src Source, layout *Layout, root string, f Filter) (*Selection, error) {
	splitter, ok := src.(Splitter)
	if !ok || f.Limit > 0 {
		return nil, nil
	}
	layout, err := layoutOf(src, layout)
	if err != nil || layout == nil {
		return nil, err
	}
	s, err := selectParts(ctx, splitter, layout, f, func() sink { return new(counter) })
	if err != nil || !s.sorted {
		return nil, err
	}
	s.count()
	files := 0
	for _, rows := range append(s.earlier, s.rows) {
		files += int(*rows.(*counter))
	}
	revision, root, err := s.place(ctx, src, root)
	if err != nil {
		return nil, err
	}
	return s.selection(revision, root, Unread(files, layout)), nil
}

// counter only counts the files that match.
type counter int

func (c *counter) combination([]uint32) uint32 { return 0 }
func (c *counter) add(File, uint32)            { *c++ }
func (c *counter) rename([][]uint32)           {}

// Each calls fn for the files that Count counted, in key order, with the values of their dimensions. It holds one file at a time, and stops at the
// first error of fn.
func Each(ctx context.Context, src Source, layout *Layout, f Filter, fn func(File) error) error {
	layout, err := layoutOf(src, layout)
	if err != nil {
		return err
	}
	to := &caller{fn: fn}
	s, err := newSelector(src.String(), layout, f, to)
	if err != nil {
		return err
	}
	err = scan(ctx, src.String(), src.Scan, func(f File) error {
		if to.dims = f.Dims; to.dims == nil {
			to.dims = s.values
		}
		if err := s.add(f); err != nil {
			return err
		}
		return to.err
	})
	if err == nil && !s.sorted {
		err = fmt.Errorf("read index %s: it has changed while it was read", src)
	}
	return err
}

// caller calls a function for each file that matches.
type caller struct {
	fn   func(File) error
	dims [][]byte
	err  error
}

func (c *caller) combination([]uint32) uint32 { return 0 }
func (c *caller) rename([][]uint32)           {}

func (c *caller) add(f File, _ uint32) {
	f.Dims = c.dims
	c.err = c.fn(f)
}

// Each calls fn for all files of a table, in key order, with the values of their dimensions. It stops at the first error of fn.
func (t *Table) Each(fn func(File) error) error {
	var f File
	var buf []byte
	dims := make([][]byte, len(t.dimensions))
	for i := range t.Len() {
		f, buf = t.file(i, buf)
		for d := range dims {
			dims[d] = append(dims[d][:0], t.Dim(i, d)...)
		}
		f.Dims = dims
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}
