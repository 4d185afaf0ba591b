package operation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/tafc/tafc/runtime/extract"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// Options say what to do.
type Options struct {
	Operation *job.Operation
	Role      job.Role
	Memory    int64 // bytes for groups; more are handed on early, as several partial results of a group
}

// Start returns a program that carries out an operation. ctx ends it.
func Start(ctx context.Context, o Options, sink usercode.Sink) (usercode.Program, error) {
	if err := Check(o.Operation); err != nil {
		return nil, err
	}
	if o.Role != job.RoleMap {
		return newMerge(ctx, o, sink), nil
	}
	if o.Memory <= 0 {
		o.Memory = 64 << 20
	}
	values, err := extract.ParseValues(slices.Concat(o.Operation.By, o.Operation.Fields))
	if err != nil {
		return nil, err
	}
	m := &mapping{base: base{ctx: ctx, o: o, sink: sink}, values: values, groups: map[string]aggregate{}}
	m.found = make([][]byte, len(o.Operation.By)+len(o.Operation.Fields))
	return m, nil
}

// Check says what makes no sense in an operation.
func Check(o *job.Operation) error {
	_, err := extract.ParseValues(slices.Concat(o.By, o.Fields))
	grouped := o.Kind != job.OpCountBy && o.Kind != job.OpSelect
	switch {
	case err != nil:
		return err
	case len(o.Fields) == 0:
		return fmt.Errorf("%s names no field", o.Kind)
	case len(o.Fields) > 1 && grouped && o.Kind != job.OpSum:
		return fmt.Errorf("%s takes one field, not %d", o.Kind, len(o.Fields))
	case len(o.By) > 0 && !grouped:
		return fmt.Errorf("%s has no groups but its fields", o.Kind)
	case o.Kind == job.OpTop && o.N < 1:
		return errors.New("top takes at least 1 value")
	case o.Kind == job.OpHistogram && (len(o.Buckets) == 0) == (o.Width == 0):
		return errors.New("histogram takes either the bounds of buckets or their width")
	case o.Kind == job.OpHistogram && (o.Width < 0 || !slices.IsSorted(o.Buckets)):
		return errors.New("the bounds of buckets must ascend, and their width be positive")
	case o.Kind == job.OpQuantiles && (len(o.At) == 0 || slices.Min(o.At) < 0 || slices.Max(o.At) > 1):
		return errors.New("quantiles are from 0 to 1")
	case o.Kind != job.OpSelect && newAggregate(o) == nil:
		return fmt.Errorf("there is no operation %q", o.Kind)
	}
	return nil
}

// base is what the programs share.
type base struct {
	ctx    context.Context
	o      Options
	sink   usercode.Sink
	killed atomic.Bool
	err    error
	out    []byte
}

var errKilled = errors.New("the operation was stopped")

func (b *base) stopped() error {
	switch {
	case b.err != nil:
		return b.err
	case b.ctx.Err() != nil:
		return context.Cause(b.ctx)
	case b.killed.Load():
		return errKilled
	}
	return nil
}

// flushSize is how many bytes of pairs are handed on at once.
const flushSize = 256 << 10

// emitted hands on what is in out once it is enough, or at the end.
func (b *base) emitted(end bool) error {
	if len(b.out) < flushSize && !end || len(b.out) == 0 {
		return nil
	}
	err := b.sink.Pairs(b.out)
	b.out = b.out[:0]
	return err
}

// Kill implements usercode.Program.
func (b *base) Kill() { b.killed.Store(true) }

// At implements usercode.Program.
func (b *base) At() (job.Place, bool) { return job.Place{}, false }

// Form implements usercode.Program.
func (b *base) Form() job.Form { return job.FormPairs }

// PeakMemory implements usercode.Program: there is no process but the task's own.
func (b *base) PeakMemory() int64 { return 0 }

// mapping makes partial results of records.
type mapping struct {
	base
	values *extract.Values
	found  [][]byte
	groups map[string]aggregate
	used   int64
	seen   int // records since the last flush
	key    []byte
	number []byte
}

// manyGroups is when groups are handed on early that most records do not share: the collector sorts them anyway, and a small table is much
// faster than a large one.
const manyGroups = 32 << 10

// full tells whether the groups are to be handed on.
func (m *mapping) full() bool {
	if m.used > m.o.Memory {
		return true
	}
	switch m.o.Operation.Kind {
	case job.OpCountBy, job.OpTop, job.OpHistogram, job.OpSum: // partial results of which give exactly the same, and are small
		return len(m.groups) > manyGroups && m.seen < 2*len(m.groups)
	}
	return false
}

