package usercode

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/tafc/tafc/runtime/job"
)

// The types of frames, see docs/helper-protocol.md.
const (
	frameHello = 'H'
	frameFile  = 'F'
	frameBlock = 'B'
	framePairs = 'P' // in both directions
	frameEnd   = 'Z'

	frameReady    = 'R'
	frameAck      = 'A'
	frameBad      = 'E'
	frameCounters = 'C'
	frameLog      = 'G'
	frameFatal    = 'X'
	frameDone     = 'D'
	frameAnswer   = 'K' // to a call
	frameMark     = 'M' // what follows belongs to a record that is not done
	frameUndo     = 'U' // that record is bad
)

const (
	frameHeader = 5       // the type and the length of the payload
	frameSize   = 1 << 20 // what both sides collect before they write a frame
)

// flags of a block.
const (
	blockLines = 1 << iota
	blockKeyed
	blockLongNumbers // somewhere stand longNumber digits or more
	blockPacked      // with the values of its records for Python's marshal
)

// longNumber is how many digits a whole number has at least that does not fit 64 bits.
const longNumber = 19

// hasLongNumber tells whether longNumber digits stand in a row. It looks at each of so many bytes, and around it only when that is a
// digit.
func hasLongNumber(data []byte) bool {
	digit := func(i int) bool { return data[i]-'0' <= 9 }
	for i := longNumber - 1; i < len(data); i += longNumber {
		if !digit(i) {
			continue
		}
		first, behind := i, i+1
		for first > 0 && digit(first-1) {
			first--
		}
		for behind < len(data) && digit(behind) && behind-first < longNumber {
			behind++
		}
		if behind-first >= longNumber {
			return true
		}
	}
	return false
}

// flags of values of one key.
const (
	chunkFirst = 1 << iota
	chunkLast
)

type hello struct {
	Version  int      `json:"version"`
	Role     job.Role `json:"role"`
	Contract string   `json:"contract"`
	Function string   `json:"function"`
	Dir      string   `json:"dir"`
	Entry    string   `json:"entry"`
	Format   string   `json:"format"` // pairs for those of another task
	Form     job.Form `json:"form"`
	Dims     []string `json:"dims"`
	Fields   []string `json:"fields"`
	MaxPair  int64    `json:"max_pair"`
	Calls    bool     `json:"calls,omitempty"` // answer key by key
}

const protocolVersion = 1

type fileFrame struct {
	Key  string   `json:"key"`
	Dims []string `json:"dims"`
}

type readyFrame struct {
	Contract string   `json:"contract"`
	Form     job.Form `json:"form"`
	Finish   bool     `json:"finish"` // the code has a finish hook
	Packed   bool     `json:"packed"` // values may come for Python's marshal
}

type badFrame struct {
	Index int    `json:"index"` // of the record in the block
	Kind  string `json:"kind"`  // parse, or code
	failure
}

type fatalFrame struct {
	Kind string `json:"kind"` // code, or bug
	failure
	Seq   uint32 `json:"seq"`   // the block it was at, 0 for none
	Index int    `json:"index"` // the record of it
	Group uint64 `json:"group"` // the key it was at, counted from 1, 0 for none
	Load  bool   `json:"load"`  // the code could not be loaded or set up
}

// failure is an exception in user code.
type failure struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Place   string `json:"place"` // mapper.py:12, the innermost in the user's code
	Stack   string `json:"stack"`
	Hint    string `json:"hint"`
}

// appendHeader begins a frame whose payload has size bytes.
func appendHeader(dst []byte, kind byte, size int) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, kind), uint32(size))
}

func appendFrame(dst []byte, kind byte, payload []byte) []byte {
	return append(appendHeader(dst, kind, len(payload)), payload...)
}

// appendBlock is a frame of a block but for the block's data, which follow, and the values that pack made of them, if it is not nil, behind.
func appendBlock(dst []byte, seq uint32, b *Block, pack *packer) (head, data []byte) {
	flags := byte(0)
	size := 9 // sequence number, number of records, flags
	if b.Lines {
		flags |= blockLines
	} else {
		size += 4 * b.Len()
	}
	if b.Keyed {
		flags |= blockKeyed
	}
	if n := b.Len(); n > 0 {
		data = b.Data[:b.Ends[n-1]+1]
	}
	values := 0
	if pack != nil {
		flags |= blockPacked
		size += 4 * b.Len()
		values = len(pack.values)
	} else if hasLongNumber(data) {
		flags |= blockLongNumbers
	}
	dst = appendHeader(dst, frameBlock, size+len(data)+values)
	dst = binary.LittleEndian.AppendUint32(dst, seq)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(b.Len()))
	dst = append(dst, flags)
	if pack != nil {
		for _, size := range pack.sizes {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(size))
		}
	}
	if !b.Lines {
		start := 0
		for _, end := range b.Ends {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(end-start))
			start = end + 1
		}
	}
	return dst, data
}

// frameReader reads what a helper says.
type frameReader struct {
	r     *bufio.Reader
	limit int // bytes of the largest payload
}

func newFrameReader(r io.Reader, limit int) *frameReader {
	return &frameReader{bufio.NewReaderSize(r, 64<<10), limit}
}

// next reads a frame; its payload is not used again. The error is io.EOF only between frames.
func (f *frameReader) next() (kind byte, payload []byte, err error) {
	var head [frameHeader]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.LittleEndian.Uint32(head[1:])
	if uint64(size) > uint64(f.limit) {
		return 0, nil, fmt.Errorf("a frame of type %q says that it has %d bytes, more than %d", head[0], size, f.limit)
	}
	// A length that is not true must not take memory before the bytes are there.
	if size <= 2*frameSize {
		payload = make([]byte, size)
		_, err = io.ReadFull(f.r, payload)
	} else {
		var b bytes.Buffer
		_, err = io.CopyN(&b, f.r, int64(size))
		payload = b.Bytes()
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return head[0], payload, err
}
