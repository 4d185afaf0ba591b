package index

import (
	"bytes"
	"encoding/binary"
)

// arena holds the texts of many files without a pointer, a header or an allocation for each. What was added is never changed or
// moved, so views of it stay valid as long as somebody holds one.
//
// It consists of blocks instead of one growing slice: growing would copy, and for a moment hold everything twice. A block
// stands for itself, so that the arenas of several readers can be put together by renumbering their blocks.
//
// The record of a file is
//
//	distance back to the folder of its key | length of the name | name | head of the ETag | ETag
//
// with numbers as uvarints. Neighbours in key order share a folder, which is kept once in a block: its length, then its text.
// An ETag of lower-case hexadecimal digits is packed, two digits a byte.
type arena struct {
	blocks [][]byte
	folder int // offset of the newest folder in the last block, -1: none
}

// ref is the place of a record: the number of its block and the offset in there.
type ref uint64

const (
	refBits   = 20
	blockSize = 1 << refBits
)

// add copies the texts of a file into the arena.
func (a *arena) add(key, etag []byte) ref {
	split := bytes.LastIndexByte(key, '/') + 1
	if split > blockSize/2 {
		split = 0 // so that the offset of a record fits a ref
	}
	folder, name := key[:split], key[split:]
	last := len(a.blocks) - 1
	need := len(key) + len(etag) + 5*binary.MaxVarintLen64
	if last < 0 || len(a.blocks[last])+need > cap(a.blocks[last]) {
		// A record that is longer than a block gets a block of its own, where its offset is small.
		size := min(blockSize, 4096<<(2*min(len(a.blocks), 4))) // most arenas are small
		a.blocks = append(a.blocks, make([]byte, 0, max(size, need)))
		a.folder = -1
		last++
	}
	block := a.blocks[last]
	if a.folder < 0 || string(text(block[a.folder:])) != string(folder) {
		a.folder = len(block)
		block = binary.AppendUvarint(block, uint64(len(folder)))
		block = append(block, folder...)
	}
	at := len(block)
	block = binary.AppendUvarint(block, uint64(at-a.folder))
	block = binary.AppendUvarint(block, uint64(len(name)))
	block = append(block, name...)
	a.blocks[last] = AppendPacked(block, etag)
	return ref(last)<<refBits | ref(at)
}

// record is a file's texts, for reading only.
func (a *arena) record(at ref) (folder, name, packed []byte) {
	block := a.blocks[at>>refBits]
	offset := int(at & (blockSize - 1))
	back, n := binary.Uvarint(block[offset:])
	folder = text(block[offset-int(back):])
	length, m := binary.Uvarint(block[offset+n:])
	start := offset + n + m
	end := start + int(length)
	return folder, block[start:end:end], block[end:]
}

// text is the text at the beginning of b, where its length stands.
func text(b []byte) []byte {
	length, n := binary.Uvarint(b)
	return b[n : n+int(length)]
}

// join adds the blocks of another arena, whose refs grow by what it returns.
func (a *arena) join(b *arena) ref {
	shift := ref(len(a.blocks)) << refBits
	a.blocks = append(a.blocks, b.blocks...)
	a.folder = -1
	return shift
}
