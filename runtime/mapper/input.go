package mapper

import (
	"context"
	"io"
	"path"
	"sync"

	"github.com/tafc/tafc/runtime/codec"
	"github.com/tafc/tafc/runtime/frame"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/remote"
)

// open puts the reader of records above a file: what a map task and an Input read by. With reuse an Item is valid only until the next one.
// The caller closes the codec.Reader.
func open(f io.Reader, plan *job.File, spec *job.Spec, reuse bool) (*codec.Reader, *frame.Reader, error) {
	d, err := codec.NewReader(f, codec.Options{Name: path.Base(plan.Key), MaxWindow: memory(spec) / 2})
	if err != nil {
		return nil, nil, source(err)
	}
	r, err := frame.NewReader(d, frame.Options{File: plan.Key, Dims: plan.Dims, Format: spec.Format, Fields: spec.Fields,
		Where: spec.Where, Objects: !streaming(spec), MaxRecord: longest(spec), Reuse: reuse})
	if err != nil {
		d.Close()
		return nil, nil, fail(job.CauseBadSpec, err.Error())
	}
	return d, r, nil
}

// longest is how long a record may be, in bytes: as the spec says, and a quarter of the memory, because it stands there more than once.
func longest(spec *job.Spec) int64 {
	if room := memory(spec) / 4; spec.Limits.Record > room || spec.Limits.Record == 0 {
		return room
	}
	return spec.Limits.Record
}

// Input is one file, read as a map task reads it, by somebody who wants to see its records. It is not safe for concurrent use.
type Input struct {
	key  string
	spec *job.Spec
	f    *reading
	d    *codec.Reader
	r    *frame.Reader
}

// OpenInput opens a file for a map task of the spec. The spec's files, code and limits of time do not count. Errors say what a task
// would report of the file.
func OpenInput(ctx context.Context, file job.File, spec *job.Spec) (*Input, error) {
	own := *spec
	own.Files = []job.File{file}
	t := &task{ctx: ctx, spec: &own, j: &journal{}, remote: sync.OnceValue(func() *remote.Client { return remote.New(spec.S3) })}
	f, err := (&ahead{t: t}).open(0)
	if err != nil {
		return nil, fileFailure(spec, file.Key, err)
	}
	d, r, err := open(f, &file, &own, false)
	if err != nil {
		f.Close()
		return nil, fileFailure(spec, file.Key, err)
	}
	return &Input{key: file.Key, spec: &own, f: f, d: d, r: r}, nil
}

// Next returns the next block of records or bad record, in the order of the file, and io.EOF at its end. Another error comes
// after all records before the break.
func (in *Input) Next() (frame.Item, error) {
	item, err := in.r.Next()
	if err != nil && err != io.EOF {
		err = fileFailure(in.spec, in.key, source(err))
	}
	return item, err
}

// Compression is how the file is compressed.
func (in *Input) Compression() codec.Format { return in.d.Format() }

// Misnamed tells that the file's name promises another compression.
func (in *Input) Misnamed() bool { return in.d.Misnamed() }

// Filtered is the number of records so far that the conditions of the spec do not mean.
func (in *Input) Filtered() int64 { return in.r.Filtered() }

// Close closes the file.
func (in *Input) Close() {
	in.d.Close()
	in.f.Close()
}

// BadMessage says why a record is set aside.
func BadMessage(b *frame.Bad) string { return "the record does not parse: " + b.Message }
