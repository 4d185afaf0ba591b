package codec

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

const (
	lzmaHeader = 13
	xzHeader   = 12
	xzFooter   = 12
)

// newXZ reads xz streams to the end of the file. The library takes an end of file between two blocks for the end of the
// stream, so the end is judged here: the last bytes must be a stream's footer.
func newXZ(src *source, in *bufio.Reader, head []byte, limit int64) (io.Reader, error) {
	if need := xzDictionary(head); need > limit {
		return nil, &WindowError{Format: XZ, Need: need, Limit: limit}
	}
	var tail xzTail
	buffered, err := in.Peek(in.Buffered())
	if err != nil {
		return nil, err
	}
	tail.see(buffered)
	src.see, src.end = tail.see, tail.end
	return xz.ReaderConfig{}.NewReader(in)
}

// xzDictionary is the dictionary size of the first block, 0 when there is no block to see.
func xzDictionary(head []byte) int64 {
	if len(head) < xzHeader+2 {
		return 0
	}
	block := head[xzHeader:]
	if block = block[:min(len(block), (int(block[0])+1)*4)]; block[0] == 0 {
		return 0
	}
	at := 2
	for _, flag := range []byte{0x40, 0x80} { // compressed and uncompressed size
		if block[1]&flag != 0 {
			_, n := binary.Uvarint(block[at:])
			if n <= 0 {
				return 0
			}
			at += n
		}
	}
	// The last filter is LZMA2: its number, the length of its properties, one byte of dictionary size.
	if i := bytes.Index(block[at:], []byte{0x21, 1}); i >= 0 && at+i+2 < len(block) {
		bits := block[at+i+2] & 0x3f
		return int64(2|bits&1) << (bits/2 + 11)
	}
	return 0
}

// xzTail keeps the last bytes of a file, without the zero padding that may follow a stream.
type xzTail struct {
	last  []byte
	zeros int
}

func (t *xzTail) see(p []byte) {
	trimmed := bytes.TrimRight(p, "\x00")
	if len(trimmed) == 0 {
		t.zeros += len(p)
		return
	}
	t.last = append(t.last, make([]byte, min(t.zeros, xzFooter))...)
	t.last = append(t.last, trimmed[max(0, len(trimmed)-xzFooter):]...)
	t.last = append([]byte(nil), t.last[max(0, len(t.last)-xzFooter):]...)
	t.zeros = len(p) - len(trimmed)
}

func (t *xzTail) end() error {
	f := t.last
	if len(f) < xzFooter || t.zeros%4 != 0 || f[10] != 'Y' || f[11] != 'Z' || binary.LittleEndian.Uint32(f) != crc32.ChecksumIEEE(f[4:10]) {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// newLZMA reads one LZMA-alone stream, of known or unknown size, that ends where the file ends.
func newLZMA(in *bufio.Reader, head []byte, limit int64) (io.Reader, error) {
	if len(head) < lzmaHeader {
		return nil, io.ErrUnexpectedEOF
	}
	dict := int64(binary.LittleEndian.Uint32(head[1:]))
	size := int64(binary.LittleEndian.Uint64(head[5:]))
	if size >= 0 {
		dict = min(dict, size)
	}
	if dict > limit {
		return nil, &WindowError{Format: LZMA, Need: dict, Limit: limit}
	}
	if size == 0 {
		return &lzmaEmpty{in: in}, nil
	}
	// The header may promise a larger dictionary than the data need; the limit was checked against what is allocated.
	r, err := lzma.ReaderConfig{DictCap: lzma.MaxDictCap}.NewReader(in)
	if err != nil {
		return nil, err
	}
	return &lzmaReader{in: in, r: r}, nil
}

type lzmaReader struct {
	in *bufio.Reader
	r  *lzma.Reader
}

func (l *lzmaReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if err == io.EOF {
		if _, more := l.in.Peek(1); more == nil {
			return n, ErrTrailing
		}
	}
	return n, err
}

// lzmaEmpty is a stream of known size 0, which the library does not read: header, then what the range coder makes of nothing.
type lzmaEmpty struct{ in *bufio.Reader }

// The range coder's bytes of nothing, and of an end mark alone, which encoders may write although the size is known. They do
// not depend on the header, because all probabilities are still those of the beginning.
var lzmaNothing = []string{"\x00\x00\x00\x00\x00", "\x00\x83\xff\xfb\xff\xff\xc0\x00\x00\x00"}

func (l *lzmaEmpty) Read([]byte) (int, error) {
	if _, err := l.in.Discard(lzmaHeader); err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	body, err := io.ReadAll(io.LimitReader(l.in, 16))
	switch {
	case err != nil:
		return 0, err
	case slices.Contains(lzmaNothing, string(body)):
		return 0, io.EOF
	case slices.ContainsFunc(lzmaNothing, func(whole string) bool { return strings.HasPrefix(whole, string(body)) }):
		return 0, io.ErrUnexpectedEOF
	}
	return 0, ErrTrailing
}
