package index

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// Digest makes a revision out of the rows of a source, added in key order. Two sources with the same rows have the same one.
type Digest struct {
	hash *xxhash.Digest
	head [3 * binary.MaxVarintLen64]byte
}

// NewDigest returns the Digest of no rows.
func NewDigest() *Digest { return &Digest{hash: xxhash.New()} }

// Add adds the next row.
func (d *Digest) Add(f File) {
	head := binary.AppendUvarint(d.head[:0], uint64(len(f.Key)))
	head = binary.AppendUvarint(head, uint64(len(f.ETag)))
	head = binary.AppendVarint(head, f.Size)
	// Writing to a hash cannot fail.
	_, _ = d.hash.Write(head)
	_, _ = d.hash.Write(f.Key)
	_, _ = d.hash.Write(f.ETag)
	for _, value := range f.Dims {
		d.addText(string(value))
	}
}

func (d *Digest) addText(text string) {
	_, _ = d.hash.Write(binary.AppendUvarint(d.head[:0], uint64(len(text))))
	_, _ = d.hash.WriteString(text)
}

// String is the revision, in hex.
func (d *Digest) String() string { return fmt.Sprintf("%016x", d.hash.Sum64()) }
