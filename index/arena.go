package index

import (
	"encoding/binary"
	"unsafe"
)

// arena holds many short texts without a pointer, a header or an allocation for each. Texts are never changed or moved once
// added, so views of them stay valid as long as somebody holds one.
//
// It consists of blocks instead of one growing slice: growing would copy, and for a moment hold everything twice.
type arena struct {
	blocks [][]byte
}

// ref is the place of a text: the number of its block and the offset of its length in there.
type ref uint64

const (
	refBits   = 20
	blockSize = 1 << refBits
)

// add copies a text into the arena.
func (a *arena) add(text []byte) ref {
	need := len(text) + binary.MaxVarintLen64
	last := len(a.blocks) - 1
	if last < 0 || len(a.blocks[last])+need > cap(a.blocks[last]) {
		// A text that is longer than a block gets a block of its own, where its offset is 0.
		a.blocks = append(a.blocks, make([]byte, 0, max(blockSize, need)))
		last++
	}
	block := a.blocks[last]
	at := ref(last)<<refBits | ref(len(block))
	block = binary.AppendUvarint(block, uint64(len(text)))
	a.blocks[last] = append(block, text...)
	return at
}

// bytes is the text at a place, for reading only.
func (a *arena) bytes(at ref) []byte {
	block := a.blocks[at>>refBits]
	tail := block[at&(blockSize-1):]
	length, n := binary.Uvarint(tail)
	end := n + int(length)
	return tail[n:end:end]
}

// text is the text at a place. It shares the arena's memory, which nobody writes to again.
func (a *arena) text(at ref) string {
	b := a.bytes(at)
	return unsafe.String(unsafe.SliceData(b), len(b))
}
