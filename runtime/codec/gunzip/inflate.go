package gunzip

import (
	"io"
)

// inflater decodes DEFLATE streams. What it decodes is appended to out at write, from where its user takes it at read.
type inflater struct {
	src    io.Reader
	srcErr error
	in     []byte // eight bytes more than are ever filled, so that a load of eight bytes stays inside
	pos    int
	end    int
	bits   uint64 // the next bits, the first is the lowest; above n they may be some of those that come next
	n      uint   // how many bits are counted as taken from in

	out         []byte
	read, write int
	floor       int // where the data of this stream begin in out

	state  state
	last   bool // this block is the last
	stored int  // bytes of a stored block that are left
	lit    *litTable
	dist   *distTable

	ownLit  litTable
	ownDist distTable
}

type state int

const (
	header state = iota // of a block
	codes
	copying // a stored block
	done
)

// begin begins a stream.
func (f *inflater) begin() {
	f.state, f.last, f.floor = header, false, f.write
}

// slide makes room in out. What was read is moved away, but for the history.
func (f *inflater) slide() {
	if f.write < outputSize {
		return
	}
	from := f.write - history
	copy(f.out, f.out[from:f.write])
	f.write, f.read = history, history
	f.floor = max(0, f.floor-from)
}

// fill gets more input. The error is io.EOF at its end.
func (f *inflater) fill() error {
	if f.srcErr != nil {
		return f.srcErr
	}
	f.end = copy(f.in, f.in[f.pos:f.end])
	f.pos = 0
	n, err := f.src.Read(f.in[f.end:inputSize])
	f.end += n
	f.srcErr = err
	if n == 0 {
		return err // nil: the source was given the chance to say something
	}
	return nil
}

// need makes sure that there are n bits, at most 32.
func (f *inflater) need(n uint) error {
	for f.n < n {
		if f.pos == f.end {
			if err := f.fill(); err != nil {
				return unexpected(err)
			}
			continue
		}
		f.bits |= uint64(f.in[f.pos]) << f.n
		f.pos++
		f.n += 8
	}
	return nil
}

// take takes n bits, at most 32.
func (f *inflater) take(n uint) (uint, error) {
	if err := f.need(n); err != nil {
		return 0, err
	}
	v := uint(f.bits) & (1<<n - 1)
	f.drop(n)
	return v, nil
}

func (f *inflater) drop(n uint) {
	f.bits >>= n
	f.n -= n
}

// align goes on at the next whole byte of the input.
func (f *inflater) align() {
	f.drop(f.n & 7)
	// Whole bytes in the buffer of bits are given back: in holds them still, unless they were taken before it was filled again.
	for f.n >= 8 && f.pos > 0 {
		f.pos--
		f.n -= 8
	}
	if f.n == 0 {
		f.bits = 0
	}
}

// byte reads a byte at a place that align found. The error is io.EOF at the end of the input.
func (f *inflater) byte() (byte, error) {
	if f.n >= 8 {
		b := byte(f.bits)
		f.drop(8)
		return b, nil
	}
	f.bits = 0
	for f.pos == f.end {
		if err := f.fill(); err != nil {
			return 0, err
		}
	}
	f.pos++
	return f.in[f.pos-1], nil
}

// inflate decodes until out is full, then returns nil, or until the end of the stream, then returns io.EOF.
func (f *inflater) inflate() error {
	for {
		var err error
		switch f.state {
		case header:
			err = f.block()
		case copying:
			err = f.copyStored()
		case codes:
			err = f.decode()
		case done:
			return io.EOF
		}
		if err != nil || f.write >= outputSize {
			return err
		}
	}
}

// ended goes on after the end of a block.
func (f *inflater) ended() {
	f.state = header
	if f.last {
		f.state = done
	}
}

// block reads the header of a block.
func (f *inflater) block() error {
	v, err := f.take(3)
	if err != nil {
		return err
	}
	f.last = v&1 == 1
	switch v >> 1 {
	case 0:
		return f.beginStored()
	case 1:
		f.lit, f.dist = fixed()
		f.state = codes
		return nil
	case 2:
		if err := f.tables(); err != nil {
			return err
		}
		f.lit, f.dist, f.state = &f.ownLit, &f.ownDist, codes
		return nil
	}
	return ErrData
}

func (f *inflater) beginStored() error {
	f.align()
	var sizes [4]byte
	for i := range sizes {
		var err error
		if sizes[i], err = f.byte(); err != nil {
			return unexpected(err)
		}
	}
	n := int(sizes[0]) | int(sizes[1])<<8
	if n != int(^sizes[2])&0xff|int(^sizes[3])&0xff<<8 {
		return ErrData
	}
	f.stored, f.state = n, copying
	return nil
}

func (f *inflater) copyStored() error {
	for f.stored > 0 && f.n >= 8 && f.write < outputSize {
		f.out[f.write] = byte(f.bits)
		f.drop(8)
		f.write++
		f.stored--
	}
	for f.stored > 0 && f.write < outputSize {
		f.bits = 0
		if f.pos == f.end {
			if err := f.fill(); err != nil {
				return unexpected(err)
			}
			continue
		}
		n := copy(f.out[f.write:min(outputSize, f.write+f.stored)], f.in[f.pos:f.end])
		f.pos += n
		f.write += n
		f.stored -= n
	}
	if f.stored == 0 {
		f.ended()
	}
	return nil
}

