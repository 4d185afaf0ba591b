package codec

import (
	"encoding/binary"
	"io"
)

// lz4Frames follows the structure of lz4 frames while they are read, so that an end of file inside a frame is known for what
// it is: the library takes one between two blocks for the end.
type lz4Frames struct {
	r     io.Reader
	state lz4State
	buf   []byte // of the field that is being read
	need  int    // bytes of that field
	skip  int64  // bytes to pass over before the next field
	flags byte
}

type lz4State int

const (
	lz4Magic lz4State = iota
	lz4SkippableSize
	lz4Descriptor
	lz4Block
)

func (f *lz4Frames) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		rest = f.take(rest)
	}
	if err == io.EOF && (f.state != lz4Magic || len(f.buf) > 0 || f.skip > 0) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (f *lz4Frames) take(p []byte) []byte {
	if f.skip > 0 {
		n := min(f.skip, int64(len(p)))
		f.skip -= n
		return p[n:]
	}
	if f.need == 0 {
		f.need = 4
	}
	n := min(f.need-len(f.buf), len(p))
	f.buf = append(f.buf, p[:n]...)
	if len(f.buf) == f.need {
		f.field(f.buf)
		f.buf, f.need = f.buf[:0], 0
		if f.state == lz4Descriptor {
			f.need = 2
		}
	}
	return p[n:]
}

// field goes on after a field is complete. What is wrong with it the library will say.
func (f *lz4Frames) field(b []byte) {
	switch f.state {
	case lz4Magic:
		f.state = lz4Descriptor
		if isSkippable(b) {
			f.state = lz4SkippableSize
		}
	case lz4SkippableSize:
		f.skip, f.state = int64(binary.LittleEndian.Uint32(b)), lz4Magic
	case lz4Descriptor:
		f.flags = b[0]
		f.skip, f.state = 1, lz4Block // header checksum
		if f.flags&0x08 != 0 {
			f.skip += 8 // content size
		}
		if f.flags&0x01 != 0 {
			f.skip += 4 // dictionary
		}
	case lz4Block:
		size := binary.LittleEndian.Uint32(b)
		if size == 0 {
			f.state = lz4Magic
			if f.flags&0x04 != 0 {
				f.skip = 4 // content checksum
			}
			return
		}
		f.skip = int64(size &^ (1 << 31))
		if f.flags&0x10 != 0 {
			f.skip += 4 // block checksum
		}
	}
}
