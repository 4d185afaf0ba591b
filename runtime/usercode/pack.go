package usercode

import (
	"bytes"

	"github.com/tafc/tafc/runtime/pymarshal"
)

// mostPacked is the longest record whose value is passed on: it is in memory several times.
const mostPacked = 1 << 20

// packer makes of the records of a block what Python's marshal reads, which is much less work there than reading JSON.
type packer struct {
	values []byte
	sizes  []int // of the value of each record, 0 for one that the helper must read itself
}

// take makes the values of a block's records, which are JSON, behind the first TAB where they have keys.
func (p *packer) take(b *Block) {
	p.values, p.sizes = p.values[:0], p.sizes[:0]
	for i := range b.Len() {
		value, before := b.Record(i), len(p.values)
		if b.Keyed {
			_, value, _ = bytes.Cut(value, []byte{'\t'})
		}
		if len(value) <= mostPacked {
			p.values, _ = pymarshal.Append(p.values, value)
		}
		p.sizes = append(p.sizes, len(p.values)-before)
	}
}
