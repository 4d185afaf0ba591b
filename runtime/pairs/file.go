package pairs

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// A result file is a zstd frame of: the magic, the pairs, the end, the number of pairs, a hash of the pairs. A pair is the
// length of its key plus two (0: the key is that of the pair before), the key, the length of its value, the value; 1 is the
// end. All lengths are unsigned varints.
const magic = "tafpairs\x01"

const (
	sameKey  = 0
	endMark  = 1
	keyShift = 2
)

// windowSize keeps what an open file costs small, so that many can be merged at once.
const windowSize = 128 << 10

// maxLength bounds a key or value, so that a damaged length does not allocate the world.
const maxLength = 1 << 31

// Source yields pairs in order. What Next returns is valid until the next call; err is io.EOF at the end.
type Source interface {
	Next() (key, value []byte, err error)
}

// Writer writes a result file. The same pairs give the same bytes, always.
type Writer struct {
	z     *zstd.Encoder
	buf   []byte
	last  []byte
	count int64
	hash  xxhash.Digest
	bytes int64
}

// NewWriter begins a result file.
func NewWriter(w io.Writer) (*Writer, error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(windowSize), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	p := &Writer{z: z, buf: append(make([]byte, 0, 64<<10), magic...)}
	p.hash.Reset()
	return p, nil
}

// Add appends a pair. Keys are encoded, and not smaller than the one before.
func (w *Writer) Add(key, value []byte) error {
	if w.count > 0 && bytes.Equal(key, w.last) {
		w.buf = append(w.buf, sameKey)
	} else {
		if w.count > 0 && bytes.Compare(key, w.last) < 0 {
			return errors.New("pairs: written out of order")
		}
		w.buf = binary.AppendUvarint(w.buf, uint64(len(key))+keyShift)
		w.buf = append(w.buf, key...)
		w.last = append(w.last[:0], key...)
	}
	w.buf = binary.AppendUvarint(w.buf, uint64(len(value)))
	w.buf = append(w.buf, value...)
	w.count++
	w.bytes += int64(len(key) + len(value))
	if len(w.buf) >= 32<<10 {
		return w.flush()
	}
	return nil
}

func (w *Writer) flush() error {
	_, _ = w.hash.Write(w.buf) // a hash takes everything
	_, err := w.z.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// Close ends the file. It does not close the writer below.
func (w *Writer) Close() error {
	w.buf = append(w.buf, endMark)
	w.buf = binary.AppendUvarint(w.buf, uint64(w.count))
	if err := w.flush(); err != nil {
		return err
	}
	if _, err := w.z.Write(binary.BigEndian.AppendUint64(nil, w.hash.Sum64())); err != nil {
		return err
	}
	return w.z.Close()
}

// Count is the number of pairs so far.
func (w *Writer) Count() int64 { return w.count }

// FormatError says that a result file is damaged or truncated, or not one.
type FormatError struct{ Err error }

func (e *FormatError) Error() string { return "not a sound result file: " + e.Err.Error() }
func (e *FormatError) Unwrap() error { return e.Err }

// Reader reads a result file. At the end it has checked that the file is whole.
type Reader struct {
	z     *zstd.Decoder
	r     *bufio.Reader
	key   []byte
	last  []byte // the key before
	value []byte
	hash  xxhash.Digest
	count int64
	err   error
}

// NewReader begins to read a result file.
func NewReader(r io.Reader) (*Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, &FormatError{err}
	}
	p := &Reader{z: z, r: bufio.NewReaderSize(z, 32<<10)}
	p.hash.Reset()
	head := make([]byte, len(magic))
	if _, err := p.full(head); err != nil {
		z.Close()
		return nil, &FormatError{fmt.Errorf("it has no header: %w", err)}
	}
	if string(head) != magic {
		z.Close()
		return nil, &FormatError{fmt.Errorf("it begins with %q, not with %q", head, magic)}
	}
	return p, nil
}

// Count is the number of pairs read so far.
func (r *Reader) Count() int64 { return r.count }

// Close frees the decompressor. It does not close the reader below.
func (r *Reader) Close() { r.z.Close() }

// Next returns the next pair, io.EOF after the last one of a sound file, or a *FormatError.
func (r *Reader) Next() (key, value []byte, err error) {
	if r.err != nil {
		return nil, nil, r.err
	}
	if r.err = r.next(); r.err != nil && r.err != io.EOF {
		r.err = &FormatError{r.err}
	}
	return r.key, r.value, r.err
}

func (r *Reader) next() error {
	n, err := r.uvarint()
	if err != nil {
		return err
	}
	switch {
	case n == endMark:
		return r.end()
	case n == sameKey:
		if r.count == 0 {
			return errors.New("the first pair has no key")
		}
	default:
		r.last, r.key = r.key, r.last
		if r.key, err = r.bytes(r.key, n-keyShift); err != nil {
			return err
		}
		if r.count > 0 && bytes.Compare(r.last, r.key) >= 0 {
			return errors.New("the keys are out of order")
		}
	}
	if n, err = r.uvarint(); err != nil {
		return err
	}
	if r.value, err = r.bytes(r.value, n); err != nil {
		return err
	}
	r.count++
	return nil
}

func (r *Reader) end() error {
	n, err := r.uvarint()
	if err != nil {
		return err
	}
	if n != uint64(r.count) {
		return fmt.Errorf("it holds %d pairs, and says %d", r.count, n)
	}
	var sum [8]byte
	want := r.hash.Sum64()
	if _, err := io.ReadFull(r.r, sum[:]); err != nil {
		return truncated(err)
	}
	if binary.BigEndian.Uint64(sum[:]) != want {
		return errors.New("its pairs are not those that were written")
	}
	if _, err := r.r.ReadByte(); err == nil {
		return errors.New("something follows its end")
	} else if err != io.EOF {
		return err
	}
	return io.EOF
}

func truncated(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *Reader) full(p []byte) (int, error) {
	n, err := io.ReadFull(r.r, p)
	_, _ = r.hash.Write(p[:n])
	return n, truncated(err)
}

// bytes reads n bytes into a buffer, which grows with what is really there.
func (r *Reader) bytes(buf []byte, n uint64) ([]byte, error) {
	if n > maxLength {
		return nil, fmt.Errorf("a length of %d bytes", n)
	}
	buf = buf[:0]
	for n > 0 {
		part := int(min(n, 1<<20))
		at := len(buf)
		if cap(buf)-at < part {
			buf = append(buf, make([]byte, part)...)
		}
		buf = buf[:at+part]
		if _, err := r.full(buf[at:]); err != nil {
			return buf, err
		}
		n -= uint64(part)
	}
	return buf, nil
}

func (r *Reader) uvarint() (uint64, error) {
	var v uint64
	var raw [binary.MaxVarintLen64]byte
	for i := range raw {
		b, err := r.r.ReadByte()
		if err != nil {
			return 0, truncated(err)
		}
		raw[i] = b
		if b < 0x80 && (i == 0 || b != 0) {
			_, _ = r.hash.Write(raw[:i+1])
			n, w := binary.Uvarint(raw[:i+1])
			if w <= 0 {
				break
			}
			v = n
			return v, nil
		}
		if b < 0x80 {
			break
		}
	}
	return 0, errors.New("not a length")
}
