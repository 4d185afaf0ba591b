package unxz

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

const magic = "\xfd7zXZ\x00"

// DictionaryError says that a block needs a larger dictionary than allowed.
type DictionaryError struct{ Need int64 }

func (e *DictionaryError) Error() string {
	return fmt.Sprintf("a dictionary of %d bytes is needed", e.Need)
}

// XZ reads the streams of an xz file, to its end.
type XZ struct {
	l        lzma2
	limit    int64
	flags    [2]byte // of the stream
	check    hash.Hash
	checked  int // bytes of the check
	blocks   []block
	now      block
	begin    int64 // offset of the block's first byte
	header   int64 // bytes of its header
	inBlock  bool
	promised block // sizes that the header tells; negative: not told
	err      error
}

// block are the sizes that the index repeats: without padding, and decompressed.
type block struct{ unpadded, size int64 }

// NewXZ reads the header of the first stream. limit is for the size of dictionaries, in bytes.
func NewXZ(src io.Reader, limit int64) (*XZ, error) {
	x := &XZ{l: lzma2{decoder: decoder{in: newInput(src)}}, limit: limit}
	return x, x.stream()
}

// Read reads decompressed data.
func (x *XZ) Read(p []byte) (int, error) {
	for {
		if n := x.l.read(p); n > 0 || len(p) == 0 {
			return n, nil
		}
		if x.err != nil {
			return 0, x.err
		}
		x.err = x.step()
	}
}

// Close gives the memory to the next reader.
func (x *XZ) Close() {
	x.err = errClosed
	x.l.release()
}

// step decodes some more, or reads what is between blocks.
func (x *XZ) step() error {
	if !x.inBlock {
		return x.between()
	}
	more, err := x.l.next()
	decoded := x.l.buf[x.l.given:x.l.pos]
	x.now.size += int64(len(decoded))
	if x.check != nil {
		x.check.Write(decoded)
	}
	if err != nil || more {
		return err
	}
	return x.endBlock()
}

// stream reads the header of a stream.
func (x *XZ) stream() error {
	h, err := x.l.in.take(12)
	if err != nil {
		return err
	}
	if string(h[:6]) != magic || crc32.ChecksumIEEE(h[6:8]) != binary.LittleEndian.Uint32(h[8:]) {
		return ErrHeader
	}
	x.flags = [2]byte(h[6:8])
	x.blocks = x.blocks[:0]
	if h[6] != 0 || h[7] > 15 {
		return ErrHeader
	}
	switch h[7] {
	case 0:
		x.check = nil
	case 1:
		x.check = crc32.NewIEEE()
	case 4:
		x.check = &checksum64{}
	case 10:
		x.check = sha256.New()
	default:
		return fmt.Errorf("%w: there is no checksum of kind %d", ErrHeader, h[7])
	}
	x.checked = 0
	if x.check != nil {
		x.checked = x.check.Size()
	}
	return nil
}

