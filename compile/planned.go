package compile

import (
	"context"
	"sync"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/lang"
)

// reading is what one filter asks of its index.
type reading struct {
	w      World
	index  *lang.Index
	layout *index.Layout // nil: what the source says
	root   string
	filter index.Filter
	stages []*lang.Stage // that read the files
}

// whole reads the selected files.
func (rd *reading) whole(ctx context.Context, src index.Source) (*index.Selection, error) {
	return index.Select(ctx, src, rd.layout, rd.root, rd.filter)
}

// each reads the selected files of a source that lists them in key order.
func (rd *reading) each(ctx context.Context, fn func(index.File) error) error {
	src, err := rd.w.OpenIndex(rd.index)
	if err != nil {
		return err
	}
	defer src.Close()
	return index.Each(ctx, src, rd.layout, rd.filter, fn)
}

// planned finds what plans need of the selected files: their batches. When an earlier plan found them and the index is what it was, they
// are remembered, and the index is not read.
func (rd *reading) planned(ctx context.Context, src index.Source) (*index.Selection, map[addr.Stage]*Batched, error) {
	again := sync.OnceValues(func() (*index.Table, error) {
		src, err := rd.w.OpenIndex(rd.index)
		if err != nil {
			return nil, err
		}
		defer src.Close()
		sel, err := rd.whole(ctx, src)
		if err != nil {
			return nil, err
		}
		return sel.Files, nil
	})
	key := rd.memoryKey(ctx, src)
	if sel, batches, ok := rd.recall(key); ok {
		return sel, rd.batched(sel, batches, nil, again), nil
	}
	sel, survey, err := index.SelectSurvey(ctx, src, rd.layout, rd.root, rd.filter)
	if err != nil {
		return nil, nil, err
	}
	if survey == nil {
		if sel, err = rd.whole(ctx, src); err != nil {
			return nil, nil, err
		}
	}
	table := sel.Files
	kept := survey == nil
	if kept {
		survey = table.Survey()
	}
	batches := make([][]Batch, len(rd.stages))
	for i, s := range rd.stages {
		var twins bool
		batches[i], twins = Batches(survey, groupBy(s, sel.Layout), s.Batch, kept)
		if twins && !kept {
			// The same key twice, or one of the very few pairs of keys with the same hash.
			if _, err := rd.whole(ctx, src); err != nil {
				return nil, nil, err
			}
		}
	}
	if !kept {
		table = nil
	}
	if key != "" && rd.memoryKey(ctx, src) == key {
		rd.remember(key, sel, batches)
	}
	return sel, rd.batched(sel, batches, table, again), nil
}

func (rd *reading) batched(sel *index.Selection, batches [][]Batch, table *index.Table, read func() (*index.Table, error)) map[addr.Stage]*Batched {
	out := map[addr.Stage]*Batched{}
	for i, s := range rd.stages {
		out[s.Addr()] = &Batched{batches: batches[i], groupBy: groupBy(s, sel.Layout), limit: s.Batch, table: table, read: read}
	}
	return out
}
