package gunzip

import (
	"math/bits"
	"sync"
)

// An entry of a decoding table is one of
//
//	literal:   1 | 0          | byte  | 0          | bits of the code
//	value:     0 | base value         | bits of the code | bits of the code and the extra bits
//	subtable:  0 | where it begins    | exceptional, subtable, bits that index it | bits of the main table
//	the end of a block, or a code that means nothing
//
// with the fields at bit 31, at bits 16 to 30, at bits 8 to 15, and at bits 0 to 7.
type entry uint32

const (
	literal     entry = 1 << 31
	exceptional entry = 1 << 15
	subtable    entry = 1 << 14
	endOfBlock  entry = 1 << 13
)

// consumed is how many bits an entry takes away.
func (e entry) consumed() uint { return uint(e) & 63 }

// codeBits is how many of the bits of a value are its code; the others are added to its base.
func (e entry) codeBits() uint { return uint(e>>8) & 31 }

// base is the value without its extra bits, or where a subtable begins.
func (e entry) base() uint { return uint(e>>16) & 0x7fff }

const (
	maxCodeBits = 15
	litBits     = 11 // of the main table of literals and lengths
	distBits    = 9  // of the main table of distances
	maxLit      = 286
	maxDist     = 30
)

// litTable and distTable hold a main table and the subtables of the codes that are longer than its index. By the bounds of
// codes with 288 and 32 symbols, 2,342 and 594 entries are the most that can be needed.
type (
	litTable  [4096]entry
	distTable [1024]entry
)

// litSymbols and distSymbols are the entries of symbols without the bits of their codes: the extra bits are in the low byte.
var litSymbols, distSymbols = func() (lit [288]entry, dist [32]entry) {
	for i := range 256 {
		lit[i] = literal | entry(i)<<16
	}
	lit[256] = exceptional | endOfBlock
	base := 3
	for i := 257; i < 285; i++ {
		extra := max(0, (i-261)/4)
		lit[i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	lit[285] = 258 << 16
	lit[286], lit[287] = exceptional, exceptional
	base = 1
	for i := range 30 {
		extra := max(0, (i-2)/2)
		dist[i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	dist[30], dist[31] = exceptional, exceptional
	return lit, dist
}()

// fixed are the tables of blocks with fixed codes.
var fixed = sync.OnceValues(func() (*litTable, *distTable) {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	var five [32]uint8
	for i := range five {
		five[i] = 5
	}
	lit, dist := new(litTable), new(distTable)
	build(lit[:], litBits, lengths[:], litSymbols[:])
	build(dist[:], distBits, five[:], distSymbols[:])
	return lit, dist
})

// build makes the table of a canonical code from the lengths of its codes. It is false for lengths that are no complete code, with the
// exceptions that compress/flate makes: no code at all, and a single one of one bit.
func build(table []entry, mainBits int, lengths []uint8, symbols []entry) bool {
	var count [maxCodeBits + 1]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	longest := maxCodeBits
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	main := table[:1<<mainBits]
	if longest == 0 {
		fill(main, 0, 1, exceptional)
		return true
	}
	var next [maxCodeBits + 2]int // where the symbols of a length begin in their order
	space := 0
	for n := 1; n <= longest; n++ {
		next[n+1] = next[n] + count[n]
		space = space<<1 + count[n]
		if space > 1<<n {
			return false
		}
	}
	if space != 1<<longest {
		if longest != 1 || count[1] != 1 {
			return false
		}
		fill(main, 0, 1, exceptional)
	}
	var sorted [288]uint16
	for s, n := range lengths {
		if n > 0 {
			sorted[next[n]] = uint16(s)
			next[n]++
		}
	}
	b := builder{table: table, mainBits: mainBits, used: 1 << mainBits, prefix: -1, count: count}
	code, n := 0, 1
	for i := range next[longest] {
		for count[n] == 0 {
			n, code = n+1, code<<1
		}
		b.add(int(bits.Reverse16(uint16(code))>>(16-n)), n, symbols[sorted[i]])
		count[n]--
		code++
	}
	return true
}

// builder enters codes in ascending order.
type builder struct {
	table    []entry
	mainBits int
	used     int // entries
	prefix   int // of the subtable that is being filled
	begin    int
	bits     int
	count    [maxCodeBits + 1]int
	entered  [maxCodeBits + 1]int
}

// coded is the entry of a symbol whose code has n bits.
func (symbol entry) coded(n int) entry {
	if symbol&(literal|exceptional) != 0 {
		return symbol | entry(n)
	}
	return symbol + entry(n)<<8 + entry(n) // the extra bits are in the low byte already
}

// add enters a code of n bits, which is given as it stands in the data: its first bit is the lowest.
func (b *builder) add(code, n int, symbol entry) {
	b.entered[n]++
	if n <= b.mainBits {
		fill(b.table[:1<<b.mainBits], code, 1<<n, symbol.coded(n))
		return
	}
	if prefix := code & (1<<b.mainBits - 1); prefix != b.prefix {
		b.open(prefix, n)
	}
	n -= b.mainBits
	fill(b.table[b.begin:b.begin+1<<b.bits], code>>b.mainBits, 1<<n, symbol.coded(n))
}

// open begins a subtable for the codes with a prefix, the first of which has n bits: it is as large as the codes of the lengths from n on
// need to fill it.
func (b *builder) open(prefix, n int) {
	size := n - b.mainBits
	for room := 1<<size - (b.count[n] - b.entered[n] + 1); room > 0 && b.mainBits+size < maxCodeBits; {
		size++
		room = room<<1 - b.count[b.mainBits+size]
	}
	b.prefix, b.begin, b.bits = prefix, b.used, size
	b.used += 1 << size
	b.table[prefix] = exceptional | subtable | entry(b.begin)<<16 | entry(size)<<8 | entry(b.mainBits)
}

// fill enters an entry at first and each step from there.
func fill(table []entry, first, step int, e entry) {
	for i := first; i < len(table); i += step {
		table[i] = e
	}
}
