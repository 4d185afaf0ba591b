package pairs

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"

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
	chunks  [][]byte // those up to filling hold pairs; the others are empty, and kept because fresh memory is slow
	filling int
	entries []entry
	used    int64 // bytes of pairs and of entries
	count   int64
	runs    []Input
	key     []byte
}

// entry is a pair in memory: at off in a chunk stand its key, the length of its value as a varint, and its value. Entries
// without pointers cost the garbage collector nothing.
type entry struct {
	prefix uint64 // of the key
	part   uint32
	chunk  uint32
	off    uint32
	key    uint32
}

const (
	chunkSize = 1 << 20
	entrySize = 24
	// sampleSize is after how many pairs the number of entries that memory has room for is estimated.
	sampleSize = 32 << 10
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
	size := len(key) + len(value) + binary.MaxVarintLen32
	if len(c.entries) > 0 && c.full(size) {
		if err := c.spill(ctx); err != nil {
			return err
		}
	}
	if len(c.entries) == cap(c.entries) {
		c.grow()
	}
	chunk := c.room(size)
	e := entry{part: uint32(Partition(key, c.o.Partitions)), chunk: uint32(c.filling), off: uint32(len(chunk)), key: uint32(len(key))}
	var prefix [8]byte
	copy(prefix[:], key)
	e.prefix = binary.BigEndian.Uint64(prefix[:])
	chunk = binary.AppendUvarint(append(chunk, key...), uint64(len(value)))
	c.chunks[c.filling] = append(chunk, value...)
	c.entries = append(c.entries, e)
	c.used += int64(size) + entrySize
	c.count++
	return nil
}

// full tells whether there is no memory for a pair of size bytes, which counts the moment in which the entries move to a larger place.
func (c *Collector) full(size int) bool {
	need := c.used + int64(size) + entrySize
	if len(c.entries) == cap(c.entries) {
		need += int64(c.larger()) * entrySize
	}
	return need > c.o.Memory
}

// larger is how many entries there is room for after the next growth: first twice as many, then as many as the memory takes if all pairs
// are like those so far. Growing seldom saves the time in which fresh memory is mapped.
func (c *Collector) larger() int {
	n := len(c.entries)
	if n < sampleSize {
		return max(2*n, 1024)
	}
	if n == cap(c.entries) && n < 2*sampleSize {
		return max(n+n/4, int(c.o.Memory/(c.used/int64(n)))+n/8)
	}
	return n + n/4
}

func (c *Collector) grow() {
	c.entries = append(make([]entry, 0, c.larger()), c.entries...)
}

// room returns a chunk that has room for size bytes, the one that is being filled.
func (c *Collector) room(size int) []byte {
	for ; c.filling < len(c.chunks); c.filling++ {
		if chunk := c.chunks[c.filling]; len(chunk)+size <= cap(chunk) {
			return chunk
		}
		if c.filling+1 < len(c.chunks) && cap(c.chunks[c.filling+1]) < size {
			// An empty one that is too small for what comes next makes place for one that is not.
			c.chunks = c.chunks[:c.filling+1]
		}
	}
	c.chunks = append(c.chunks, make([]byte, 0, max(size, int(min(chunkSize, c.o.Memory/4+1)))))
	return c.chunks[c.filling]
}

// Count is the number of pairs so far.
func (c *Collector) Count() int64 { return c.count }

func (c *Collector) keyOf(e *entry) []byte { return c.chunks[e.chunk][e.off : e.off+e.key] }

func (c *Collector) valueOf(e *entry) []byte {
	behind := c.chunks[e.chunk][e.off+e.key:]
	n, size := binary.Uvarint(behind)
	return behind[size : size+int(n)]
}

// sorted yields the pairs in memory with their partition before the key.
type sorted struct {
	c       *Collector
	at      int
	key     []byte
	touched byte
}

// touchAhead is how many pairs are touched before they are needed: they lie anywhere, and the processor waits for several at once.
const touchAhead = 16

func (s *sorted) Next() (key, value []byte, err error) {
	if s.at == len(s.c.entries) {
		return nil, nil, io.EOF
	}
	if s.at%touchAhead == 0 {
		for _, e := range s.c.entries[s.at:min(s.at+touchAhead, len(s.c.entries))] {
			s.touched ^= s.c.chunks[e.chunk][e.off+e.key]
		}
	}
	e := &s.c.entries[s.at]
	s.at++
	s.key = append(binary.BigEndian.AppendUint32(s.key[:0], e.part), s.c.keyOf(e)...)
	return s.key, s.c.valueOf(e), nil
}

func (s *sorted) Close() {}

func (c *Collector) spill(ctx context.Context) error {
	c.sort()
	var src Source = &sorted{c: c}
	if c.o.Combine != nil {
		src = &combined{src: src, combine: c.o.Combine}
	}
	in, err := writeRun(ctx, c.o.Temp, src)
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

// reset empties the memory, and keeps what of it was of ordinary size.
func (c *Collector) reset() {
	kept := c.chunks[:0]
	for _, chunk := range c.chunks {
		if cap(chunk) <= chunkSize {
			kept = append(kept, chunk[:0])
		}
	}
	clear(c.chunks[len(kept):])
	c.chunks, c.filling = kept, 0
	c.entries, c.used = c.entries[:0], 0
}

// Write writes the partitions to files in dir, one for each partition, also for an empty one, and empties the collector.
func (c *Collector) Write(ctx context.Context, dir string) ([]job.Part, error) {
	m, err := c.merger(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	defer func() { c.chunks, c.entries, c.filling, c.used = nil, nil, 0, 0 }()
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
