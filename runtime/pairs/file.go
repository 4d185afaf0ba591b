package pairs

import (
	"bytes"
	"encoding/binary"
	"errors"
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
