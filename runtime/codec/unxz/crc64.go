package unxz

import (
	"encoding/binary"
	"hash/crc64"
	"sync"
)

// checksum64 is the CRC-64 of xz, 16 bytes at a time: the standard library takes 8, and twice as long.
type checksum64 struct{ crc uint64 }

var crc64Tables = sync.OnceValue(func() *[16][256]uint64 {
	var t [16][256]uint64
	first := crc64.MakeTable(crc64.ECMA)
	t[0] = *first
	for i := 1; i < len(t); i++ {
		for b := range t[i] {
			before := t[i-1][b]
			t[i][b] = first[byte(before)] ^ before>>8
		}
	}
	return &t
})

func (c *checksum64) Reset()         { c.crc = 0 }
func (c *checksum64) Size() int      { return 8 }
func (c *checksum64) BlockSize() int { return 1 }
func (c *checksum64) Sum64() uint64  { return c.crc }

// Sum appends the checksum as xz files have it, with the lowest byte first.
func (c *checksum64) Sum(b []byte) []byte { return binary.LittleEndian.AppendUint64(b, c.crc) }

func (c *checksum64) Write(p []byte) (int, error) {
	t := crc64Tables()
	n, crc := len(p), ^c.crc
	for len(p) >= 16 {
		x, y := crc^binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
		crc = t[15][byte(x)] ^ t[14][byte(x>>8)] ^ t[13][byte(x>>16)] ^ t[12][byte(x>>24)] ^
			t[11][byte(x>>32)] ^ t[10][byte(x>>40)] ^ t[9][byte(x>>48)] ^ t[8][x>>56] ^
			t[7][byte(y)] ^ t[6][byte(y>>8)] ^ t[5][byte(y>>16)] ^ t[4][byte(y>>24)] ^
			t[3][byte(y>>32)] ^ t[2][byte(y>>40)] ^ t[1][byte(y>>48)] ^ t[0][y>>56]
		p = p[16:]
	}
	for _, b := range p {
		crc = t[0][byte(crc)^b] ^ crc>>8
	}
	c.crc = ^crc
	return n, nil
}