// order is the order in which the lengths of the codes for lengths stand.
var order = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// tables reads the codes of a block.
func (f *inflater) tables() error {
	counts, err := f.take(14)
	if err != nil {
		return err
	}
	lits, dists, lengths := int(counts&31)+257, int(counts>>5&31)+1, int(counts>>10)+4
	if lits > maxLit || dists > maxDist {
		return ErrData
	}
	var sizes [19]uint8
	for _, at := range order[:lengths] {
		n, err := f.take(3)
		if err != nil {
			return err
		}
		sizes[at] = uint8(n)
	}
	var all [maxLit + maxDist]uint8
	if err := f.lengths(all[:lits+dists], sizes[:]); err != nil {
		return err
	}
	if !build(f.ownLit[:], litBits, all[:lits], litSymbols[:]) || !build(f.ownDist[:], distBits, all[lits:lits+dists], distSymbols[:]) {
		return ErrData
	}
	return nil
}

const lengthBits = 7 // of the codes for lengths, at most

// lengthSymbols are the entries of the symbols that lengths are written with.
var lengthSymbols = func() (s [19]entry) {
	for i := range s {
		s[i] = literal | entry(i)<<16
	}
	return s
}()

// lengths reads the lengths of codes, which are written with a code themselves.
func (f *inflater) lengths(to []uint8, sizes []uint8) error {
	var table [1 << lengthBits]entry
	if !build(table[:], lengthBits, sizes, lengthSymbols[:]) {
		return ErrData
	}
	for i := 0; i < len(to); {
		e, err := f.symbol(table[:], lengthBits)
		if err != nil {
			return err
		}
		if e&literal == 0 {
			return ErrData
		}
		symbol := e.base()
		if symbol < 16 {
			to[i] = uint8(symbol)
			i++
			continue
		}
		run := [3]struct{ extra, least uint }{{2, 3}, {3, 3}, {7, 11}}[symbol-16]
		n, err := f.take(run.extra)
		if err != nil {
			return err
		}
		value := uint8(0)
		if symbol == 16 {
			if i == 0 {
				return ErrData
			}
			value = to[i-1]
		}
		if n += run.least; i+int(n) > len(to) {
			return ErrData
		}
		for range n {
			to[i] = value
			i++
		}
	}
	return nil
}

// symbol decodes a symbol near the end of the input: it takes no more than the bits of its code, without the extra bits.
func (f *inflater) symbol(table []entry, mainBits uint) (entry, error) {
	for {
		e := table[f.bits&(1<<mainBits-1)]
		size := e.consumed()
		if e&subtable != 0 {
			e = table[e.base()+uint(f.bits>>mainBits)&(1<<e.codeBits()-1)]
			size = mainBits + e.consumed()
			if e&(literal|exceptional) == 0 {
				size = mainBits + e.codeBits()
			}
		} else if e&(literal|exceptional) == 0 {
			size = e.codeBits()
		}
		// Only bits that are counted may decide. With fewer, what was found may be another symbol.
		if size <= f.n && size > 0 {
			f.drop(size)
			return e, nil
		}
		if size == 0 { // a code that means nothing, whatever follows
			return e, nil
		}
		if err := f.need(f.n + 1); err != nil {
			return 0, err
		}
	}
}

// extra takes the extra bits of a value.
func (f *inflater) extra(e entry) (int, error) {
	n, err := f.take(e.consumed() - e.codeBits())
	return int(e.base() + n), err
}

// slow decodes one literal or match, with as little input as there is.
func (f *inflater) slow() error {
	e, err := f.symbol(f.lit[:], litBits)
	if err != nil {
		return err
	}
	switch {
	case e&literal != 0:
		f.out[f.write] = byte(e.base())
		f.write++
		return nil
	case e&endOfBlock != 0:
		f.ended()
		return nil
	case e&exceptional != 0:
		return ErrData
	}
	length, err := f.extra(e)
	if err != nil {
		return err
	}
	if e, err = f.symbol(f.dist[:], distBits); err != nil {
		return err
	}
	if e&exceptional != 0 {
		return ErrData
	}
	distance, err := f.extra(e)
	if err != nil {
		return err
	}
	if distance > f.write-f.floor {
		return ErrData
	}
	for range length {
		f.out[f.write] = f.out[f.write-distance]
		f.write++
	}
	return nil
}

// decode decodes symbols until out is full or the block ends.
func (f *inflater) decode() error {
	for f.state == codes && f.write < outputSize {
		if f.end-f.pos < fastInput && f.srcErr == nil {
			if err := f.fill(); err != nil && err != io.EOF {
				return err
			}
		}
		if f.end-f.pos >= fastInput {
			if err := f.fast(); err != nil {
				return err
			}
			continue
		}
		if err := f.slow(); err != nil {
			return err
		}
	}
	return nil
}