// between reads the header of the next block, or all from the index to the next stream.
func (x *XZ) between() error {
	b, err := x.l.in.take(1)
	if err != nil {
		return err
	}
	if b[0] == 0 {
		return x.index()
	}
	x.begin = x.l.in.offset() - 1
	x.header = (int64(b[0]) + 1) * 4
	h := []byte{b[0]}
	rest, err := x.l.in.take(int(x.header) - 1)
	if err != nil {
		return err
	}
	h = append(h, rest...)
	body := h[:len(h)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(h[len(h)-4:]) {
		return ErrHeader
	}
	dict, err := x.blockHeader(body[1:])
	if err != nil {
		return err
	}
	if dict > x.limit {
		return &DictionaryError{Need: dict}
	}
	x.l.start(int(dict))
	x.now, x.inBlock = block{}, true
	if x.check != nil {
		x.check.Reset()
	}
	return nil
}

// blockHeader reads the sizes and filters of a block and returns the size of its dictionary.
func (x *XZ) blockHeader(h []byte) (dict int64, err error) {
	flags := h[0]
	h = h[1:]
	x.promised = block{-1, -1}
	for _, told := range []struct {
		flag byte
		to   *int64
	}{{0x40, &x.promised.unpadded}, {0x80, &x.promised.size}} {
		if flags&told.flag == 0 {
			continue
		}
		n, used := binary.Uvarint(h)
		if used <= 0 || int64(n) < 0 {
			return 0, ErrHeader
		}
		*told.to, h = int64(n), h[used:]
	}
	switch {
	case flags&0x3c != 0:
		return 0, ErrHeader
	case flags&3 != 0 || len(h) > 0 && h[0] != 0x21:
		return 0, ErrFilter
	case len(h) < 3 || h[1] != 1 || h[2] > 40 || len(bytes.Trim(h[3:], "\x00")) > 0:
		return 0, ErrHeader
	}
	if h[2] == 40 {
		return 1<<32 - 1, nil
	}
	return int64(2|h[2]&1) << (h[2]/2 + 11), nil
}

// endBlock reads padding and checksum.
func (x *XZ) endBlock() error {
	x.inBlock = false
	in := x.l.in
	packed := in.offset() - x.begin - x.header
	pad, err := in.take(int(-(packed + x.header) & 3))
	if err != nil {
		return err
	}
	if len(bytes.Trim(pad, "\x00")) > 0 {
		return ErrCorrupt
	}
	sum, err := in.take(x.checked)
	if err != nil {
		return err
	}
	if x.check != nil && !bytes.Equal(sum, x.sum()) {
		return ErrChecksum
	}
	x.now.unpadded = x.header + packed + int64(x.checked)
	if x.promised.unpadded >= 0 && x.promised.unpadded != packed || x.promised.size >= 0 && x.promised.size != x.now.size {
		return ErrCorrupt
	}
	x.blocks = append(x.blocks, x.now)
	return nil
}

// sum is the checksum as files have it: the small ones with the lowest byte first.
func (x *XZ) sum() []byte {
	if h, small := x.check.(hash.Hash32); small {
		return binary.LittleEndian.AppendUint32(nil, h.Sum32())
	}
	return x.check.Sum(nil)
}

// index reads the index behind the last block, which repeats the sizes, and the stream's footer.
func (x *XZ) index() error {
	in := x.l.in
	begin := in.offset() - 1
	sum := crc32.NewIEEE()
	sum.Write([]byte{0})
	number := func() (n uint64, err error) {
		for shift := 0; shift < 63; shift += 7 {
			b, err := in.take(1)
			if err != nil {
				return 0, err
			}
			sum.Write(b)
			if n |= uint64(b[0]&0x7f) << shift; b[0] < 0x80 {
				return n, nil
			}
		}
		return 0, ErrCorrupt
	}
	n, err := number()
	if err == nil && n != uint64(len(x.blocks)) {
		err = ErrCorrupt
	}
	for i := 0; err == nil && i < 2*len(x.blocks); i++ {
		want := x.blocks[i/2].unpadded
		if i%2 == 1 {
			want = x.blocks[i/2].size
		}
		if n, err = number(); err == nil && n != uint64(want) {
			err = ErrCorrupt
		}
	}
	if err != nil {
		return err
	}
	pad, err := in.take(int(-(in.offset() - begin) & 3))
	if err != nil {
		return err
	}
	sum.Write(pad)
	nonzero := len(bytes.Trim(pad, "\x00")) > 0
	size := in.offset() - begin + 4
	b, err := in.take(4)
	if err != nil {
		return err
	}
	if nonzero || binary.LittleEndian.Uint32(b) != sum.Sum32() {
		return ErrCorrupt
	}
	return x.footer(size)
}

// footer reads a stream's footer, which tells the size of the index before it, and what follows: padding, another stream, or the end.
func (x *XZ) footer(index int64) error {
	in := x.l.in
	f, err := in.take(12)
	if err != nil {
		return err
	}
	if string(f[10:]) != "YZ" || [2]byte(f[8:10]) != x.flags || crc32.ChecksumIEEE(f[4:10]) != binary.LittleEndian.Uint32(f) ||
		(int64(binary.LittleEndian.Uint32(f[4:]))+1)*4 != index {
		return ErrCorrupt
	}
	for {
		if !in.need(4) {
			rest := in.buf[in.at:in.n]
			switch {
			case len(rest) == 0 || in.err != io.EOF:
				return in.err
			case bytes.HasPrefix([]byte(magic), rest):
				return io.ErrUnexpectedEOF
			}
			return ErrTrailing
		}
		if binary.LittleEndian.Uint32(in.buf[in.at:]) != 0 {
			break
		}
		in.at += 4
	}
	in.need(12)
	if rest := in.buf[in.at:in.n]; !bytes.HasPrefix(rest, []byte(magic)) && !bytes.HasPrefix([]byte(magic), rest) {
		return ErrTrailing
	}
	return x.stream()
}
