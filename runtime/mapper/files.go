package mapper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tafc/tafc/runtime/codec"
	"github.com/tafc/tafc/runtime/frame"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// fileEnd is how the reading of a file ended.
type fileEnd struct {
	key          string
	failed       *failure // nil: it was read to its end
	wire         int64
	decompressed int64
	records      int64
}

// mapFiles feeds the records of the files to the program.
func (t *task) mapFiles() error {
	t.rep.Ledger.Files.Planned = int64(len(t.spec.Files))
	files := &ahead{t: t}
	defer files.close()
	for i := range t.spec.Files {
		t.begun, t.reading = i+1, i
		end := &fileEnd{key: t.spec.Files[i].Key}
		f, err := files.open(i)
		if gone := t.dropped[i]; gone != nil {
			if err == nil {
				f.Close()
			}
			t.countDropped(gone)
			t.reading = -1
			if err := t.push(&entry{end: gone}); err != nil {
				return err
			}
			continue
		}
		if err == nil {
			err = t.mapFile(&t.spec.Files[i], f, end)
		}
		if err != nil {
			if stopped(err) || t.ctx.Err() != nil {
				return err
			}
			end.failed = fileFailure(t.spec, end.key, err)
			if end.failed.cause == job.CauseBug || end.failed.cause == job.CauseBadSpec {
				return end.failed
			}
			if t.suspect(i, end, err) {
				return errDamaged
			}
		}
		if t.damaged == nil {
			t.reading = -1
		}
		if err := t.push(&entry{end: end}); err != nil {
			return err
		}
		if t.damaged != nil {
			return nil // its end ends the task
		}
	}
	return nil
}

// mapFile feeds the records of one file. The error is errDoomed, errProgram, that of the context, or about the file.
func (t *task) mapFile(plan *job.File, f *reading, end *fileEnd) (err error) {
	defer f.Close()
	defer func() {
		end.wire = f.at
		t.countWire(f)
		t.rep.Seconds["fetch"] += f.spent.Seconds()
		if err != nil && !stopped(err) && t.ctx.Err() == nil {
			// A file that was replaced while it was read looks damaged. Say what it is.
			if drifted := f.f.from.drifted(false); drifted != nil {
				err = drifted
			}
		}
	}()
	// An operation is done with a block when it has taken it.
	d, r, err := open(f, plan, t.spec, t.spec.Operation != nil)
	if err != nil {
		return err
	}
	defer d.Close()
	if d.Misnamed() {
		t.j.event("file.misnamed", field{"file", plan.Key}, field{"format", d.Format()})
		t.j.say("notice: %s is named as %s, and read as what it is: %s", plan.Key, codec.ByName(plan.Key), d.Format())
	}
	err = t.feed(r, f)
	end.decompressed, end.records = d.Offset(), r.Records()
	if err != nil {
		return source(err)
	}
	if f.at != plan.Size && plan.Size >= 0 {
		return fail(job.CauseDrifted, fmt.Sprintf("file %s is not the one that was planned: planned %d bytes, read %d", plan.Key, plan.Size, f.at)).at(job.Place{File: plan.Key})
	}
	f.Close()
	if err := f.f.from.drifted(true); err != nil {
		return err
	}
	t.j.event("fetch.done", field{"file", plan.Key}, field{"bytes", f.at}, field{"failed_attempts", f.f.failed})
	t.j.event("decompress.done", field{"file", plan.Key}, field{"format", d.Format()}, field{"bytes", end.decompressed})
	t.j.say("downloaded %s, %s", plan.Key, bytesText(f.at))
	t.j.say("decompressed %s (%s), %s", plan.Key, d.Format(), bytesText(end.decompressed))
	return nil
}

// source takes off what a decompressor puts around the errors of the file below it.
func source(err error) error {
	var s *codec.SourceError
	if errors.As(err, &s) {
		return s.Err
	}
	return err
}

