package extract

import (
	"math/bits"
	"slices"
)

// index says where the brackets of a record are, so that what nobody wants is passed over in one step. It is made by a check of
// the whole record, 64 bytes at a time: every rule of JSON's grammar is a rule about neighbours (a comma follows the end of a value, a
// colon the end of a name, …), and neighbours are shifts of bit masks. Only brackets, and values other than strings and whole
// numbers, are looked at one by one.
type index struct {
	opens  []uint32 // places of [ and {, ascending
	closes []uint32 // the place of the bracket that closes each
}

// outside is what stands for no open bracket.
const outside = 1<<32 - 2

// batch is how many blocks are classified at once: what they need stays in the first cache.
const batch = 32

// scan makes the index of a record that is an object or an array. It tells whether it could: a record without brackets, a
// broken one, or any on a processor without the instructions is left to the scanner, which also says what is broken.
func (ix *index) scan(record []byte) bool {
	ix.opens, ix.closes = ix.opens[:0], ix.closes[:0]
	s := scanner{b: record}
	if first := s.peek(); !fast || first != '{' && first != '[' || len(record) > 1<<31 {
		return false
	}
	var all [batch]masks
	w := walker{index: ix, record: record, top: outside, value: 1}
	for at := 0; at < len(record); {
		n := min((len(record)-at)/blockSize, batch)
		if n > 0 {
			classify(&record[at], n, &all[0])
		} else {
			var last [blockSize]byte
			for i := copy(last[:], record[at:]); i < blockSize; i++ {
				last[i] = ' '
			}
			n = 1
			classify(&last[0], n, &all[0])
		}
		for i := range all[:n] {
			if !w.block(&all[i], at) {
				return false
			}
			if w.done {
				return true
			}
			at += blockSize
		}
	}
	return false
}

// end is the place behind the value whose bracket opens at place i.
func (ix *index) end(i int) int {
	k, _ := slices.BinarySearch(ix.opens, uint32(i))
	return int(ix.closes[k]) + 1
}

// walker checks the blocks of a record one after the other. What one block has to know of the one before it is a bit that is
// carried over, 0 or 1.
type walker struct {
	*index
	record []byte
	done   bool // the outermost value has ended

	inString uint64 // all ones inside a string
	escape   uint64 // the next byte is escaped
	inName   uint64 // inside a string that is a name
	scalar   uint64 // the last byte belongs to a number or a word
	minus    uint64
	zero     uint64 // a number began with 0
	top      uint32 // the innermost open bracket: twice its place in opens, and 1 more for an object
	depth    int
	token    int // where the last number or word began
	checked  int // up to here numbers and words were looked at

	// What the next byte that is no white space follows.
	value, opening, brace, member, name, ended uint64
}

// block checks 64 bytes at a place of the record.
func (w *walker) block(m *masks, at int) bool {
	quote := m.quote
	if m.backslash|w.escape != 0 {
		escaped := w.escaped(m.backslash)
		quote &^= escaped
		if !w.escapes(escaped, at) {
			return false
		}
	}
	inside := prefixXor(quote) ^ w.inString // from the opening quote to the last byte before the closing one
	w.inString = uint64(int64(inside) >> 63)
	if m.control&inside != 0 {
		return false
	}
	opened, closed := quote&inside, quote&^inside
	space, comma, colon := m.space&^inside, m.comma&^inside, m.colon&^inside
	open, shut := m.open&^inside, m.close&^inside
	scalar := ^(inside | space | comma | colon | open | shut | closed)
	starts := scalar &^ (scalar<<1 | w.scalar)
	behind := (scalar<<1 | w.scalar) &^ scalar
	w.scalar = scalar >> 63
	if !w.scalars(m, scalar, starts, at) {
		return false
	}
	braces, shutBraces, inObject, ok := w.brackets(open, shut, at)
	if !ok {
		return false
	}
	// Who follows whom.
	afterMark, afterOpen := w.follow(comma|colon, space, &w.value), w.follow(open, space, &w.opening)
	afterBrace, afterMember := w.follow(braces, space, &w.brace), w.follow(comma&inObject, space, &w.member)
	names := opened & (afterBrace | afterMember)
	sum, carry := bits.Add64(names, inside, w.inName) // a string that is a name carries to its closing quote
	w.inName = carry
	nameEnds := sum & closed
	afterName := w.follow(nameEnds, space, &w.name)
	behindValue := (closed&^nameEnds|shut)<<1 | behind
	ended := closed&^nameEnds | shut
	afterValue := smear(behindValue|w.ended, space, ended>>63, &w.ended)
	begins := open | starts
	bad := (opened | begins) &^ (afterMark | afterOpen)
	bad |= begins & (afterBrace | afterMember)
	bad |= comma &^ afterValue
	bad |= shutBraces &^ (afterValue | afterBrace)
	bad |= shut &^ shutBraces &^ (afterValue | afterOpen&^afterBrace)
	bad |= colon ^ afterName
	return bad == 0
}

