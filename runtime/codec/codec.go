package codec

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/tafc/tafc/runtime/codec/gunzip"
	"github.com/tafc/tafc/runtime/codec/unxz"
)

// Options say how to read a file.
type Options struct {
	// Name is the file's name, or its key. Its extension only settles what the bytes leave open: an empty file, one that ends
	// inside its magic number, one whose beginning is damaged.
	Name string
	// MaxWindow limits the memory for what the format refers back to: dictionary, window. 0 means 128 MiB.
	MaxWindow int64
}

// CorruptError says that the data are damaged, truncated, or followed by something that does not belong to them.
type CorruptError struct {
	Format Format
	Offset int64 // decompressed bytes before the break
	Err    error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s data are corrupt after %d decompressed bytes: %v", e.Format, e.Offset, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// Sound tells that what came before the break is right: the data only end too early, or go on with something else. Otherwise some of it may be
// wrong, because checksums come last.
func (e *CorruptError) Sound() bool {
	return errors.Is(e.Err, ErrTruncated) || errors.Is(e.Err, ErrTrailing)
}

// WindowError says that decompressing needs more memory than allowed.
type WindowError struct {
	Format Format
	Need   int64 // bytes, 0 when unknown
	Limit  int64
}

func (e *WindowError) Error() string {
	if e.Need == 0 {
		return fmt.Sprintf("%s data need a larger window than the limit of %d bytes", e.Format, e.Limit)
	}
	return fmt.Sprintf("%s data need a window of %d bytes, the limit is %d", e.Format, e.Need, e.Limit)
}

// SourceError wraps an error of the reader that delivers the compressed data: it says nothing about the data.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }
func (e *SourceError) Unwrap() error { return e.Err }

// Errors inside a CorruptError.
var (
	ErrTruncated = errors.New("the file ends too early")
	ErrTrailing  = errors.New("other data follow the end of the compressed data")
)

// Reader decompresses. It is not safe for concurrent use.
type Reader struct {
	format Format
	named  Format
	limit  int64
	src    *source
	in     *bufio.Reader
	r      io.Reader
	close  func()
	offset int64
	err    error
}

const bufferSize = 256 << 10

// NewReader finds out how r is compressed and returns a reader of what is inside. An empty file is empty, and not
// compressed, unless its name promises a compression: then it is truncated, because no format's empty file is empty.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	if o.MaxWindow <= 0 {
		o.MaxWindow = 128 << 20
	}
	src := &source{r: r}
	in := newBuffer(src)
	head, err := in.Peek(64 << 10)
	whole := err == io.EOF
	if err != nil && !whole {
		return nil, &SourceError{Err: src.err}
	}
	d := &Reader{named: ByName(o.Name), limit: o.MaxWindow, src: src, in: in, close: func() {}}
	var cut bool
	d.format, cut = detect(head, whole, d.named)
	switch {
	case len(head) == 0 && d.named != None:
		return nil, &CorruptError{Format: d.named, Err: fmt.Errorf("%w: it is empty", ErrTruncated)}
	case cut:
		return nil, &CorruptError{Format: d.format, Err: ErrTruncated}
	case d.format == lz4Legacy:
		return nil, &CorruptError{Format: LZ4, Err: errors.New("legacy lz4 frames are not supported, because they have no end: compress again with a current lz4")}
	case d.format == None && d.named != None && !looksLikeText(head):
		return nil, &CorruptError{Format: d.named, Err: fmt.Errorf("the header is not one of %s", d.named)}
	}
	if err := d.open(in, head, o.MaxWindow); err != nil {
		return nil, d.classify(err)
	}
	return d, nil
}

// What is used again from file to file: a task reads many, and new memory costs more than reading a small file.
var (
	buffers   = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, bufferSize) }}
	inflaters sync.Pool // of *gunzip.Reader
)

func newBuffer(src io.Reader) *bufio.Reader {
	in := buffers.Get().(*bufio.Reader)
	in.Reset(src)
	return in
}

