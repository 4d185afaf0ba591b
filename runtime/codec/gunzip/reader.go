package gunzip

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Errors of a Reader. The end of the data before they are complete is io.ErrUnexpectedEOF.
var (
	ErrHeader   = errors.New("the header is not one of gzip")
	ErrChecksum = errors.New("the checksum or the length does not fit the data")
	ErrData     = errors.New("the compressed data make no sense")
)

const (
	inputSize  = 64 << 10
	history    = 32 << 10  // how far back a match may reach
	outputSize = 192 << 10 // history and what was decoded since it was moved; stays in the caches next to a core
	longest    = 258       // bytes of a match
	slack      = 64        // bytes that a match may write past its end
)

// Reader decompresses members of gzip until the end of its source, which it reads as far as that. It is not safe for concurrent use.
type Reader struct {
	inflater
	crc    uint32
	length uint32
	err    error
}

// NewReader reads the header of the first member.
func NewReader(r io.Reader) (*Reader, error) {
	z := &Reader{inflater: inflater{in: make([]byte, inputSize+8), out: make([]byte, outputSize+longest+slack)}}
	if err := z.Reset(r); err != nil {
		return nil, err
	}
	return z, nil
}

// Reset makes of z, whatever it did before, a reader of r as NewReader does. It takes no new memory.
func (z *Reader) Reset(r io.Reader) error {
	z.src, z.srcErr, z.pos, z.end, z.bits, z.n = r, nil, 0, 0, 0, 0
	z.read, z.write, z.floor, z.stored, z.lit, z.dist = 0, 0, 0, 0, nil, nil
	err := z.member()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	z.err = err
	return err
}

// Read reads decompressed data. Data that were decoded before something went wrong come before the error.
func (z *Reader) Read(p []byte) (int, error) {
	for z.read == z.write {
		if z.err != nil {
			return 0, z.err
		}
		z.err = z.more()
	}
	n := copy(p, z.out[z.read:z.write])
	z.read += n
	return n, nil
}

// more decodes the next portion.
func (z *Reader) more() error {
	z.slide()
	from := z.write
	err := z.inflate()
	fresh := z.out[from:z.write]
	z.crc = crc32.Update(z.crc, crc32.IEEETable, fresh)
	z.length += uint32(len(fresh))
	if err != io.EOF {
		return err
	}
	if err := z.trailer(); err != nil {
		return err
	}
	return z.member()
}

// trailer compares what stands behind a member with it.
func (z *Reader) trailer() error {
	z.align()
	var tail [8]byte
	for i := range tail {
		var err error
		if tail[i], err = z.byte(); err != nil {
			return unexpected(err)
		}
	}
	if binary.LittleEndian.Uint32(tail[:]) != z.crc || binary.LittleEndian.Uint32(tail[4:]) != z.length {
		return ErrChecksum
	}
	return nil
}

// Flags of a member's header.
const (
	flagChecksum = 1 << 1
	flagExtra    = 1 << 2
	flagName     = 1 << 3
	flagComment  = 1 << 4
)

// member reads the header of a member. The error is io.EOF when there is none.
func (z *Reader) member() error {
	var head [10]byte
	sum := uint32(0)
	next := func() (byte, error) {
		b, err := z.byte()
		sum = crc32.Update(sum, crc32.IEEETable, []byte{b})
		return b, unexpected(err)
	}
	for i := range head {
		b, err := next()
		if err != nil {
			if i == 0 && err == io.ErrUnexpectedEOF {
				return io.EOF
			}
			return err
		}
		if head[i] = b; i == 0 && b != 0x1f || i == 1 && b != 0x8b {
			return ErrHeader
		}
	}
	if head[2] != 8 {
		return ErrHeader
	}
	flags := head[3]
	if flags&flagExtra != 0 {
		low, _ := next()
		high, err := next()
		for range int(high)<<8 | int(low) {
			if err == nil {
				_, err = next()
			}
		}
		if err != nil {
			return err
		}
	}
	for _, text := range []byte{flagName, flagComment} {
		for flags&text != 0 {
			b, err := next()
			if err != nil {
				return err
			}
			if b == 0 {
				break
			}
		}
	}
	if flags&flagChecksum != 0 {
		want := uint16(sum)
		low, _ := next()
		high, err := next()
		if err != nil {
			return err
		}
		if uint16(high)<<8|uint16(low) != want {
			return ErrHeader
		}
	}
	z.begin()
	z.crc, z.length = 0, 0
	return nil
}

// unexpected is an error inside of what is not complete.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
