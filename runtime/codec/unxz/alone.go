package unxz

import (
	"encoding/binary"
	"io"
)

// AloneHeader is the length of the header of LZMA-alone.
const AloneHeader = 13

// Alone reads one LZMA-alone stream, of known or unknown size, that ends where the file ends.
type Alone struct {
	d    decoder
	left int64 // bytes still to come; negative: not known
	err  error
}

// step is how much is decoded at a time.
const step = 128 << 10

// NewAlone reads the header. The window takes as much memory as the data need, at most that of the dictionary.
func NewAlone(src io.Reader) (*Alone, error) {
	a := &Alone{d: decoder{in: newInput(src)}}
	h, err := a.d.in.take(AloneHeader)
	if err != nil {
		return nil, err
	}
	dict := int64(binary.LittleEndian.Uint32(h[1:]))
	a.left = int64(binary.LittleEndian.Uint64(h[5:]))
	if a.left >= 0 {
		dict = min(dict, a.left)
	}
	if !a.d.properties(h[0]) {
		return nil, ErrHeader
	}
	a.d.model.reset()
	a.d.window.reset(int(dict))
	return a, a.d.begin()
}

// Read reads decompressed data.
func (a *Alone) Read(p []byte) (int, error) {
	for {
		if n := a.d.read(p); n > 0 || len(p) == 0 {
			return n, nil
		}
		if a.err != nil {
			return 0, a.err
		}
		a.err = a.step()
	}
}

// Close gives the memory to the next reader.
func (a *Alone) Close() {
	a.err = errClosed
	a.d.release()
}

// step decodes some more. The window has been read.
func (a *Alone) step() error {
	d := &a.d
	if a.left == 0 {
		return a.end()
	}
	d.room()
	before, limit := d.pos, min(d.size, d.pos+step)
	if a.left >= 0 {
		limit = int(min(int64(limit), int64(before)+a.left))
	}
	why := atInput
	if d.in.need(step / 4) {
		if d.pending > 0 {
			d.repeat(int(d.rep0)+1, d.pending, limit)
		}
		why = d.run(limit, d.in.n-maxSymbol)
		if why == atInput {
			why = atLimit // there may be more
		}
	} else {
		why = d.decode(limit, d.in.n)
	}
	if a.left >= 0 {
		a.left -= int64(d.pos - before)
	}
	switch {
	case why == atMark && a.left <= 0:
		return a.ended()
	case why == atDamage, why == atMark, a.left == 0 && d.pending > 0:
		return ErrCorrupt
	case why == atInput:
		return d.in.ended()
	}
	return nil
}

// end looks at what follows the last byte of a known size: nothing, or a mark all the same.
func (a *Alone) end() error {
	d := &a.d
	d.in.need(maxSymbol)
	if d.finished() {
		return a.trailing()
	}
	d.room()
	before := d.pos
	why := d.decode(before+1, d.in.n)
	d.pos = before
	switch why {
	case atMark:
		return a.ended()
	case atInput:
		return d.in.ended()
	}
	return ErrCorrupt
}

// ended follows an end mark.
func (a *Alone) ended() error {
	a.d.in.need(maxSymbol)
	if !a.d.finished() {
		if a.d.in.at > a.d.in.n {
			return a.d.in.ended()
		}
		return ErrCorrupt
	}
	return a.trailing()
}

// trailing is how a whole stream ends.
func (a *Alone) trailing() error {
	in := a.d.in
	switch {
	case in.at > in.n:
		return in.ended()
	case in.need(1):
		return ErrTrailing
	}
	return in.err
}
