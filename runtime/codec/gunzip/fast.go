package gunzip

import (
	"encoding/binary"
	"unsafe"
)

// fastInput is how many bytes of input fast begins with at least.
const fastInput = 32

const (
	litMask  = 1<<litBits - 1
	distMask = 1<<distBits - 1
)

// load reads eight bytes, the first is the lowest. The compiler makes one instruction of it.
func load(at unsafe.Pointer, i uint) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(at, i))[:])
}

func store(at unsafe.Pointer, i uint, v uint64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(at, i))[:], v)
}

// fast decodes symbols as long as there are 16 bytes of input and room in out for whatever one turn makes: three literals, a match, and what
// is written past its end. It checks the first two bounds once a turn, and the distance of each match; all else follows from them:
//
//   - A turn loads twice and takes at most seven bytes each time, so it reads at most 15 bytes from where it begins.
//   - A refill leaves 56 bits. Three literals of the main table take 33. Two and a length take 22 + 20, a distance, after another
//     refill, 28.
//   - out is longest + slack bytes longer than outputSize, where the last turn begins at the latest.
func (f *inflater) fast() error {
	lit, dist := f.lit, f.dist
	in, out := unsafe.Pointer(unsafe.SliceData(f.in)), unsafe.Pointer(unsafe.SliceData(f.out))
	pos, write, bits, n := uint(f.pos), uint(f.write), f.bits, f.n
	stop, floor := uint(f.end-16), uint(f.floor)
	var err error
	bits |= load(in, pos) << (n & 63)
	pos += (63 - n) >> 3
	n |= 56
	e := lit[bits&litMask]
	for pos <= stop && write < outputSize {
		if e&literal != 0 {
			bits >>= e & 63
			n -= e.consumed()
			*(*byte)(unsafe.Add(out, write)) = byte(e >> 16)
			write++
			e = lit[bits&litMask]
			if e&literal != 0 {
				bits >>= e & 63
				n -= e.consumed()
				*(*byte)(unsafe.Add(out, write)) = byte(e >> 16)
				write++
				e = lit[bits&litMask]
				if e&literal != 0 {
					bits >>= e & 63
					n -= e.consumed()
					*(*byte)(unsafe.Add(out, write)) = byte(e >> 16)
					write++
					bits |= load(in, pos) << (n & 63)
					pos += (63 - n) >> 3
					n |= 56
					e = lit[bits&litMask]
					continue
				}
			}
		}
		if e&exceptional != 0 {
			if e&subtable != 0 {
				bits >>= litBits
				n -= litBits
				e = lit[(e.base()+uint(bits)&(1<<e.codeBits()-1))&uint(len(lit)-1)]
			}
			switch {
			case e&literal != 0:
				bits >>= e & 63
				n -= e.consumed()
				*(*byte)(unsafe.Add(out, write)) = byte(e >> 16)
				write++
				bits |= load(in, pos) << (n & 63)
				pos += (63 - n) >> 3
				n |= 56
				e = lit[bits&litMask]
				continue
			case e&endOfBlock != 0:
				bits >>= e & 63
				n -= e.consumed()
				f.ended()
			case e&exceptional != 0:
				err = ErrData
			}
			if e&exceptional != 0 {
				break
			}
		}
		length := e.base() + uint(bits&(1<<(e&63)-1))>>e.codeBits()
		bits >>= e & 63
		n -= e.consumed()

		if n < 28 {
			bits |= load(in, pos) << (n & 63)
			pos += (63 - n) >> 3
			n |= 56
		}
		e = dist[bits&distMask]
		if e&exceptional != 0 {
			if e&subtable != 0 {
				bits >>= distBits
				n -= distBits
				e = dist[(e.base()+uint(bits)&(1<<e.codeBits()-1))&uint(len(dist)-1)]
			}
			if e&exceptional != 0 {
				err = ErrData
				break
			}
		}
		distance := e.base() + uint(bits&(1<<(e&63)-1))>>e.codeBits()
		bits >>= e & 63
		n -= e.consumed()
		if distance > write-floor {
			err = ErrData
			break
		}
		// The next symbol is looked up before the bytes are copied, so that the look-up does not wait for them.
		bits |= load(in, pos) << (n & 63)
		pos += (63 - n) >> 3
		n |= 56
		e = lit[bits&litMask]
		to, from := write, write-distance
		write += length
		switch {
		case distance >= 16:
			// Sixteen bytes at once: none is read before it was written.
			for {
				*(*[16]byte)(unsafe.Add(out, to)) = *(*[16]byte)(unsafe.Add(out, from))
				if to += 16; to >= write {
					break
				}
				from += 16
			}
		case distance == 1:
			v := uint64(*(*byte)(unsafe.Add(out, from))) * 0x0101010101010101
			for ; to < write; to += 8 {
				store(out, to, v)
			}
		default:
			// Of eight bytes as many are right as the distance is long; the next turn writes over the others.
			step := min(distance, 8)
			for ; to < write; to += step {
				store(out, to, load(out, from))
				from += step
			}
		}
	}
	f.pos, f.write, f.bits, f.n = int(pos), int(write), bits, n
	return err
}
