package mapper

import (
	"context"
	"io"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/runtime/usercode"
)

// upstream takes over what earlier tasks say of what their results stand for.
func (t *task) upstream() {
	t.rep.Covers = job.Covered(t.spec.Upstream)
	t.rep.Whole = t.spec.Role == job.RoleReduce
	for _, u := range t.spec.Upstream {
		t.rep.Whole = t.rep.Whole || u.Whole
		t.rep.Partial = t.rep.Partial || u.Partial || u.Missing != nil
		t.rep.Transient = t.rep.Transient || u.Transient || u.Missing != nil
		if u.Missing != nil {
			t.j.event("upstream.missing", field{"task", u.Task}, field{"message", *u.Missing})
			t.j.say("notice: %s has no result, and the policy tolerates that: %s", u.Task, *u.Missing)
		}
	}
}

// merged is the pairs of all upstream results in order: by key, then in the order of the Spec.
func (t *task) merged() (*pairs.Merger, error) {
	began := time.Now()
	defer func() { t.rep.Seconds["sort"] += time.Since(began).Seconds() }()
	var inputs []pairs.Input
	var bytes int64
	for _, u := range t.spec.Upstream {
		for _, p := range u.Parts {
			inputs = append(inputs, pairs.Part(p))
			bytes += p.Size
		}
	}
	t.mu.Lock()
	t.rep.Ledger.Bytes.Wire = bytes
	t.mu.Unlock()
	t.j.event("merge", field{"inputs", len(inputs)}, field{"bytes", bytes})
	// An open result file costs about half a megabyte.
	return pairs.Merge(t.ctx, inputs, t.temp, int(min(pairs.DefaultFanIn, max(2, t.limit()>>21))))
}

// counted counts the pairs that are read.
type counted struct {
	t   *task
	src pairs.Source
	n   int64
	raw int64
}

func (c *counted) Next() (key, value []byte, err error) {
	key, value, err = c.src.Next()
	if err == nil {
		c.n++
		c.raw += int64(len(key) + len(value))
	}
	if c.n&0xfff == 0 || err != nil {
		c.settle()
	}
	return key, value, err
}

func (c *counted) settle() {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.t.rep.Ledger.Records.Read += c.n
	c.t.rep.Ledger.Bytes.Decompressed += c.raw
	c.n, c.raw = 0, 0
	c.t.tell(false)
}

// gather merges without user code.
func (t *task) gather() error {
	m, err := t.merged()
	if err != nil {
		return t.written(nil, err)
	}
	defer m.Close()
	began := time.Now()
	src := &counted{t: t, src: m}
	parts, err := pairs.WriteSorted(t.ctx, src, t.dir, t.collector())
	t.rep.Seconds["write"] += time.Since(began).Seconds()
	t.form = inputForm(t.spec)
	r := &t.rep.Ledger.Records
	r.Mapped = r.Read
	for _, p := range parts {
		r.Emitted += p.Pairs
	}
	return t.written(parts, err)
}

// pairBuffer is how many bytes of pairs a program gets at once.
const pairBuffer = 256 << 10

// feedPairs hands the merged pairs to a combine or a reduce.
func (t *task) feedPairs() error {
	m, err := t.merged()
	if err != nil {
		return err
	}
	defer m.Close()
	src := &counted{t: t, src: m}
	buf := make([]byte, 0, pairBuffer+4096)
	for {
		key, value, err := src.Next()
		if err == nil {
			buf, err = appendPair(buf, key, value)
		}
		if err != nil && err != io.EOF {
			return err
		}
		if len(buf) >= pairBuffer || err == io.EOF && len(buf) > 0 {
			if t.ctx.Err() != nil {
				return context.Cause(t.ctx)
			}
			began := time.Now()
			failed := t.prog.Pairs(buf)
			t.rep.Seconds["code"] += time.Since(began).Seconds()
			if failed != nil {
				return errProgram
			}
			buf = buf[:0]
		}
		if err == io.EOF {
			t.mu.Lock()
			t.rep.Ledger.Records.Mapped = t.rep.Ledger.Records.Read
			t.mu.Unlock()
			return nil
		}
	}
}

// appendPair appends a pair as a line.
func appendPair(buf, key, value []byte) ([]byte, error) {
	buf, err := pairs.AppendJSON(buf, key)
	if err != nil {
		return nil, err
	}
	return append(append(append(buf, '\t'), value...), '\n'), nil
}

// mapPairs hands the pairs of earlier tasks to a map, as records, in the order of the Spec.
func (t *task) mapPairs() error {
	for _, u := range t.spec.Upstream {
		b := &blockOfPairs{t: t, task: u.Task}
		for _, p := range u.Parts {
			if err := b.part(p); err != nil {
				return err
			}
		}
		if err := b.flush(); err != nil {
			return err
		}
	}
	return nil
}

// blockOfPairs makes blocks of the pairs of one task. Records and offsets are counted as if its parts were one file of lines.
type blockOfPairs struct {
	t      *task
	task   string
	block  *usercode.Block
	number int64
	offset int64
}

const blockSize = 1 << 20

func (b *blockOfPairs) part(p job.Part) error {
	src, err := pairs.Part(p)()
	if err != nil {
		return err
	}
	defer src.Close()
	b.t.mu.Lock()
	b.t.rep.Ledger.Bytes.Wire += p.Size
	b.t.mu.Unlock()
	for {
		key, value, err := src.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		b.number++
		if b.block == nil {
			b.block = &usercode.Block{File: b.task, First: b.number, Lines: true, Keyed: true}
		}
		before := len(b.block.Data)
		if b.block.Data, err = appendPair(b.block.Data, key, value); err != nil {
			return err
		}
		b.block.Ends = append(b.block.Ends, len(b.block.Data)-1)
		b.block.Offsets = append(b.block.Offsets, b.offset)
		b.offset += int64(len(b.block.Data) - before)
		if len(b.block.Data) >= blockSize {
			if err := b.flush(); err != nil {
				return err
			}
		}
	}
}

func (b *blockOfPairs) flush() error {
	if b.block == nil {
		return nil
	}
	block := b.block
	b.block = nil
	if b.t.ctx.Err() != nil {
		return context.Cause(b.t.ctx)
	}
	b.t.mu.Lock()
	b.t.rep.Ledger.Bytes.Decompressed += int64(len(block.Data))
	b.t.mu.Unlock()
	if err := b.t.push(&entry{block: block}); err != nil {
		return err
	}
	return b.t.give(block)
}
