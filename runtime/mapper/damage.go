package mapper

import (
	"errors"
	"io"
	"path"

	"github.com/tafc/tafc/runtime/codec"
	"github.com/tafc/tafc/runtime/job"
)

// This file is about files whose content proves to be wrong after records of them have been mapped: formats have their checksums at the end of a block, or of
// the file. A policy may tolerate such a file, but not that its wrong records count: the map begins again without it. Of a file that is
// cut, what comes before the cut is right, and counts.

// errDamaged says that the map has to begin again without a file.
var errDamaged = errors.New("a file proved to be damaged after records of it were mapped")

// unsound tells whether an error says that what was read before may be wrong.
func unsound(err error) bool {
	var corrupt *codec.CorruptError
	var damaged *failure
	switch {
	case errors.As(err, &corrupt):
		return !corrupt.Sound()
	case errors.As(err, &damaged):
		return damaged.unsound
	}
	return false
}

// suspect notes a file that proved to be damaged after records of it have been mapped. It tells whether the policy tolerates that, so that the map has to begin
// again without the file.
func (t *task) suspect(i int, end *fileEnd, err error) bool {
	if end.records == 0 || !unsound(err) {
		return false
	}
	t.damaged, t.reading = end, i
	return !t.spec.Tolerate.BadFiles.IsZero()
}

func (t *task) dropAs(i int, end *fileEnd) {
	if t.dropped == nil {
		t.dropped = map[int]*fileEnd{}
	}
	end.records = 0
	t.dropped[i] = end
	t.j.event("file.damaged", field{"file", end.key}, field{"message", end.failed.Message})
	t.j.say("%s; the map begins again without it", end.failed.Message)
}

// blame looks whether a failure comes of a damaged file, whose wrong bytes were mapped before its checksum could tell: the one that was being read, because
// those before were found to be right at their ends. Then it is the file that failed; again, when the map may begin again without it.
func (t *task) blame(err error) (failed error, again bool) {
	if t.reading < 0 || t.ctx.Err() != nil || t.dropped[t.reading] != nil {
		return err, false
	}
	if !errors.Is(err, errDamaged) {
		f := explain(err)
		switch f.cause {
		case job.CauseCode, job.CauseCorrupt, job.CauseTolerance:
		default:
			return err, false
		}
		if f.File != "" && f.File != t.spec.Files[t.reading].Key {
			return err, false
		}
	}
	end := t.damaged
	if end == nil {
		end = t.damage(t.reading)
	}
	switch {
	case end == nil:
		return err, false
	case t.spec.Tolerate.BadFiles.IsZero():
		return end.failed, false
	}
	t.dropAs(t.reading, end)
	return nil, true
}

// damage reads a file to its end and tells what is wrong with its content, nil when nothing is.
func (t *task) damage(i int) *fileEnd {
	plan := t.spec.Files[i]
	f, err := t.fetch(t.ctx, plan)
	if err != nil {
		return nil
	}
	defer f.Close()
	if f.open() != nil {
		return nil
	}
	end := &fileEnd{key: plan.Key}
	d, err := codec.NewReader(f, codec.Options{Name: path.Base(plan.Key), MaxWindow: t.limit() / 2})
	if err == nil {
		defer d.Close()
		end.decompressed, err = io.Copy(io.Discard, d)
	}
	if !unsound(err) || f.from.drifted(false) != nil {
		return nil
	}
	end.wire, end.failed = f.at, fileFailure(t.spec, plan.Key, err)
	return end
}
