package unxz

import (
	"errors"
	"sync"
)

// Errors of damaged data. An end of the data that comes too early is io.ErrUnexpectedEOF.
var (
	ErrCorrupt  = errors.New("the compressed data are damaged")
	ErrChecksum = errors.New("the checksum of a block does not match")
	ErrHeader   = errors.New("a header is damaged")
	ErrTrailing = errors.New("other data follow")
	errClosed   = errors.New("unxz: read after close")
	ErrFilter   = errors.New("the data went through a filter other than LZMA2, which is not supported: compress again with plain xz")
)

// window holds the last decoded bytes in a ring, which grows until it holds the whole dictionary.
type window struct {
	buf     []byte // size bytes, and slack that copies may write to
	size    int    // of the ring
	dict    int    // how far back matches may reach
	pos     int    // where the next byte goes
	given   int    // what is before it was read
	wrapped bool   // all of the ring is filled
}

const (
	slack = 64
	// ringExtra is what the ring is larger than the dictionary: wide copies write past their end, over bytes that no match reaches any more.
	ringExtra = 4096
	firstRing = 1 << 20
)

// reset begins a new dictionary. A multiple of 16, so that positions in the ring tell the low bits of positions in the data.
func (w *window) reset(dict int) {
	w.dict = (max(dict, 4096) + 15) &^ 15
	if w.buf == nil {
		w.buf = spare(&rings)
	}
	if len(w.buf) < firstRing+slack {
		w.buf = make([]byte, firstRing+slack)
	}
	w.size = min(w.dict+ringExtra, (len(w.buf)-slack)&^15)
	w.clear()
}

// rings are those of earlier files. Most files of a task need the same, and new memory costs a quarter of the time of decoding.
var rings, inputs sync.Pool

// spare is memory of an earlier file, or nil.
func spare(of *sync.Pool) []byte {
	if b, ok := of.Get().(*[]byte); ok {
		return *b
	}
	return nil
}

// mostSpare is the largest ring that is kept.
const mostSpare = 16 << 20

// release gives the memory to the next file.
func (w *window) release() {
	if w.buf != nil && len(w.buf) <= mostSpare {
		buf := w.buf
		rings.Put(&buf)
	}
	w.buf, w.size, w.pos, w.given = nil, 0, 0, 0
}

// clear forgets the bytes, which must all have been read.
func (w *window) clear() {
	w.pos, w.given, w.wrapped = 0, 0, false
	w.buf[w.size-1] = 0 // the byte before the first
}

// room makes room for at least a byte; all bytes must have been read.
func (w *window) room() {
	if w.pos < w.size {
		return
	}
	if full := w.dict + ringExtra; w.size < full {
		w.size = min(2*w.size, full)
		grown := make([]byte, w.size+slack)
		copy(grown, w.buf[:w.pos])
		w.buf = grown
		return
	}
	w.pos, w.given, w.wrapped = 0, 0, true
}

// read gives what was decoded and not read.
func (w *window) read(p []byte) int {
	n := copy(p, w.buf[w.given:w.pos])
	w.given += n
	return n
}