// Format is how the data are compressed.
func (d *Reader) Format() Format { return d.format }

// Misnamed tells that the file's name promises another format than the data have.
func (d *Reader) Misnamed() bool { return d.named != None && d.named != d.format }

// Offset is the number of decompressed bytes read so far.
func (d *Reader) Offset() int64 { return d.offset }

// Close frees what the decompressor holds. It does not close the reader below.
func (d *Reader) Close() error {
	d.close()
	d.close = func() {}
	if z, ok := d.r.(*gunzip.Reader); ok {
		inflaters.Put(z)
	}
	if d.in != nil {
		d.in.Reset(nil)
		buffers.Put(d.in)
	}
	d.in, d.r = nil, nil
	d.err = errors.New("codec: read after close")
	return nil
}

func (d *Reader) open(in *bufio.Reader, head []byte, limit int64) error {
	switch d.format {
	case Gzip:
		if z, ok := inflaters.Get().(*gunzip.Reader); ok {
			d.r = z
			return z.Reset(in)
		}
		r, err := gunzip.NewReader(in)
		d.r = r
		return err
	case Zstd:
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(uint64(max(limit, zstd.MinWindowSize))), zstd.WithDecoderMaxMemory(1<<63))
		if err != nil {
			return err
		}
		d.r, d.close = r, r.Close
	case Bzip2:
		d.r = bzip2.NewReader(in)
	case XZ:
		r, err := unxz.NewXZ(in, limit)
		d.r, d.close = r, r.Close
		return err
	case LZMA:
		r, err := newLZMA(in, head, limit)
		if r != nil {
			d.r, d.close = r, r.Close
		}
		return err
	case LZ4:
		r := lz4.NewReader(&lz4Frames{r: in})
		if err := r.Apply(lz4.ConcurrencyOption(1)); err != nil {
			return err
		}
		d.r = r
	default:
		d.r = in
	}
	return nil
}

// Read reads decompressed data.
func (d *Reader) Read(p []byte) (n int, err error) {
	if d.err != nil {
		return 0, d.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	defer func() {
		// A decompressor that panics does so over its input: what it was given is not what an encoder writes.
		if v := recover(); v != nil {
			n, err = 0, &CorruptError{Format: d.format, Offset: d.offset, Err: fmt.Errorf("the decoder failed: %v", v)}
			d.err = err
		}
	}()
	n, err = d.r.Read(p)
	d.offset += int64(n)
	if err != nil && err != io.EOF {
		err = d.classify(err)
	}
	d.err = err
	return n, err
}

// classify tells apart what is wrong with the data, with the limit, and with where the data come from.
func (d *Reader) classify(err error) error {
	var window *WindowError
	var dictionary *unxz.DictionaryError
	switch {
	case d.src.err != nil && d.src.err != io.EOF:
		return &SourceError{Err: d.src.err}
	case errors.As(err, &window):
		return err
	case errors.As(err, &dictionary):
		return &WindowError{Format: d.format, Need: dictionary.Need, Limit: d.limit}
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &WindowError{Format: d.format, Limit: d.limit}
	case d.format == None:
		return err
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		err = ErrTruncated
	case errors.Is(err, unxz.ErrTrailing), err == bzip2.StructuralError("bad magic value in continuation file"), errors.Is(err, lz4.ErrInvalidFrame) && d.offset > 0:
		err = ErrTrailing
	case errors.Is(err, gunzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		if d.offset > 0 {
			err = fmt.Errorf("%w (%v)", ErrTrailing, err)
		}
	}
	return &CorruptError{Format: d.format, Offset: d.offset, Err: err}
}

// source remembers the error of the reader below.
type source struct {
	r   io.Reader
	err error
}

// Read never returns bytes and an error at once, and repeats its error, so that no buffer above can hide the end.
func (s *source) Read(p []byte) (int, error) {
	if s.err == nil {
		var n int
		n, s.err = s.r.Read(p)
		if n > 0 || s.err == nil {
			return n, nil
		}
	}
	return 0, s.err
}