// groupCost is about what a group takes besides its key and its aggregate.
const groupCost = 96

// Map implements usercode.Program.
func (m *mapping) Map(b *usercode.Block) error {
	if err := m.stopped(); err != nil {
		return err
	}
	m.err = m.block(b)
	return m.err
}

func (m *mapping) block(b *usercode.Block) error {
	for i := range b.Len() {
		record := b.Record(i)
		if b.Keyed {
			_, record, _ = bytes.Cut(record, []byte{'\t'})
		}
		bad := m.record(record)
		if bad == nil {
			continue
		}
		bad.At = new(job.Place)
		*bad.At = b.Place(i)
		if err := m.sink.Bad(b, i, bad); err != nil {
			return err
		}
	}
	if err := m.emitted(m.o.Operation.Kind == job.OpSelect); err != nil {
		return err
	}
	if err := m.sink.Done(b); err != nil {
		return err
	}
	m.seen += b.Len()
	if m.full() {
		return m.flush()
	}
	return nil
}

// record takes one record.
func (m *mapping) record(record []byte) *usercode.Error {
	if err := m.values.Find(record, m.found); err != nil {
		return &usercode.Error{Cause: job.CauseCorrupt, Message: "not JSON: " + err.Error(), Signature: "not JSON"}
	}
	if err := m.measure(); err != nil {
		return &usercode.Error{Cause: job.CauseCode, Message: err.Error(), Signature: string(m.o.Operation.Kind) + ": no number"}
	}
	return nil
}

func (m *mapping) measure() error {
	o := m.o.Operation
	parts, values := m.found, m.found[len(o.By):]
	switch o.Kind {
	case job.OpSelect:
		m.out = append(appendCompact(m.out, m.found[0]), '\t')
		m.out = append(m.appendSelected(m.out), '\n')
		return nil
	case job.OpTop:
		if values[0] == nil || values[0][0] == 'n' {
			return nil
		}
	case job.OpHistogram:
		n, err := number(o, 0, values[0])
		if n == "" || err != nil {
			return err
		}
		if m.number, err = appendBucket(m.number[:0], o, n); err != nil {
			return err
		}
		values[0] = m.number
	case job.OpCountBy:
	default:
		parts = m.found[:len(o.By)]
	}
	m.key = m.key[:0]
	if len(parts) > 0 {
		m.key = appendKey(m.key, parts)
	}
	a := m.groups[string(m.key)]
	if a == nil {
		a = newAggregate(o)
		if err := a.add(values); err != nil {
			return err
		}
		m.groups[string(m.key)] = a
		m.used += int64(len(m.key)+a.size()) + groupCost
		return nil
	}
	return a.add(values)
}

// appendSelected appends what select gives besides its first field: nothing, a value, or an object of several.
func (m *mapping) appendSelected(dst []byte) []byte {
	switch len(m.found) {
	case 1:
		return dst
	case 2:
		return appendCompact(dst, m.found[1])
	}
	dst = append(dst, '{')
	for i, v := range m.found[1:] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCompact(append(extract.AppendString(dst, []byte(m.o.Operation.Fields[i+1])), ':'), v)
	}
	return append(dst, '}')
}

// Pairs implements usercode.Program.
func (m *mapping) Pairs([]byte) error {
	return errors.New("an operation of a map reads records, not pairs")
}

// flush hands on all groups as partial results, in no order: whoever takes them sorts them.
func (m *mapping) flush() error {
	for key, group := range m.groups {
		m.out = append(appendGroup(m.out, m.o.Operation, key), '\t')
		m.out = append(group.appendPartial(m.out), '\n')
		if err := m.emitted(false); err != nil {
			return err
		}
	}
	clear(m.groups)
	m.used, m.seen = 0, 0
	return m.emitted(true)
}

// Close implements usercode.Program.
func (m *mapping) Close() error {
	if m.err == nil {
		m.err = m.stopped()
	}
	if m.err == nil {
		m.err = m.flush()
	}
	return m.err
}

// appendGroup appends the key of a group: what stands for all records is called as what is measured.
func appendGroup(dst []byte, o *job.Operation, key string) []byte {
	if len(key) > 0 {
		return append(dst, key...)
	}
	if len(o.Fields) == 1 {
		return extract.AppendString(dst, []byte(o.Fields[0]))
	}
	return append(dst, `"all"`...)
}