// feed hands the records of a file to the program.
func (t *task) feed(r *frame.Reader, f *reading) error {
	var filtered int64
	for {
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		item, err := r.Next()
		t.countFiltered(r.Filtered() - filtered)
		filtered = r.Filtered()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		t.countWire(f)
		if t.spec.Only > 0 {
			if item = t.only(item); item == (frame.Item{}) {
				continue
			}
		}
		if b := item.Bad; b != nil {
			signature, _, _ := strings.Cut(b.Message, ":")
			bad := &badRecord{place: b.Place, raw: b.Raw, cause: job.CauseCorrupt, message: BadMessage(b), signature: signature, unframed: true}
			if err := t.push(&entry{bad: []*badRecord{bad}}); err != nil {
				return err
			}
			continue
		}
		for _, e := range t.apartOf(item.Block) {
			if err := t.push(e); err != nil {
				return err
			}
			if e.block == nil {
				continue
			}
			if err := t.give(e.block); err != nil {
				return err
			}
		}
	}
}

// records gives fn the records of a file from number lo to below hi, in blocks, as far as the file can be read.
func (t *task) records(i int, lo, hi int64, fn func(*usercode.Block) error) error {
	in, err := OpenInput(t.ctx, t.spec.Files[i], t.spec)
	if err != nil {
		return context.Cause(t.ctx) // a file that cannot be opened has no records
	}
	defer in.Close()
	for {
		item, err := in.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return context.Cause(t.ctx) // what can be read no further ends here
		case item.Block == nil:
			continue
		}
		b := item.Block
		from, to := 0, b.Len()
		for from < to && b.Number(from) < lo {
			from++
		}
		for to > from && b.Number(to-1) >= hi {
			to--
		}
		if from < to {
			if err := fn(part(b, from, to)); err != nil {
				return err
			}
		}
		if b.Number(b.Len()-1) >= hi-1 {
			return nil
		}
	}
}

// only is what of an item is the record that the spec asks for; the others are counted as filtered.
func (t *task) only(item frame.Item) frame.Item {
	if bad := item.Bad; bad != nil {
		if bad.Place.Record == t.spec.Only {
			return item
		}
		t.countFiltered(1)
		return frame.Item{}
	}
	i, found := item.Block.Find(t.spec.Only)
	if !found {
		t.countFiltered(int64(item.Block.Len()))
		return frame.Item{}
	}
	t.countFiltered(int64(item.Block.Len() - 1))
	return frame.Item{Block: part(item.Block, i, i+1)}
}

// countFiltered counts records that are not meant.
func (t *task) countFiltered(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rep.Ledger.Records.Read += n
	t.rep.Ledger.Records.Filtered += n
}

// countWire puts into the ledger what was read of a file since the last time. What follows the last record counts as well.
func (t *task) countWire(f *reading) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rep.Ledger.Bytes.Wire += f.at - f.counted
	f.counted = f.at
}

// countDropped puts into the ledger what was read of a file that counts nothing.
func (t *task) countDropped(end *fileEnd) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rep.Ledger.Bytes.Wire += end.wire
}

// endFile accounts for a file, and fails when it is one too many that is lost. The caller holds mu.
func (t *task) endFile(end *fileEnd) error {
	l := &t.rep.Ledger
	l.Bytes.Decompressed += end.decompressed
	if end.failed == nil {
		l.Files.Done++
		t.j.event("file.done", field{"file", end.key}, field{"records", end.records}, field{"bytes", end.wire}, field{"decompressed", end.decompressed})
		t.j.say("rows processed %s, %d", end.key, end.records)
		return nil
	}
	f := end.failed
	l.Files.Failed++
	l.Files.Losses = append(l.Files.Losses, job.FailedFile{Key: end.key, Cause: f.cause, Message: f.Message, Offset: f.Offset, Records: end.records})
	t.j.event("file.failed", field{"file", end.key}, field{"cause", f.cause}, field{"message", f.Message}, field{"offset", f.Offset}, field{"records", end.records})
	t.j.say("failed %s: %s", end.key, f.Message)
	t.rep.Transient = t.rep.Transient || f.cause == job.CauseDownload
	limit := t.spec.Tolerate.BadFiles
	switch {
	case limit.IsZero(), f.cause == job.CauseDrifted:
		return f
	case limit.Exceeded(l.Files.Failed, l.Files.Planned):
		e := fail(job.CauseTolerance, fmt.Sprintf("%d of %d files are lost, more than the tolerated %s; the last: %s", l.Files.Failed, l.Files.Planned, limitText(limit), f.Message)).at(f.Place)
		e.Hint = "mend the files and plan again, or raise bad_files"
		return e
	}
	return nil
}
