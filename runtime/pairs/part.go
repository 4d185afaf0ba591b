package pairs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/tafc/tafc/runtime/job"
)

// PartWriter writes one result file and describes it.
type PartWriter struct {
	*Writer
	f    *os.File
	sum  hash.Hash
	size int64
	part job.Part
}

// CreatePart creates the file of a partition in dir. Its errors and those of Finish are *WriteErrors.
func CreatePart(dir string, partition int) (*PartWriter, error) {
	name := fmt.Sprintf("part-%05d%s", partition, Suffix)
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, &WriteError{err}
	}
	p := &PartWriter{f: f, sum: sha256.New(), part: job.Part{Partition: partition, Path: name}}
	if p.Writer, err = NewWriter(p.sink()); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

func (p *PartWriter) sink() io.Writer {
	return writerFunc(func(b []byte) (int, error) {
		p.sum.Write(b)
		n, err := p.f.Write(b)
		p.size += int64(n)
		return n, err
	})
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(b []byte) (int, error) { return w(b) }

// Add appends a pair.
func (p *PartWriter) Add(key, value []byte) error {
	if err := p.Writer.Add(key, value); err != nil {
		return &WriteError{err}
	}
	return nil
}

// Finish ends and closes the file.
func (p *PartWriter) Finish() (job.Part, error) {
	err := p.Writer.Close()
	if closed := p.f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return job.Part{}, &WriteError{err}
	}
	p.part.Digest, p.part.Size, p.part.Pairs = hex.EncodeToString(p.sum.Sum(nil)), p.size, p.Count()
	return p.part, nil
}

// Abandon closes the file without ending it, after an error.
func (p *PartWriter) Abandon() { p.f.Close() }

// partWriter writes partitions one after the other.
type partWriter struct {
	dir  string
	open *PartWriter
	done []job.Part
}

// to makes partition n the open one; those before it that have no pairs get empty files.
func (p *partWriter) to(n int) error {
	for p.open == nil || p.open.part.Partition < n {
		next := 0
		if p.open != nil {
			next = p.open.part.Partition + 1
			part, err := p.open.Finish()
			p.open = nil
			if err != nil {
				return err
			}
			p.done = append(p.done, part)
		}
		var err error
		if p.open, err = CreatePart(p.dir, next); err != nil {
			return err
		}
	}
	return nil
}

func (p *partWriter) add(key, value []byte) error { return p.open.Add(key, value) }

func (p *partWriter) finish(partitions int) ([]job.Part, error) {
	if err := p.to(partitions - 1); err != nil {
		return nil, err
	}
	part, err := p.open.Finish()
	p.open = nil
	if err != nil {
		return nil, err
	}
	return append(p.done, part), nil
}

func (p *partWriter) abandon() {
	if p.open != nil {
		p.open.Abandon()
	}
}

// openParts is how many partitions WriteSorted keeps open at once.
const openParts = 32

// WriteSorted writes a sorted source to the files of its partitions. Few partitions are written side by side; many go through a
// collector.
func WriteSorted(ctx context.Context, src Source, dir string, o CollectorOptions) ([]job.Part, error) {
	if o.Partitions > openParts {
		c := NewCollector(o)
		for {
			key, value, err := src.Next()
			if err == io.EOF {
				return c.Write(ctx, dir)
			}
			if err != nil {
				return nil, err
			}
			if err := c.Add(ctx, key, value); err != nil {
				return nil, err
			}
		}
	}
	var open []*PartWriter
	defer func() {
		for _, p := range open {
			p.Abandon()
		}
	}()
	for i := range o.Partitions {
		p, err := CreatePart(dir, i)
		if err != nil {
			return nil, err
		}
		open = append(open, p)
	}
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		key, value, err := src.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := open[Partition(key, o.Partitions)].Add(key, value); err != nil {
			return nil, err
		}
	}
	var parts []job.Part
	for _, p := range open {
		part, err := p.Finish()
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// Part is the source of one result file, checked against what is known of it: pairs, size, and digest.
func Part(p job.Part) Input {
	return func() (SourceCloser, error) {
		f, err := os.Open(p.Path)
		if err != nil {
			return nil, &PartError{Path: p.Path, Err: err}
		}
		s := &partReader{part: p, f: f, sum: sha256.New()}
		if s.Reader, err = NewReader(io.TeeReader(f, s.sum)); err != nil {
			f.Close()
			return nil, &PartError{Path: p.Path, Err: err}
		}
		return s, nil
	}
}

// PartError says that a result file cannot be read, or is not the one that was written.
type PartError struct {
	Path string
	Err  error
}

func (e *PartError) Error() string { return fmt.Sprintf("result file %s: %v", e.Path, e.Err) }
func (e *PartError) Unwrap() error { return e.Err }

type partReader struct {
	*Reader
	part job.Part
	f    *os.File
	sum  hash.Hash
}

func (s *partReader) Next() (key, value []byte, err error) {
	key, value, err = s.Reader.Next()
	if err == io.EOF {
		if bad := s.check(); bad != nil {
			err = bad
		}
	}
	if err != nil && err != io.EOF {
		err = &PartError{Path: s.part.Path, Err: err}
	}
	return key, value, err
}

func (s *partReader) check() error {
	if s.Count() != s.part.Pairs {
		return &FormatError{fmt.Errorf("it holds %d pairs, its task wrote %d", s.Count(), s.part.Pairs)}
	}
	// Everything was decompressed, so all but what may follow the frame has passed the hash.
	if _, err := io.Copy(s.sum, s.f); err != nil {
		return err
	}
	if got := hex.EncodeToString(s.sum.Sum(nil)); s.part.Digest != "" && got != s.part.Digest {
		return &FormatError{fmt.Errorf("its SHA-256 is %s, its task wrote %s", got, s.part.Digest)}
	}
	return nil
}

func (s *partReader) Close() {
	s.Reader.Close()
	s.f.Close()
}
