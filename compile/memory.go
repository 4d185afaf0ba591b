package compile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// Memory keeps what one plan found for the next one. Whatever it says is checked; it may forget anything at any time.
type Memory interface {
	// Load returns what was stored under a key last, or nil.
	Load(key string) []byte
	// Store is best effort. The key is 64 hexadecimal digits.
	Store(key string, data []byte)
}

// memoryVersion changes when what is remembered, or what it is found with, changes.
const memoryVersion = "tafc-batches/1"

// memoryLimit bounds what is remembered of one filter, in bytes.
const memoryLimit = 256 << 20

// memoryKey is a digest of everything that the batches depend on, or empty when that cannot be told at little cost.
func (rd *reading) memoryKey(ctx context.Context, src index.Source) string {
	if _, live := src.(index.Pruner); live || rd.w.Memory == nil {
		return ""
	}
	revision, err := src.Revision(ctx)
	if err != nil {
		return ""
	}
	ix := *rd.index
	ix.Block = lang.Block{} // its places in the file
	var limits []lang.Batch
	for _, s := range rd.stages {
		limits = append(limits, s.Batch)
	}
	layout := src.Layout()
	if rd.layout != nil {
		layout = rd.layout.Template()
	}
	text, err := json.Marshal([]any{memoryVersion, ix, src.String(), revision, layout, src.Root(), rd.root, rd.filter, limits})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// remembered is a Selection without its files.
type remembered struct {
	Selection index.Selection
	Layout    string
	Matched   int
	Batches   []int // how many each stage has
}

// remember stores a selection and the batches of the stages that read it: a checksum of what follows, the length of a document, the document,
// and for each batch its group, path, number of files, bytes and digest.
func (rd *reading) remember(key string, sel *index.Selection, batches [][]Batch) {
	if !encodable(sel) {
		return
	}
	head := remembered{Selection: *sel, Matched: sel.Files.Len()}
	head.Selection.Files, head.Selection.Layout = nil, nil
	if sel.Layout != nil {
		head.Layout = sel.Layout.Template()
	}
	for _, list := range batches {
		head.Batches = append(head.Batches, len(list))
	}
	text, err := json.Marshal(head)
	if err != nil {
		return
	}
	out := make([]byte, sha256.Size, sha256.Size+len(text)+1024)
	out = binary.AppendUvarint(out, uint64(len(text)))
	out = append(out, text...)
	for _, list := range batches {
		for _, b := range list {
			out = appendText(appendText(out, b.Group), b.Path)
			out = binary.AppendUvarint(out, uint64(b.Count))
			out = binary.AppendUvarint(out, uint64(b.Bytes))
			out = append(out, b.Digest[:]...)
		}
	}
	if len(out) > memoryLimit {
		return
	}
	sum := sha256.Sum256(append([]byte(key), out[sha256.Size:]...))
	copy(out, sum[:])
	rd.w.Memory.Store(key, out)
}

// encodable tells whether JSON keeps the texts of a selection as they are: names of files need not be UTF-8.
func encodable(sel *index.Selection) bool {
	for _, d := range sel.Dimensions {
		for _, v := range d.Values {
			if !utf8.ValidString(v.Value) {
				return false
			}
		}
	}
	return !slices.ContainsFunc(sel.UnparsedSample, func(key string) bool { return !utf8.ValidString(key) })
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// recall is the inverse of remember. Anything that is not whole is not recalled.
func (rd *reading) recall(key string) (*index.Selection, [][]Batch, bool) {
	if key == "" {
		return nil, nil, false
	}
	data := rd.w.Memory.Load(key)
	if len(data) < sha256.Size {
		return nil, nil, false
	}
	sum := sha256.Sum256(append([]byte(key), data[sha256.Size:]...))
	if !bytes.Equal(sum[:], data[:sha256.Size]) {
		return nil, nil, false
	}
	m := memoryReader{rest: data[sha256.Size:]}
	var head remembered
	if json.Unmarshal(m.bytes(m.number()), &head) != nil || len(head.Batches) != len(rd.stages) {
		return nil, nil, false
	}
	sel := &head.Selection
	if head.Layout != "" {
		layout, err := index.ParseLayout(head.Layout)
		if err != nil {
			return nil, nil, false
		}
		sel.Layout = layout
	}
	sel.Files = index.Unread(head.Matched, sel.Layout)
	var batches [][]Batch
	for _, n := range head.Batches {
		batches = append(batches, m.batches(n))
	}
	return sel, batches, !m.bad && len(m.rest) == 0
}

// memoryReader reads what remember wrote.
type memoryReader struct {
	rest []byte
	bad  bool
	last string // neighbours share their group
}

func (m *memoryReader) number() int {
	v, n := binary.Uvarint(m.rest)
	if n <= 0 {
		m.bad = true
		return 0
	}
	m.rest = m.rest[n:]
	return int(v)
}

func (m *memoryReader) bytes(n int) []byte {
	if n < 0 || n > len(m.rest) {
		m.bad = true
		return nil
	}
	b := m.rest[:n]
	m.rest = m.rest[n:]
	return b
}

func (m *memoryReader) batches(n int) []Batch {
	batches := make([]Batch, 0, max(0, min(n, len(m.rest)/sha256.Size)))
	for range n {
		if m.bad {
			return nil
		}
		if group := m.bytes(m.number()); string(group) != m.last {
			m.last = string(group)
		}
		b := Batch{Group: m.last, Path: string(m.bytes(m.number())), Count: m.number(), Bytes: int64(m.number())}
		copy(b.Digest[:], m.bytes(sha256.Size))
		batches = append(batches, b)
	}
	return slices.Clip(batches)
}
