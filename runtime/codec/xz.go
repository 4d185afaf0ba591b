package codec

import (
	"encoding/binary"
	"io"

	"github.com/tafc/tafc/runtime/codec/unxz"
)

// newLZMA reads one LZMA-alone stream. What counts against the limit is what is allocated: a header may promise a larger dictionary than the data need.
func newLZMA(in io.Reader, head []byte, limit int64) (*unxz.Alone, error) {
	if len(head) < unxz.AloneHeader {
		return nil, io.ErrUnexpectedEOF
	}
	dict := int64(binary.LittleEndian.Uint32(head[1:]))
	if size := int64(binary.LittleEndian.Uint64(head[5:])); size >= 0 {
		dict = min(dict, size)
	}
	if dict > limit {
		return nil, &WindowError{Format: LZMA, Need: dict, Limit: limit}
	}
	return unxz.NewAlone(in)
}
