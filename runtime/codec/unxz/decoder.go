package unxz

import (
	"encoding/binary"
	"io"
	"unsafe"
)

const (
	probInit  = 1024
	topValue  = 1 << 24
	maxSymbol = 32 // bytes of input that one symbol may take, with room to spare
)

// lengths are the probabilities of match lengths.
type lengths struct {
	choice, choice2 uint16
	low, mid        [16 << 3]uint16
	high            [256]uint16
}

// model are the probabilities, named as in the description of the format.
type model struct {
	isMatch, isRep0Long           [16 << 4]uint16
	isRep, isRep0, isRep1, isRep2 [16]uint16
	slot                          [4 << 6]uint16
	special                       [128]uint16
	align                         [16]uint16
	matchLen, repLen              lengths
	literal                       [0x300 << 4]uint16 // lc + lp is at most 4
	lc                            uint32
	literalMask, posMask          uint32
	state                         uint32
	rep0, rep1, rep2, rep3        uint32
	literals                      int // of literal that are used
}

func fill(p []uint16) {
	for i := range p {
		p[i] = probInit
	}
}

func (l *lengths) reset() {
	l.choice, l.choice2 = probInit, probInit
	fill(l.low[:])
	fill(l.mid[:])
	fill(l.high[:])
}

// properties sets lc, lp and pb from their byte.
func (m *model) properties(b byte) bool {
	if b >= 9*5*5 {
		return false
	}
	lc, lp, pb := b%9, b/9%5, b/45
	if lc+lp > 4 {
		return false
	}
	m.lc, m.literalMask, m.posMask, m.literals = uint32(lc), 1<<lp-1, 1<<pb-1, 0x300<<(lc+lp)
	return true
}

func (m *model) reset() {
	for _, p := range [][]uint16{m.isMatch[:], m.isRep0Long[:], m.isRep[:], m.isRep0[:], m.isRep1[:], m.isRep2[:], m.slot[:], m.special[:], m.align[:], m.literal[:m.literals]} {
		fill(p)
	}
	m.matchLen.reset()
	m.repLen.reset()
	m.state, m.rep0, m.rep1, m.rep2, m.rep3 = 0, 0, 0, 0, 0
}

// input is a buffer of compressed bytes, behind whose end there are always maxSymbol bytes that may be read.
type input struct {
	src  io.Reader
	buf  []byte
	at   int
	n    int
	err  error // of src
	base int64 // bytes of the source before the buffer
}

const inputSize = 128 << 10

func newInput(src io.Reader) *input {
	buf := spare(&inputs)
	if buf == nil {
		buf = make([]byte, inputSize+maxSymbol)
	}
	return &input{src: src, buf: buf}
}

// need has at least n bytes in the buffer, which has room for them, or all that there are.
func (in *input) need(n int) bool {
	if in.n-in.at >= n {
		return true
	}
	copy(in.buf, in.buf[in.at:in.n])
	in.base += int64(in.at)
	in.n -= in.at
	in.at = 0
	for in.n < n && in.err == nil {
		var k int
		k, in.err = in.src.Read(in.buf[in.n:inputSize])
		in.n += k
	}
	if in.n < n {
		clear(in.buf[in.n : in.n+maxSymbol])
	}
	return in.n >= n
}

// take gives the next n bytes.
func (in *input) take(n int) ([]byte, error) {
	if !in.need(n) {
		return nil, in.ended()
	}
	in.at += n
	return in.buf[in.at-n : in.at], nil
}

// ended is the error of an end that comes too early.
func (in *input) ended() error {
	if in.err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return in.err
}

// offset is the number of bytes taken so far.
func (in *input) offset() int64 { return in.base + int64(in.at) }

// decoder decodes the symbols of LZMA.
type decoder struct {
	model
	window
	in        *input
	rng, code uint32
	pending   int // bytes of the last match that are still to be copied
}

// release gives the memory to the next file. Nothing can be read any more.
func (d *decoder) release() {
	if buf := d.in.buf; buf != nil {
		inputs.Put(&buf)
	}
	d.in.buf = nil
	d.window.release()
}

// begin begins the range coder.
func (d *decoder) begin() error {
	b, err := d.in.take(5)
	if err != nil {
		return err
	}
	if b[0] != 0 {
		return ErrCorrupt
	}
	d.rng, d.code, d.pending = 1<<32-1, binary.BigEndian.Uint32(b[1:]), 0
	return nil
}

// normalize is what comes before the next bit.
func (d *decoder) normalize() {
	if d.rng < topValue {
		d.rng <<= 8
		d.code = d.code<<8 | uint32(d.in.buf[d.in.at])
		d.in.at++
	}
}

// repeat copies n bytes of a match at a distance; what has no room in the window before limit is left pending.
func (d *decoder) repeat(distance, n, limit int) {
	w := &d.window
	if n > limit-w.pos {
		d.pending = n - (limit - w.pos)
		n = limit - w.pos
	} else {
		d.pending = 0
	}
	from := w.pos - distance
	if from < 0 {
		from += w.size
		first := min(n, w.size-from)
		copy(w.buf[w.pos:], w.buf[from:from+first]) // from is behind pos by more than any length
		w.pos += first
		if n -= first; n == 0 {
			return
		}
		from = 0
	}
	if from+n <= w.pos {
		copy(w.buf[w.pos:w.pos+n], w.buf[from:])
		w.pos += n
		return
	}
	for range n {
		w.buf[w.pos] = w.buf[from]
		w.pos, from = w.pos+1, from+1
	}
}

// What run stopped at.
type stop int

const (
	atLimit stop = iota // of the window
	atInput             // of the bytes that may be taken
	atMark              // an end mark
	atDamage
)

// decode decodes until the window is full up to limit, or an end or damage is met, from input that ends at end of the buffer. All symbols that
// are whole before end are decoded; atInput says that another one is not.
func (d *decoder) decode(limit, end int) stop {
	if d.pending > 0 {
		d.repeat(int(d.rep0)+1, d.pending, limit)
	}
	if safe := end - maxSymbol; d.in.at <= safe {
		if why := d.run(limit, safe); why != atInput {
			return why
		}
	}
	for d.pos < limit { // near the end one symbol at a time
		before := d.pos
		why := d.run(d.pos+1, end)
		if d.in.at > end {
			d.pos, d.pending = before, 0
			why = atInput
		}
		if why != atLimit {
			return why
		}
		if d.pending > 0 {
			d.repeat(int(d.rep0)+1, d.pending, limit)
		}
	}
	return atLimit
}

// finished tells whether the range coder has come to its end, as it has behind the last symbol.
func (d *decoder) finished() bool {
	d.normalize()
	return d.code == 0
}

// prob is the probability at an index.
func prob(base unsafe.Pointer, i uint32) *uint16 { return (*uint16)(unsafe.Add(base, uintptr(i)*2)) }
