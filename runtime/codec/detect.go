package codec

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/tafc/tafc/runtime/codec/unxz"
)

// Format is how a file is compressed.
type Format string

// The formats.
const (
	None  Format = "none"
	Gzip  Format = "gzip"
	Zstd  Format = "zstd"
	Bzip2 Format = "bzip2"
	XZ    Format = "xz"
	LZMA  Format = "lzma" // LZMA-alone, the format of .lzma files
	LZ4   Format = "lz4"
)

// lz4Legacy is found only to be refused: its frames have no end mark, so that a truncated file looks whole.
const lz4Legacy Format = "lz4-legacy"

var extensions = map[string]Format{
	".gz": Gzip, ".gzip": Gzip, ".tgz": Gzip, ".zst": Zstd, ".zstd": Zstd, ".bz2": Bzip2, ".xz": XZ, ".lzma": LZMA, ".lz4": LZ4,
}

// ByName is the format that a file name promises, None when it promises none.
func ByName(name string) Format {
	if f, ok := extensions[strings.ToLower(path.Ext(name))]; ok {
		return f
	}
	return None
}

var magics = []struct {
	format Format
	magic  string
	text   bool // the magic's beginning can also begin a text
}{
	{Gzip, "\x1f\x8b", false},
	{Zstd, "\x28\xb5\x2f\xfd", true},
	{Bzip2, "BZh", true},
	{XZ, "\xfd7zXZ\x00", false},
	{LZ4, "\x04\x22\x4d\x18", false},
	{lz4Legacy, "\x02\x21\x4c\x18", false},
}

// detect finds the format of a file from its first bytes. head is all of the file when whole. Cut tells that the file ends
// inside its magic number.
func detect(head []byte, whole bool, named Format) (f Format, cut bool) {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			if m.format == Bzip2 && !isBzip2(head, named) {
				return None, false
			}
			return m.format, false
		}
		if whole && len(head) > 0 && strings.HasPrefix(m.magic, string(head)) && (named == m.format || len(head) > 1 && !m.text) {
			return m.format, true
		}
	}
	if isSkippable(head) {
		return afterSkippable(head), false
	}
	if whole && named == Zstd || named == LZ4 && whole {
		if len(head) > 0 && len(head) < 4 && head[0]&0xf0 == 0x50 && strings.HasPrefix("\x2a\x4d\x18", string(head[1:])) {
			return named, true
		}
	}
	if isLZMA(head, whole, named) {
		return LZMA, false
	}
	return None, false
}

// isBzip2 tells a bzip2 file from a text that begins with BZh: the level and the magic of a block or of the end follow.
func isBzip2(head []byte, named Format) bool {
	if named == Bzip2 {
		return true
	}
	if len(head) < 4 {
		return false
	}
	rest := string(head[4:min(len(head), 10)])
	return head[3] >= '1' && head[3] <= '9' &&
		(strings.HasPrefix("\x31\x41\x59\x26\x53\x59", rest) || strings.HasPrefix("\x17\x72\x45\x38\x50\x90", rest))
}

// isLZMA recognises the header of LZMA-alone, which has no magic number: one byte of properties, four of dictionary size, eight
// of size. The sizes that encoders write are few, and none of them looks like text.
func isLZMA(head []byte, whole bool, named Format) bool {
	if len(head) == 0 || head[0] != 0x5d && (named != LZMA || head[0] >= 9*5*5) {
		return false
	}
	if len(head) < unxz.AloneHeader+1 {
		return whole && named == LZMA
	}
	dict := binary.LittleEndian.Uint32(head[1:])
	size := binary.LittleEndian.Uint64(head[5:])
	if size != 1<<64-1 && size >= 1<<38 || head[unxz.AloneHeader] != 0 {
		return false
	}
	if dict == 1<<32-1 {
		return true
	}
	for n := 10; n < 32; n++ {
		if dict == 1<<n || dict == 1<<n+1<<(n-1) {
			return true
		}
	}
	return false
}

const skippableHeader = 8

// isSkippable tells whether data begins with a skippable frame, which zstd and lz4 share.
func isSkippable(data []byte) bool {
	return len(data) >= 4 && binary.LittleEndian.Uint32(data)&^0xf == 0x184d2a50
}

// afterSkippable finds which of the two a file is that begins with skippable frames. Where the head does not reach far enough
// it is taken for zstd, whose tools write such frames.
func afterSkippable(head []byte) Format {
	for isSkippable(head) && len(head) >= skippableHeader {
		n := uint64(binary.LittleEndian.Uint32(head[4:])) + skippableHeader
		if n > uint64(len(head)) {
			return Zstd
		}
		head = head[n:]
	}
	if bytes.HasPrefix(head, []byte("\x04\x22\x4d\x18")) {
		return LZ4
	}
	return Zstd
}

// looksLikeText tells whether the beginning of a file is text: valid UTF-8 without NUL.
func looksLikeText(head []byte) bool {
	head = head[:min(len(head), 512)]
	if bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n <= 1 && len(head) >= utf8.UTFMax {
			return false
		}
		head = head[n:]
	}
	return true
}
