package unxz

import "unsafe"

// run decodes symbols until the window is full up to limit, or the input is at safe or behind it. Bytes behind safe that a symbol has taken are told by the position.
//
// The unsafe reads and writes stay in their bounds: a symbol takes at most 20 bytes of input, and maxSymbol follow safe in the buffer; indexes of probabilities are made
// of the format's bits, whose number each array has room for; wide copies write at most 15 bytes behind a match, which ends at limit or before, and slack bytes follow that.
func (d *decoder) run(limit, safe int) stop {
	in, at := unsafe.Pointer(&d.in.buf[0]), d.in.at
	buf, pos, size := unsafe.Pointer(&d.buf[0]), d.pos, d.size
	rng, code := d.rng, d.code
	state, rep0 := d.state, d.rep0
	md := &d.model
	literal := unsafe.Pointer(&md.literal[0])
	posMask, literalMask, lc := md.posMask, md.literalMask, md.lc&7
	var p *uint16
	var v, bound, m, n uint32
	why := atLimit
	for pos < limit {
		if at > safe {
			why = atInput
			break
		}
		posState := uint32(pos) & posMask
		if rng < topValue {
			rng = rng << 8
			code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
			at++
		}
		p = &md.isMatch[(state<<4|posState)&255]
		v = uint32(*p)
		bound = rng >> 11 * v
		if code < bound {
			rng = bound
			*p = uint16(v + (2048-v)>>5)
			before := pos - 1
			if before < 0 {
				before = size - 1
			}
			byteBefore := uint32(*(*byte)(unsafe.Add(buf, before)))
			probs := unsafe.Add(literal, uintptr((uint32(pos)&literalMask)<<(lc&31)+byteBefore>>((8-lc)&31))*(0x300*2))
			m = 1
			if state >= 7 {
				from := pos - int(rep0) - 1
				if from < 0 {
					from += size
				}
				match := uint32(*(*byte)(unsafe.Add(buf, from)))
				offset := uint32(0x100)
				for m < 0x100 {
					match <<= 1
					want := match & offset
					if rng < topValue {
						rng = rng << 8
						code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
						at++
					}
					p = prob(probs, offset+want+m)
					v = uint32(*p)
					bound = rng >> 11 * v
					if code < bound {
						rng = bound
						*p = uint16(v + (2048-v)>>5)
						m <<= 1
						offset &^= want
					} else {
						rng -= bound
						code -= bound
						*p = uint16(v - v>>5)
						m = m<<1 | 1
						offset &= want
					}

				}
			} else {
				for m < 0x100 {
					if rng < topValue {
						rng = rng << 8
						code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
						at++
					}
					p = prob(probs, m)
					v = uint32(*p)
					bound = rng >> 11 * v
					if code < bound {
						rng = bound
						*p = uint16(v + (2048-v)>>5)
						m <<= 1
					} else {
						rng -= bound
						code -= bound
						*p = uint16(v - v>>5)
						m = m<<1 | 1
					}

				}
			}
			*(*byte)(unsafe.Add(buf, pos)) = byte(m)
			pos++
			switch {
			case state < 4:
				state = 0
			case state < 10:
				state -= 3
			default:
				state -= 6
			}
			continue

		} else {
			rng -= bound
			code -= bound
			*p = uint16(v - v>>5)

		}

		var ls *lengths
		if rng < topValue {
			rng = rng << 8
			code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
			at++
		}
		p = &md.isRep[state&15]
		v = uint32(*p)
		bound = rng >> 11 * v
		if code < bound {
			rng = bound
			*p = uint16(v + (2048-v)>>5)
			md.rep3, md.rep2, md.rep1 = md.rep2, md.rep1, rep0
			if state < 7 {
				state = 7
			} else {
				state = 10
			}
			ls = &md.matchLen

		} else {
			rng -= bound
			code -= bound
			*p = uint16(v - v>>5)
			if rng < topValue {
				rng = rng << 8
				code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
				at++
			}
			p = &md.isRep0[state&15]
			v = uint32(*p)
			bound = rng >> 11 * v
			if code < bound {
				rng = bound
				*p = uint16(v + (2048-v)>>5)
				if rng < topValue {
					rng = rng << 8
					code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
					at++
				}
				p = &md.isRep0Long[(state<<4|posState)&255]
				v = uint32(*p)
				bound = rng >> 11 * v
				if code < bound {
					rng = bound
					*p = uint16(v + (2048-v)>>5)
					if int(rep0) >= d.dict || int(rep0) >= pos && !d.wrapped {
						why = atDamage
						break
					}
					if state < 7 {
						state = 9
					} else {
						state = 11
					}
					from := pos - int(rep0) - 1
					if from < 0 {
						from += size
					}
					*(*byte)(unsafe.Add(buf, pos)) = *(*byte)(unsafe.Add(buf, from))
					pos++
					continue

				} else {
					rng -= bound
					code -= bound
					*p = uint16(v - v>>5)

				}

			} else {
				rng -= bound
				code -= bound
				*p = uint16(v - v>>5)
				if rng < topValue {
					rng = rng << 8
					code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
					at++
				}
				p = &md.isRep1[state&15]
				v = uint32(*p)
				bound = rng >> 11 * v
				if code < bound {
					rng = bound
					*p = uint16(v + (2048-v)>>5)
					rep0, md.rep1 = md.rep1, rep0
				} else {
					rng -= bound
					code -= bound
					*p = uint16(v - v>>5)
					if rng < topValue {
						rng = rng << 8
						code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
						at++
					}
					p = &md.isRep2[state&15]
					v = uint32(*p)
					bound = rng >> 11 * v
					if code < bound {
						rng = bound
						*p = uint16(v + (2048-v)>>5)
						rep0, md.rep1, md.rep2 = md.rep2, rep0, md.rep1
					} else {
						rng -= bound
						code -= bound
						*p = uint16(v - v>>5)
						rep0, md.rep1, md.rep2, md.rep3 = md.rep3, rep0, md.rep1, md.rep2
					}

				}

			}

			if state < 7 {
				state = 8
			} else {
				state = 11
			}
			ls = &md.repLen

		}

		if rng < topValue {
			rng = rng << 8
			code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
			at++
		}
		p = &ls.choice
		v = uint32(*p)
		bound = rng >> 11 * v
		if code < bound {
			rng = bound
			*p = uint16(v + (2048-v)>>5)
			for m = 1; m < 8; {
				if rng < topValue {
					rng = rng << 8
					code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
					at++
				}
				p = prob(unsafe.Pointer(&ls.low[posState<<3%(16<<3)]), m)
				v = uint32(*p)
				bound = rng >> 11 * v
				if code < bound {
					rng = bound
					*p = uint16(v + (2048-v)>>5)
					m <<= 1
				} else {
					rng -= bound
					code -= bound
					*p = uint16(v - v>>5)
					m = m<<1 | 1
				}

			}
			n = m - 8 + 2
		} else {
			rng -= bound
			code -= bound
			*p = uint16(v - v>>5)
			if rng < topValue {
				rng = rng << 8
				code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
				at++
			}
			p = &ls.choice2
			v = uint32(*p)
			bound = rng >> 11 * v
			if code < bound {
				rng = bound
				*p = uint16(v + (2048-v)>>5)
				for m = 1; m < 8; {
					if rng < topValue {
						rng = rng << 8
						code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
						at++
					}
					p = prob(unsafe.Pointer(&ls.mid[posState<<3%(16<<3)]), m)
					v = uint32(*p)
					bound = rng >> 11 * v
					if code < bound {
						rng = bound
						*p = uint16(v + (2048-v)>>5)
						m <<= 1
					} else {
						rng -= bound
						code -= bound
						*p = uint16(v - v>>5)
						m = m<<1 | 1
					}

				}
				n = m - 8 + 2 + 8
			} else {
				rng -= bound
				code -= bound
				*p = uint16(v - v>>5)
				for m = 1; m < 256; {
					if rng < topValue {
						rng = rng << 8
						code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
						at++
					}
					p = prob(unsafe.Pointer(&ls.high[0]), m)
					v = uint32(*p)
					bound = rng >> 11 * v
					if code < bound {
						rng = bound
						*p = uint16(v + (2048-v)>>5)
						m <<= 1
					} else {
						rng -= bound
						code -= bound
						*p = uint16(v - v>>5)
						m = m<<1 | 1
					}

				}
				n = m - 256 + 2 + 16
			}

		}

		if ls == &md.matchLen {
			slots := unsafe.Pointer(&md.slot[min(n-2, 3)<<6])
			for m = 1; m < 64; {
				if rng < topValue {
					rng = rng << 8
					code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
					at++
				}
				p = prob(slots, m)
				v = uint32(*p)
				bound = rng >> 11 * v
				if code < bound {
					rng = bound
					*p = uint16(v + (2048-v)>>5)
					m <<= 1
				} else {
					rng -= bound
					code -= bound
					*p = uint16(v - v>>5)
					m = m<<1 | 1
				}

			}

			rep0 = m - 64
			if rep0 >= 4 {
				few := rep0>>1 - 1
				high := (2 | rep0&1) << (few & 31)
				if rep0 < 14 {
					special := unsafe.Pointer(&md.special[(high-rep0)%128])
					rep0 = high
					m = 1
					for i := uint32(0); i < few; i++ {
						if rng < topValue {
							rng = rng << 8
							code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
							at++
						}
						p = prob(special, m-1)
						v = uint32(*p)
						bound = rng >> 11 * v
						if code < bound {
							rng = bound
							*p = uint16(v + (2048-v)>>5)
							m <<= 1
						} else {
							rng -= bound
							code -= bound
							*p = uint16(v - v>>5)
							m = m<<1 | 1
							rep0 += 1 << (i & 31)
						}

					}
				} else {
					direct := uint32(0)
					for range few - 4 {
						if rng < topValue {
							rng = rng << 8
							code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
							at++
						}

						rng >>= 1
						code -= rng
						t := uint32(int32(code) >> 31)
						code += rng & t
						direct = direct<<1 + t + 1
					}
					rep0 = high + direct<<4
					m = 1
					for i := uint32(0); i < 4; i++ {
						if rng < topValue {
							rng = rng << 8
							code = code<<8 | uint32(*(*byte)(unsafe.Add(in, at)))
							at++
						}
						p = prob(unsafe.Pointer(&md.align[0]), m)
						v = uint32(*p)
						bound = rng >> 11 * v
						if code < bound {
							rng = bound
							*p = uint16(v + (2048-v)>>5)
							m <<= 1
						} else {
							rng -= bound
							code -= bound
							*p = uint16(v - v>>5)
							m = m<<1 | 1
							rep0 += 1 << (i & 31)
						}

					}
					if rep0 == 1<<32-1 {
						why = atMark
						break
					}
				}
			}
		}
		distance, length := int(rep0)+1, int(n)
		from := pos - distance
		if distance > d.dict || from < 0 && !d.wrapped {
			why = atDamage
			break
		}
		if from < 0 || distance < 8 || pos+length > limit {
			d.pos = pos
			d.repeat(distance, length, limit)
			pos = d.pos
			continue
		}
		to := unsafe.Add(buf, pos)
		src := unsafe.Add(buf, from)
		pos += length
		if distance >= 16 {
			for {
				*(*[16]byte)(to) = *(*[16]byte)(src)
				length -= 16
				if length <= 0 {
					break
				}
				to, src = unsafe.Add(to, 16), unsafe.Add(src, 16)
			}
			continue
		}
		for {
			*(*[8]byte)(to) = *(*[8]byte)(src)
			length -= 8
			if length <= 0 {
				break
			}
			to, src = unsafe.Add(to, 8), unsafe.Add(src, 8)
		}
	}
	d.in.at, d.pos, d.rng, d.code = at, pos, rng, code
	d.state, d.rep0 = state, rep0
	return why
}
