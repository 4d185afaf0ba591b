package pairs

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/tafc/tafc/internal/lazy"
	"github.com/tafc/tafc/runtime/job"
)

// Order says in which order pairs are written, and how many of them. The zero value leaves them as they are: all, by key.
type Order struct {
	By         string // key, value; empty: key
	Descending bool
	Top        int // the first so many; 0: all
}

// Arrange yields the pairs of a source, which is sorted by key, in another order. Values are compared as keys are, but a string that is
// written like a number counts as that number; pairs with equal values stay in the order of their keys. The value of a line is
// what stands behind its first space. Memory is bounded: what does not fit goes to files in temp, which must exist.
//
// The source must stay open until the result, which does not close it, is closed.
func Arrange(ctx context.Context, src Source, form job.Form, o Order, temp string) (SourceCloser, error) {
	if o.By != "value" && !o.Descending {
		return &head{src: src, left: o.Top, all: o.Top == 0}, nil
	}
	c := NewCollector(CollectorOptions{Temp: temp})
	var rank, packed []byte
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		key, value, err := src.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if rank, err = o.rank(rank[:0], form, key, value); err != nil {
			return nil, err
		}
		packed = append(append(binary.AppendUvarint(packed[:0], uint64(len(key))), key...), value...)
		if err := c.Add(ctx, rank, packed); err != nil {
			return nil, err
		}
	}
	m, err := c.merger(ctx)
	if err != nil {
		return nil, err
	}
	return &head{src: unpacking{m}, closer: m, left: o.Top, all: o.Top == 0}, nil
}

// rank is what a pair is sorted by.
func (o Order) rank(dst []byte, form job.Form, key, value []byte) ([]byte, error) {
	var err error
	switch {
	case o.By != "value":
		dst = append(dst, key...)
	default:
		if dst, err = valueRank(dst, form, key, value); err != nil {
			return nil, err
		}
	}
	if o.Descending {
		for i := range dst {
			dst[i] = ^dst[i]
		}
	}
	return dst, nil
}

// number is a JSON number.
var number = lazy.Regexp(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func valueRank(dst []byte, form job.Form, key, value []byte) ([]byte, error) {
	if form == job.FormLines {
		line, err := appendLine(nil, key, value)
		if err != nil {
			return nil, err
		}
		_, behind, more := bytes.Cut(line, []byte{' '})
		if value = nil; more {
			value = appendQuoted(nil, behind)
		}
	}
	if len(value) == 0 {
		return append(dst, endTag), nil // an absent value comes before all others
	}
	if text, ok := unquote(value); ok && number().Match(bytes.TrimSpace(text)) {
		value = bytes.TrimSpace(text)
	}
	dst, err := AppendKey(dst, value)
	if err != nil {
		return nil, fmt.Errorf("sort by value: %w", err)
	}
	return dst, nil
}

// merger yields all pairs of the collector, sorted, with their partition before the key.
func (c *Collector) merger(ctx context.Context) (*Merger, error) {
	c.sort()
	inputs := append(c.runs, func() (SourceCloser, error) { return &sorted{c: c}, nil })
	// Files that are merged share the memory with the pairs that are still there: about half a megabyte each.
	return Merge(ctx, inputs, c.o.Temp, int(min(DefaultFanIn, max(2, c.o.Memory>>20))))
}

// unpacking takes the pairs out of what Arrange sorted.
type unpacking struct{ src Source }

func (u unpacking) Next() (key, value []byte, err error) {
	_, packed, err := u.src.Next()
	if err != nil {
		return nil, nil, err
	}
	n, size := binary.Uvarint(packed)
	if size <= 0 || n > uint64(len(packed)-size) {
		return nil, nil, fmt.Errorf("sorted run: a pair without its key")
	}
	return packed[size : size+int(n)], packed[size+int(n):], nil
}

// head yields the first pairs of a source.
type head struct {
	src    Source
	closer *Merger
	left   int
	all    bool
}

func (h *head) Next() (key, value []byte, err error) {
	if !h.all && h.left == 0 {
		return nil, nil, io.EOF
	}
	h.left--
	return h.src.Next()
}

func (h *head) Close() {
	if h.closer != nil {
		h.closer.Close()
	}
}
