package mapper

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
)

// badRecord is a record that is set aside.
type badRecord struct {
	place     job.Place
	raw       []byte
	cause     job.Cause
	message   string
	signature string
	stack     string
	hint      string
	unframed  bool // it is no record of the format
}

// quarantined is a line of quarantine.jsonl.zst.
type quarantined struct {
	File      string    `json:"file"`
	Record    int64     `json:"record"`
	Offset    int64     `json:"offset"`
	Cause     job.Cause `json:"cause"`
	Signature string    `json:"signature"`
	Message   string    `json:"message"`
	Stack     string    `json:"stack,omitempty"`
	Text      *string   `json:"text,omitempty"`
	Base64    string    `json:"base64,omitempty"` // instead of text, when the record is not UTF-8
	Unframed  bool      `json:"unframed,omitempty"`
}

const quarantineFile = "quarantine.jsonl.zst"

// otherGroup takes the records of all signatures after the first maxGroups.
const (
	maxGroups  = 100
	otherGroup = "(other)"
)

// quarantine writes the records that are set aside. The file is there only when there is one.
type quarantine struct {
	dir     string
	f       *os.File
	z       *zstd.Encoder
	sum     hash.Hash
	records int64
	// of records those that are none of the format
	unframed int64
	groups   []*job.QuarantineGroup
	index    map[string]*job.QuarantineGroup
}

func (q *quarantine) add(b *badRecord) error {
	if q.f == nil {
		f, err := os.Create(filepath.Join(q.dir, quarantineFile))
		if err != nil {
			return &pairs.WriteError{Err: err}
		}
		q.f, q.sum, q.index = f, sha256.New(), map[string]*job.QuarantineGroup{}
		q.z, err = zstd.NewWriter(io.MultiWriter(f, q.sum), zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return err
		}
	}
	line := quarantined{File: b.place.File, Record: b.place.Record, Offset: b.place.Offset, Cause: b.cause, Signature: b.signature, Message: b.message, Stack: b.stack, Unframed: b.unframed}
	if utf8.Valid(b.raw) {
		text := string(b.raw)
		line.Text = &text
	} else {
		line.Base64 = base64.StdEncoding.EncodeToString(b.raw)
	}
	data, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err := q.z.Write(append(data, '\n')); err != nil {
		return &pairs.WriteError{Err: err}
	}
	q.records++
	if b.unframed {
		q.unframed++
	}
	q.count(b)
	return nil
}

func (q *quarantine) count(b *badRecord) {
	signature := b.signature
	g := q.index[signature]
	if g == nil && len(q.groups) >= maxGroups {
		signature = otherGroup
		g = q.index[signature]
	}
	if g == nil {
		g = &job.QuarantineGroup{Signature: signature, Example: b.place}
		q.index[signature] = g
		q.groups = append(q.groups, g)
	}
	g.Records++
}

// discard removes the file.
func (q *quarantine) discard() error {
	dir := q.dir
	if q.f != nil {
		q.z.Close()
		q.f.Close()
		if err := os.Remove(filepath.Join(dir, quarantineFile)); err != nil {
			return &pairs.WriteError{Err: err}
		}
	}
	*q = quarantine{dir: dir}
	return nil
}

// finish closes the file and describes it; nil when there is none.
func (q *quarantine) finish() (*job.Quarantine, error) {
	if q.f == nil {
		return nil, nil
	}
	err := q.z.Close()
	fi, statErr := q.f.Stat()
	err = cmp.Or(err, statErr, q.f.Close())
	if err != nil {
		return nil, &pairs.WriteError{Err: err}
	}
	out := &job.Quarantine{Path: quarantineFile, Digest: hex.EncodeToString(q.sum.Sum(nil)), Size: fi.Size(), Records: q.records, Unframed: q.unframed}
	slices.SortStableFunc(q.groups, func(a, b *job.QuarantineGroup) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Signature, b.Signature))
	})
	for _, g := range q.groups {
		out.Groups = append(out.Groups, *g)
	}
	return out, nil
}
