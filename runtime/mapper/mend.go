package mapper

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/runtime/usercode"
)

// takeOver begins a result with what an earlier one has: its pairs, and its ledger without the quarantined records, which are read again.
// The earlier result stays as it is, and this one counts when it is committed, so that a record is in exactly one of the two.
func (t *task) takeOver() error {
	base := t.spec.Mend
	l := &t.rep.Ledger
	*l = base.Ledger
	l.Files.Losses = slices.Clone(base.Ledger.Files.Losses)
	l.Records.Read -= l.Records.Quarantined
	l.Records.Quarantined, l.Records.Emitted, l.Bytes.Written, l.PeakMemory = 0, 0, 0, 0
	t.rep.Mended, t.rep.Transient = base.Key, t.rep.Transient || base.Transient
	for name, n := range base.Counters {
		(*sink)(t).Count(name, n)
	}
	limit := t.spec.Tolerate.BadFiles
	if lost := l.Files.Failed; lost > 0 && (limit.IsZero() || limit.Exceeded(lost, l.Files.Planned)) {
		e := fail(job.CauseTolerance, fmt.Sprintf("%d of %d files are lost, more than the tolerated %s; the first: %s", lost, l.Files.Planned, limitText(limit), l.Files.Losses[0].Message))
		e.Hint = "mend the files and plan again, or raise bad_files"
		return e
	}
	for _, p := range base.Parts {
		if err := t.takePart(p); err != nil {
			return err
		}
	}
	return nil
}

func (t *task) takePart(p job.Part) error {
	src, err := pairs.Part(p)()
	if err != nil {
		return err
	}
	defer src.Close()
	for {
		key, value, err := src.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = t.out.Add(t.ctx, key, value)
		}
		if err != nil {
			return err
		}
	}
}

// mapQuarantined feeds the records of a quarantine to the program, as it got them the first time.
func (t *task) mapQuarantined() error {
	q := t.spec.Mend.Quarantine
	r, err := openQuarantine(q)
	if err != nil {
		return err
	}
	defer r.close()
	dims := map[string][]string{}
	for _, f := range t.spec.Files {
		dims[f.Key] = f.Dims
	}
	var block *usercode.Block
	flush := func() error {
		b := block
		if block = nil; b == nil {
			return nil
		}
		if err := t.push(&entry{block: b}); err != nil {
			return err
		}
		return t.give(b)
	}
	for {
		if t.ctx.Err() != nil {
			return t.ctx.Err()
		}
		line, err := r.next()
		if err == io.EOF {
			return flush()
		}
		if err != nil {
			return err
		}
		raw, err := line.raw()
		if err != nil {
			return r.damaged(err)
		}
		if block != nil && (line.Unframed || block.File != line.File || len(block.Data) >= blockSize) {
			if err := flush(); err != nil {
				return err
			}
		}
		if line.Unframed {
			if err := t.push(&entry{bad: []*badRecord{line.bad(raw)}}); err != nil {
				return err
			}
			continue
		}
		if block == nil {
			pairs := len(t.spec.Upstream) > 0
			block = &usercode.Block{File: line.File, Dims: dims[line.File], First: line.Record, Lines: true, Keyed: pairs || t.spec.Format == "telemetry"}
		}
		block.Lines = block.Lines && bytes.IndexByte(raw, '\n') < 0
		block.Data = append(append(block.Data, raw...), '\n')
		block.Ends = append(block.Ends, len(block.Data)-1)
		block.Numbers = append(block.Numbers, line.Record)
		block.Offsets = append(block.Offsets, line.Offset)
	}
}

// quarantineReader reads the records of a quarantine.
type quarantineReader struct {
	q    *job.Quarantine
	f    *os.File
	z    *zstd.Decoder
	r    *bufio.Reader
	sum  hash.Hash
	read int64
}

func openQuarantine(q *job.Quarantine) (*quarantineReader, error) {
	r := &quarantineReader{q: q, sum: sha256.New()}
	f, err := os.Open(q.Path)
	if err != nil {
		return nil, r.damaged(err)
	}
	z, err := zstd.NewReader(io.TeeReader(f, r.sum), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		f.Close()
		return nil, r.damaged(err)
	}
	r.f, r.z, r.r = f, z, bufio.NewReaderSize(z, 64<<10)
	return r, nil
}

// next reads a line. io.EOF comes when the whole file was read and is the one that was written.
func (r *quarantineReader) next() (*quarantined, error) {
	text, err := r.r.ReadBytes('\n')
	switch {
	case err == io.EOF && len(text) == 0:
		if r.read != r.q.Records || hex.EncodeToString(r.sum.Sum(nil)) != r.q.Digest {
			return nil, r.damaged(fmt.Errorf("it is not the file that was written: %d of %d records", r.read, r.q.Records))
		}
		return nil, io.EOF
	case err != nil:
		return nil, r.damaged(err)
	}
	line := new(quarantined)
	if err := json.Unmarshal(text, line); err != nil {
		return nil, r.damaged(err)
	}
	r.read++
	return line, nil
}

func (r *quarantineReader) damaged(err error) *failure {
	cause := job.CauseCorrupt
	if errors.Is(err, os.ErrNotExist) {
		cause = job.CauseDownload
	}
	f := fail(cause, fmt.Sprintf("the quarantine of the earlier result cannot be read: %v", reason(err))).at(job.Place{File: r.q.Path})
	f.Hint = "an apply without the earlier result reads all records again"
	return f
}

func (r *quarantineReader) close() {
	r.z.Close()
	r.f.Close()
}

// raw is the record.
func (q *quarantined) raw() ([]byte, error) {
	if q.Text != nil {
		return []byte(*q.Text), nil
	}
	return base64.StdEncoding.DecodeString(q.Base64)
}

// bad is the record as it was set aside.
func (q *quarantined) bad(raw []byte) *badRecord {
	return &badRecord{
		place: job.Place{File: q.File, Record: q.Record, Offset: q.Offset, Text: usercode.Shorten(raw)},
		raw:   raw, cause: q.Cause, message: q.Message, signature: q.Signature, stack: q.Stack, unframed: true,
	}
}
