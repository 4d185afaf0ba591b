package pairs

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/tafc/tafc/runtime/job"
)

// CollectorOptions say how to collect.
type CollectorOptions struct {
	Temp       string // an existing folder for sorted runs
	Partitions int    // at least 1
	Memory     int64  // bytes for pairs in memory; 0: 64 MiB
	// Combine appends what takes the place of two values of a key; nil: all values are kept.
	Combine func(dst, a, b []byte) ([]byte, error)
	// Spilled is told of every run that is written, because memory is full.
	Spilled func(pairs, bytes int64)
}

// Collector takes pairs in any order and writes them sorted, by key and then in the order in which they came, one file to each
// partition. What it writes does not depend on its memory. It is not safe for concurrent use.
type Collector struct {
	o       CollectorOptions
	chunks  [][]byte
	entries []entry
	used    int64
	count   int64
	runs    []Input
	key     []byte
}

// entry is a pair in memory: its key stands at off in a chunk, its value behind it. Entries without pointers cost the garbage
// collector nothing.
type entry struct {
	prefix uint64 // of the key
	part   uint32
	chunk  uint32
	off    uint32
	key    uint32
	value  uint32
}

const (
	chunkSize = 1 << 20
	// entryCost counts an entry twice, for the moment in which their slice grows.
	entryCost = 2 * 32
)

// PairError says that a line that user code emitted is no pair.
type PairError struct{ Err error }

func (e *PairError) Error() string { return e.Err.Error() }
func (e *PairError) Unwrap() error { return e.Err }

// NewCollector returns an empty collector.
func NewCollector(o CollectorOptions) *Collector {
	if o.Memory <= 0 {
		o.Memory = 64 << 20
	}
	if o.Partitions < 1 {
		o.Partitions = 1
	}
	return &Collector{o: o}
}

// Partition is where a key belongs.
func Partition(key []byte, partitions int) int {
	return int(xxhash.Sum64(key) % uint64(partitions))
}

// AddLines adds lines of key TAB value, each with its newline. A line that is no pair is a *PairError, what a disk refuses a
// *WriteError.
func (c *Collector) AddLines(ctx context.Context, lines []byte) error {
	for len(lines) > 0 {
		line, rest, _ := bytes.Cut(lines, []byte{'\n'})
		lines = rest
		key, value, _ := bytes.Cut(line, []byte{'\t'})
		var err error
		if c.key, err = AppendKey(c.key[:0], key); err != nil {
			return &PairError{err}
		}
		if err := c.Add(ctx, c.key, value); err != nil {
			return err
		}
	}
	return nil
}

// Add adds a pair with an encoded key.
func (c *Collector) Add(ctx context.Context, key, value []byte) error {
	size := len(key) + len(value)
	if c.used > 0 && c.used+int64(size)+entryCost > c.o.Memory {
		if err := c.spill(ctx); err != nil {
			return err
		}
	}
	last := len(c.chunks) - 1
	if last < 0 || len(c.chunks[last])+size > cap(c.chunks[last]) {
		c.chunks = append(c.chunks, make([]byte, 0, max(size, int(min(chunkSize, c.o.Memory/4+1)))))
		last++
	}
	chunk := c.chunks[last]
	e := entry{part: uint32(Partition(key, c.o.Partitions)), chunk: uint32(last), off: uint32(len(chunk)), key: uint32(len(key)), value: uint32(len(value))}
	var prefix [8]byte
	copy(prefix[:], key)
	e.prefix = binary.BigEndian.Uint64(prefix[:])
	c.chunks[last] = append(append(chunk, key...), value...)
	c.entries = append(c.entries, e)
	c.used += int64(size) + entryCost
	c.count++
	return nil
}

// Count is the number of pairs so far.
func (c *Collector) Count() int64 { return c.count }

func (c *Collector) keyOf(e *entry) []byte { return c.chunks[e.chunk][e.off : e.off+e.key] }
func (c *Collector) valueOf(e *entry) []byte {
	return c.chunks[e.chunk][e.off+e.key : e.off+e.key+e.value]
}

func (c *Collector) sort() {
	slices.SortFunc(c.entries, func(a, b entry) int {
		switch {
		case a.part != b.part:
			return less(a.part < b.part)
		case a.prefix != b.prefix:
			return less(a.prefix < b.prefix)
		}
		if a.key > 8 || b.key > 8 || a.key != b.key {
			if d := bytes.Compare(c.keyOf(&a), c.keyOf(&b)); d != 0 {
				return d
			}
		}
		// The place in memory is the order of arrival. An empty pair takes no place, but nothing tells two of them apart.
		if a.chunk != b.chunk {
			return less(a.chunk < b.chunk)
		}
		return less(a.off < b.off)
	})
}

func less(yes bool) int {
	if yes {
		return -1
	}
	return 1
}

// sorted yields the pairs in memory with their partition before the key.
type sorted struct {
	c   *Collector
	at  int
	key []byte
}

func (s *sorted) Next() (key, value []byte, err error) {
	if s.at == len(s.c.entries) {
		return nil, nil, io.EOF
	}
	e := &s.c.entries[s.at]
	s.at++
	s.key = append(binary.BigEndian.AppendUint32(s.key[:0], e.part), s.c.keyOf(e)...)
	return s.key, s.c.valueOf(e), nil
}

func (s *sorted) Close() {}

func (c *Collector) spill(ctx context.Context) error {
	c.sort()
	in, err := writeRun(ctx, c.o.Temp, &sorted{c: c})
	if err != nil {
		return err
	}
	c.runs = append(c.runs, in)
	if c.o.Spilled != nil {
		c.o.Spilled(int64(len(c.entries)), c.used)
	}
	c.reset()
	return nil
}

func (c *Collector) reset() {
	c.entries, c.chunks, c.used = c.entries[:0], nil, 0
}

// Write writes the partitions to files in dir, one for each partition, also for an empty one, and empties the collector.
func (c *Collector) Write(ctx context.Context, dir string) ([]job.Part, error) {
	m, err := c.merger(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	defer c.reset()
	c.runs = nil
	var src Source = m
	if c.o.Combine != nil {
		src = &combined{src: m, combine: c.o.Combine}
	}
	out := partWriter{dir: dir}
	defer out.abandon()
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
		if len(key) < 4 {
			return nil, fmt.Errorf("sorted run: a key without its partition")
		}
		if err := out.to(int(binary.BigEndian.Uint32(key))); err != nil {
			return nil, err
		}
		if err := out.add(key[4:], value); err != nil {
			return nil, err
		}
	}
	return out.finish(c.o.Partitions)
}
