package index

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// UnknownDimensionError says that a filter names a dimension that the layout does not have.
type UnknownDimensionError struct {
	Name  string
	Known []string
}

func (e *UnknownDimensionError) Error() string {
	return fmt.Sprintf("there is no dimension %q; the dimensions are %s", e.Name, strings.Join(e.Known, ", "))
}

// NoLayoutError says that a filter has conditions and nothing tells what the dimensions of the files are.
type NoLayoutError struct {
	Source    string
	Dimension string // the first that the filter names
}

func (e *NoLayoutError) Error() string {
	return fmt.Sprintf("the filter names the dimension %q, but the files of %s have no dimensions: the index records no layout and the keys fit none of the built-in ones; %s", e.Dimension, e.Source, layoutHelp())
}

// NoColumnsError says that a layout names columns of a table and the source has none.
type NoColumnsError struct {
	Source string
	Layout *Layout
}

func (e *NoColumnsError) Error() string {
	return fmt.Sprintf("the layout %s takes the dimensions from columns of a table, and %s has no such columns; write a layout that reads them out of the keys, such as {country}/{day:date}/{rest}", e.Layout, e.Source)
}

// DuplicateKeyError says that a source lists a key twice.
type DuplicateKeyError struct {
	Source string
	Key    string
}

func (e *DuplicateKeyError) Error() string {
	return fmt.Sprintf("%s lists the key %q twice; the keys of an index must be unique", e.Source, e.Key)
}

// Select reads the source once and selects the files that the filter asks for. Layout nil means the one that the source
// recorded, else the built-in that at least half of the keys fit, else none; an empty root means that of the source.
//
// What it returns does not depend on the order in which the source lists its files. Wrong input is an *UnknownDimensionError,
// a *NoLayoutError, a *ConditionError, a *LayoutError or a *DuplicateKeyError; among files that do not match, a duplicate
// is noticed only when the source lists the two one after the other.
func Select(ctx context.Context, src Source, layout *Layout, root string, f Filter) (*Selection, error) {
	layout, err := layoutOf(src, layout)
	if err != nil {
		return nil, err
	}
	var s *selector
	pruner, live := src.(Pruner)
	switch {
	case live:
		s, err = selectPruned(ctx, pruner, layout, f)
	case layout != nil:
		s, err = selectKnown(ctx, src, layout, f)
	default:
		s, err = selectDetected(ctx, src, f)
	}
	if err != nil {
		return nil, err
	}
	return s.finish(ctx, src, root)
}

// layoutOf is the layout to use when that is known before reading, else nil.
func layoutOf(src Source, layout *Layout) (*Layout, error) {
	if layout != nil && layout.columns && layout.String() != src.Layout() {
		return nil, &NoColumnsError{Source: src.String(), Layout: layout}
	}
	if layout != nil || src.Layout() == "" {
		return layout, nil
	}
	layout, err := ParseLayout(src.Layout())
	if err != nil {
		return nil, fmt.Errorf("layout that %s recorded: %w", src, err)
	}
	return layout, nil
}

func selectKnown(ctx context.Context, src Source, layout *Layout, f Filter) (*selector, error) {
	if splitter, ok := src.(Splitter); ok {
		return selectParts(ctx, splitter, layout, f, func() sink { return &builder{} })
	}
	s, err := newSelector(src.String(), layout, f, &builder{})
	if err != nil {
		return nil, err
	}
	s.ofSource = layout.String() == src.Layout()
	return s, scan(ctx, src.String(), src.Scan, s.add)
}

// selectParts reads the parts of a source at the same time.
func selectParts(ctx context.Context, src Splitter, layout *Layout, f Filter, rows func() sink) (*selector, error) {
	s, err := newSelector(src.String(), layout, f, rows())
	if err != nil {
		return nil, err
	}
	s.ofSource = layout.String() == src.Layout()
	parts, err := src.Split(ctx, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, fmt.Errorf("read index %s: %w", src, err)
	}
	selectors := []*selector{s}
	for range parts[1:] {
		next, err := newSelector(src.String(), layout, f, rows())
		if err != nil {
			return nil, err
		}
		next.ofSource = s.ofSource
		selectors = append(selectors, next)
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, part := range parts {
		group.Go(func() error { return scan(ctx, src.String(), part, selectors[i].add) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, next := range selectors[1:] {
		if err := s.merge(next); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// selectDetected keeps all files until all are seen, because what the last ones look like can decide about the first ones.
// It holds no more than a filter would that matches everything.
func selectDetected(ctx context.Context, src Source, f Filter) (*selector, error) {
	rows, detector := &builder{}, NewDetector()
	err := scan(ctx, src.String(), src.Scan, func(f File) error {
		detector.Add(f.Key)
		rows.add(f, 0)
		return nil
	})
	if err != nil {
		return nil, err
	}
	layout, _ := detector.Layout()
	s, err := newSelector(src.String(), layout, f, &builder{})
	if err != nil {
		return nil, err
	}
	all := join(nil, []*builder{rows})
	var file File
	var buf []byte
	for i := range all.Len() {
		file, buf = all.file(i, buf)
		if err := s.add(file); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// scan reads files and stops when ctx ends, also when the source does not look at it.
func scan(ctx context.Context, source string, part Part, fn func(File) error) error {
	rows := 0
	err := part(ctx, func(f File) error {
		if rows++; rows%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return fn(f)
	})
	if err != nil {
		return fmt.Errorf("read index %s: %w", source, err)
	}
	return nil
}