// follow is what stands next behind the marked bytes, white space aside.
func (w *walker) follow(marked, space uint64, carry *uint64) uint64 {
	return smear(marked<<1|*carry, space, marked>>63, carry)
}

// smear moves marks that are on white space to the first byte behind it. over is what already goes over into the next block.
func smear(marks, space, over uint64, carry *uint64) uint64 {
	if space == 0 {
		*carry = over
		return marks
	}
	sum, more := bits.Add64(marks&space, space, 0)
	*carry = over | more
	return (marks | sum) &^ space
}

// prefixXor sets each bit to the parity of the bits up to it.
func prefixXor(x uint64) uint64 {
	x ^= x << 1
	x ^= x << 2
	x ^= x << 4
	x ^= x << 8
	x ^= x << 16
	return x ^ x<<32
}

// escaped is which bytes a backslash stands before that is not escaped itself.
func (w *walker) escaped(backslash uint64) uint64 {
	const even = 0x5555555555555555
	backslash &^= w.escape
	behind := backslash<<1 | w.escape
	odd := backslash &^ even &^ behind // where runs begin at an odd place
	runs, carry := bits.Add64(odd, backslash, 0)
	w.escape = carry
	return (even ^ runs<<1) & behind
}

// escapes checks what stands behind backslashes.
func (w *walker) escapes(escaped uint64, at int) bool {
	for ; escaped != 0; escaped &= escaped - 1 {
		i := at + bits.TrailingZeros64(escaped)
		if i >= len(w.record) {
			return false
		}
		s := scanner{b: w.record, i: i}
		if s.escape() != nil {
			return false
		}
	}
	return true
}

// scalars checks numbers and words.
func (w *walker) scalars(m *masks, scalar, starts uint64, at int) bool {
	digit, checked := m.digit&scalar, below(w.checked-at)
	for odd := scalar &^ (digit | m.minus | checked); odd != 0; odd &^= checked {
		start := w.token
		if here := starts & (2<<bits.TrailingZeros64(odd) - 1); here != 0 {
			start = at + 63 - bits.LeadingZeros64(here)
		}
		if w.checked = token(w.record, start); w.checked < 0 {
			return false
		}
		checked |= below(w.checked-at) &^ below(start-at)
	}
	if starts != 0 {
		w.token = at + 63 - bits.LeadingZeros64(starts)
	}
	minus := m.minus & scalar &^ checked
	first := minus<<1 | w.minus // the first digit behind a minus
	zero := m.zero & scalar &^ checked & (starts | first)
	bad := minus&^starts | first&^digit | (zero<<1|w.zero)&digit
	w.minus, w.zero = minus>>63, zero>>63
	return bad == 0
}

// below has the lowest n bits.
func below(n int) uint64 {
	switch {
	case n <= 0:
		return 0
	case n >= 64:
		return ^uint64(0)
	}
	return 1<<n - 1
}

// token is the place behind the number or word at a place, -1 when it is none.
func token(record []byte, start int) int {
	s := scanner{b: record, i: start}
	if s.value(1) != nil {
		return -1
	}
	if s.i < len(record) {
		switch record[s.i] {
		case ',', ']', '}', ' ', '\t', '\n', '\r':
		default:
			return -1
		}
	}
	return s.i
}

// brackets matches the brackets of a block, and finds out which of its bytes stand directly in an object.
func (w *walker) brackets(open, shut uint64, at int) (braces, shutBraces, inObject uint64, ok bool) {
	top := w.top
	inObject = -uint64(top & 1)
	for rest := open | shut; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest) & 63
		place := at + i
		object := uint32(w.record[place]>>5) & 1 // what tells a brace from a bracket
		if open>>i&1 != 0 {
			braces |= uint64(object) << i
			w.opens, w.closes = append(w.opens, uint32(place)), append(w.closes, top) // until it is closed
			top = uint32(len(w.opens)-1)<<1 | object
			if w.depth++; w.depth > maxDepth {
				return 0, 0, 0, false
			}
		} else {
			if top == outside || top&1 != object {
				return 0, 0, 0, false
			}
			shutBraces |= uint64(object) << i
			top, w.closes[top>>1] = w.closes[top>>1], uint32(place)
			if w.depth--; w.depth == 0 {
				s := scanner{b: w.record, i: place + 1}
				s.space()
				w.done = s.i == len(w.record)
				return braces, shutBraces, inObject &^ (^uint64(0) << i), w.done
			}
		}
		inObject ^= (inObject ^ -uint64(top&1)) & (^uint64(0) << i)
	}
	w.top = top
	return braces, shutBraces, inObject, true
}
