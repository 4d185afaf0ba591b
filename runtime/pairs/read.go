package pairs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// Reader reads a result file. At the end it has checked that the file is whole.
type Reader struct {
	z      *zstd.Decoder
	buf    []byte // read; what stands before at is used, what stands before hashed is in the hash
	at     int
	hashed int
	ended  error // of z
	key    []byte
	last   []byte // the key before
	value  []byte
	joined []byte // a value that is longer than the buffer
	hash   xxhash.Digest
	count  int64
	err    error
}

const readBuffer = 32 << 10

// NewReader begins to read a result file.
func NewReader(r io.Reader) (*Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, &FormatError{err}
	}
	p := &Reader{z: z, buf: make([]byte, 0, readBuffer)}
	p.hash.Reset()
	head, err := p.take(uint64(len(magic)), nil)
	if err != nil {
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
		key, err := r.take(n-keyShift, nil)
		if err != nil {
			return err
		}
		r.last, r.key = r.key, append(r.last[:0], key...)
		if r.count > 0 && bytes.Compare(r.last, r.key) >= 0 {
			return errors.New("the keys are out of order")
		}
	}
	if n, err = r.uvarint(); err != nil {
		return err
	}
	if r.value, err = r.take(n, &r.joined); err != nil {
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
	_, _ = r.hash.Write(r.buf[r.hashed:r.at])
	r.hashed = r.at
	want := r.hash.Sum64()
	sum, err := r.take(8, nil)
	if err != nil {
		return err
	}
	if binary.BigEndian.Uint64(sum) != want {
		return errors.New("its pairs are not those that were written")
	}
	switch err := r.more(); {
	case r.at < len(r.buf) || err == nil:
		return errors.New("something follows its end")
	case err != io.EOF:
		return err
	}
	return io.EOF
}

// more reads more into the buffer, behind what is not used yet. At the end the error is io.EOF.
func (r *Reader) more() error {
	if r.ended != nil {
		return r.ended
	}
	_, _ = r.hash.Write(r.buf[r.hashed:r.at])
	rest := copy(r.buf, r.buf[r.at:])
	r.buf, r.at, r.hashed = r.buf[:rest], 0, 0
	for range 100 {
		n, err := r.z.Read(r.buf[rest:cap(r.buf)])
		r.buf = r.buf[:rest+n]
		if r.ended = err; n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// take returns the next n bytes, which are valid until more is read. What is longer than the buffer is put together in joined, which grows
// with what is really there.
func (r *Reader) take(n uint64, joined *[]byte) ([]byte, error) {
	if n > maxLength {
		return nil, fmt.Errorf("a length of %d bytes", n)
	}
	for uint64(len(r.buf)-r.at) < n {
		if n > uint64(cap(r.buf)) {
			return r.join(int(n), joined)
		}
		if err := r.more(); err != nil {
			return nil, truncated(err)
		}
	}
	r.at += int(n)
	return r.buf[r.at-int(n) : r.at : r.at], nil
}

func (r *Reader) join(n int, joined *[]byte) ([]byte, error) {
	var own []byte
	if joined == nil {
		joined = &own
	}
	*joined = (*joined)[:0]
	for {
		part := min(n-len(*joined), len(r.buf)-r.at)
		*joined = append(*joined, r.buf[r.at:r.at+part]...)
		if r.at += part; len(*joined) == n {
			return *joined, nil
		}
		if err := r.more(); err != nil {
			return nil, truncated(err)
		}
	}
}

// uvarint reads a length, which must not be longer than it needs.
func (r *Reader) uvarint() (uint64, error) {
	for {
		n, size := binary.Uvarint(r.buf[r.at:])
		switch {
		case size < 0 || size > 1 && r.buf[r.at+size-1] == 0:
			return 0, errors.New("not a length")
		case size > 0:
			r.at += size
			return n, nil
		}
		if err := r.more(); err != nil {
			return 0, truncated(err)
		}
	}
}

func truncated(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
