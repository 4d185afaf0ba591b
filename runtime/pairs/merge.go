package pairs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Input opens a sorted source of pairs. It is called once.
type Input func() (SourceCloser, error)

// SourceCloser is a source that holds something open.
type SourceCloser interface {
	Source
	Close()
}

// DefaultFanIn is how many files are open at once in a merge.
const DefaultFanIn = 64

// Merger merges sorted sources: by key, pairs of equal keys in the order of the inputs, then in that of the input.
type Merger struct {
	heap   []*stream
	moved  bool // the top was returned and must go on before the next comparison
	opened []SourceCloser
}

type stream struct {
	src        SourceCloser
	order      int
	key, value []byte
}

// Merge merges any number of inputs, at most fanIn at a time (0: DefaultFanIn): more are merged in several passes through
// files in dir, which must exist. Close the Merger also after an error of Next.
func Merge(ctx context.Context, inputs []Input, dir string, fanIn int) (*Merger, error) {
	if fanIn < 2 {
		fanIn = DefaultFanIn
	}
	for len(inputs) > fanIn {
		var next []Input
		for at := 0; at < len(inputs); at += fanIn {
			group := inputs[at:min(at+fanIn, len(inputs))]
			if len(group) == 1 {
				next = append(next, group[0])
				continue
			}
			run, err := mergeToRun(ctx, group, dir)
			if err != nil {
				return nil, err
			}
			next = append(next, run)
		}
		inputs = next
	}
	return open(inputs)
}

func open(inputs []Input) (*Merger, error) {
	m := &Merger{}
	for i, input := range inputs {
		src, err := input()
		if err != nil {
			m.Close()
			return nil, err
		}
		m.opened = append(m.opened, src)
		s := &stream{src: src, order: i}
		switch s.key, s.value, err = src.Next(); err {
		case nil:
			m.heap = append(m.heap, s)
		case io.EOF:
		default:
			m.Close()
			return nil, err
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

// mergeToRun merges inputs into a temporary file, which goes away when it was read.
func mergeToRun(ctx context.Context, inputs []Input, dir string) (Input, error) {
	m, err := open(inputs)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return writeRun(ctx, dir, m)
}

// writeRun writes a source to a temporary file.
func writeRun(ctx context.Context, dir string, src Source) (in Input, err error) {
	f, err := os.CreateTemp(dir, "run-*"+Suffix)
	if err != nil {
		return nil, &WriteError{err}
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = &WriteError{closed}
		}
	}()
	w, err := NewWriter(f)
	if err != nil {
		return nil, err
	}
	if err := copyPairs(ctx, w, src); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, &WriteError{err}
	}
	return func() (SourceCloser, error) { return openRun(f.Name()) }, nil
}

func copyPairs(ctx context.Context, w *Writer, src Source) error {
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		key, value, err := src.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.Add(key, value); err != nil {
			return &WriteError{err}
		}
	}
}

// WriteError says that a file could not be written, such as for a full disk.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "write result: " + e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// Suffix of the names of result files.
const Suffix = ".pairs.zst"

type run struct {
	*Reader
	f *os.File
}

func openRun(path string) (SourceCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open sorted run: %w", err)
	}
	r, err := NewReader(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return &run{Reader: r, f: f}, nil
}

func (r *run) Close() {
	r.Reader.Close()
	r.f.Close()
	os.Remove(r.f.Name())
}

// Next returns the smallest pair that is left.
func (m *Merger) Next() (key, value []byte, err error) {
	if m.moved {
		top := m.heap[0]
		switch top.key, top.value, err = top.src.Next(); err {
		case nil:
		case io.EOF:
			last := len(m.heap) - 1
			m.heap[0] = m.heap[last]
			m.heap = m.heap[:last]
		default:
			return nil, nil, err
		}
		m.moved = false
		m.down(0)
	}
	if len(m.heap) == 0 {
		return nil, nil, io.EOF
	}
	m.moved = true
	return m.heap[0].key, m.heap[0].value, nil
}

// Close closes the inputs.
func (m *Merger) Close() {
	for _, s := range m.opened {
		s.Close()
	}
	m.opened, m.heap, m.moved = nil, nil, false
}

func (m *Merger) less(i, j int) bool {
	c := bytes.Compare(m.heap[i].key, m.heap[j].key)
	return c < 0 || c == 0 && m.heap[i].order < m.heap[j].order
}

func (m *Merger) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.heap); child++ {
			if m.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}
