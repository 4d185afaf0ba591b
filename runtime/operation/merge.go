package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// merge puts partial results together, one key after the other.
type merge struct {
	base
	key   []byte // of the group at hand, as JSON
	group aggregate
	top   top
}

func newMerge(ctx context.Context, o Options, sink usercode.Sink) *merge {
	return &merge{base: base{ctx: ctx, o: o, sink: sink}}
}

// Map implements usercode.Program.
func (m *merge) Map(*usercode.Block) error {
	return errors.New("an operation of a reduce reads pairs, not records")
}

// Pairs implements usercode.Program.
func (m *merge) Pairs(lines []byte) error {
	if err := m.stopped(); err != nil {
		return err
	}
	m.err = m.lines(lines)
	return m.err
}

func (m *merge) lines(lines []byte) error {
	for len(lines) > 0 {
		line, rest, _ := bytes.Cut(lines, []byte{'\n'})
		lines = rest
		key, partial, _ := bytes.Cut(line, []byte{'\t'})
		if m.group == nil || !bytes.Equal(key, m.key) {
			if err := m.flush(); err != nil {
				return err
			}
			m.key, m.group = append(m.key[:0], key...), newAggregate(m.o.Operation)
		}
		if err := m.group.merge(partial); err != nil {
			return &usercode.Error{Cause: job.CauseCode, Key: string(key), Message: "the value is no partial result of " + string(m.o.Operation.Kind) + ": " + err.Error(),
				Signature: "no partial result", Hint: "merge reads what the same operation of a map made, as it is"}
		}
	}
	return nil
}

// flush hands on the group at hand.
func (m *merge) flush() error {
	if m.group == nil {
		return nil
	}
	final := m.o.Role == job.RoleReduce
	if final && m.o.Operation.Kind == job.OpTop {
		n, _ := m.group.(*count)
		m.out = m.top.add(m.out, m.o.Operation, m.key, int64(*n))
		return m.emitted(false)
	}
	m.out = append(append(m.out, m.key...), '\t')
	if final {
		m.out = m.group.appendResult(m.out)
	} else {
		m.out = m.group.appendPartial(m.out)
	}
	m.out = append(m.out, '\n')
	return m.emitted(false)
}

// Close implements usercode.Program.
func (m *merge) Close() error {
	if m.err == nil {
		m.err = m.stopped()
	}
	if m.err == nil {
		m.err = m.flush()
		m.out = m.top.flush(m.out)
	}
	if m.err == nil {
		m.err = m.emitted(true)
	}
	return m.err
}

// top keeps the most frequent values of a group, whose keys come one after the other because they begin alike. Of values that are
// equally frequent the first count.
type top struct {
	group  []byte // by, as JSON
	counts []counted
}

type counted struct {
	key []byte
	n   int64
}

// add takes a value, and appends what is kept of the group before when this one is of another.
func (t *top) add(dst []byte, o *job.Operation, key []byte, n int64) []byte {
	if group := groupOf(o, key); !bytes.Equal(group, t.group) {
		dst = t.flush(dst)
		t.group = group
	}
	i, _ := slices.BinarySearchFunc(t.counts, n, func(c counted, n int64) int {
		if c.n >= n { // behind those that are as frequent
			return -1
		}
		return 1
	})
	if i == o.N {
		return dst
	}
	t.counts = slices.Insert(t.counts, i, counted{bytes.Clone(key), n})
	t.counts = t.counts[:min(len(t.counts), o.N)]
	return dst
}

func (t *top) flush(dst []byte) []byte {
	for _, c := range t.counts {
		dst = append(append(dst, c.key...), '\t')
		dst = append(strconv.AppendInt(dst, c.n, 10), '\n')
	}
	t.counts = t.counts[:0]
	return dst
}

// groupOf is what the keys of a group have in common.
func groupOf(o *job.Operation, key []byte) []byte {
	if len(o.By) == 0 {
		return nil
	}
	var parts []json.RawMessage
	if json.Unmarshal(key, &parts) != nil || len(parts) == 0 {
		return nil
	}
	var group []byte
	for _, p := range parts[:len(parts)-1] {
		group = append(append(group, p...), ',')
	}
	return group
}

// Combine puts two partial results of a group together; nil for an operation that has none.
func Combine(o *job.Operation) func(dst, a, b []byte) ([]byte, error) {
	if newAggregate(o) == nil {
		return nil
	}
	return func(dst, a, b []byte) ([]byte, error) {
		group := newAggregate(o)
		if err := group.merge(a); err != nil {
			return nil, err
		}
		if err := group.merge(b); err != nil {
			return nil, err
		}
		return group.appendPartial(dst), nil
	}
}
