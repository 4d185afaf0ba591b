package frame

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/tafc/tafc/runtime/extract"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// Options say what a file is.
type Options struct {
	File   string // key
	Dims   []string
	Format string
	Fields []string        // paths to keep of each record; empty: whole records
	Where  []job.Condition // of the records that are meant; empty: all
	// Objects makes records of csv and tsv JSON objects; otherwise they are the lines of the file.
	Objects   bool
	MaxRecord int64 // bytes of the longest record; 0: 64 MiB
	BlockSize int   // bytes; 0: 128 KiB, so that a block stays in the caches next to a core from step to step
	// Reuse makes Items valid only until the next call of Next.
	Reuse bool
}

// Item is one of Block and Bad.
type Item struct {
	Block *usercode.Block
	Bad   *Bad
}

// Bad is a record that does not fit the format.
type Bad struct {
	Place   job.Place
	Raw     []byte
	Message string
}

// TooLongError says that a record is longer than allowed.
type TooLongError struct {
	File   string
	Record int64 // counted from 1
	Offset int64 // of the record's first byte in the decompressed file
	Limit  int64
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("record %d at byte %d is longer than the limit of %d bytes", e.Record, e.Offset, e.Limit)
}

// FormatError says that a file as a whole is not of the format, such as for its header.
type FormatError struct{ Message string }

func (e *FormatError) Error() string { return e.Message }

// Reader reads the records of one file. It is not safe for concurrent use.
type Reader struct {
	o      Options
	r      io.Reader
	split  func(r *Reader, buf []byte, eof bool) (used int, err error)
	fields *extract.Fields
	where  *extract.Where
	table  *table

	chunk  int    // bytes to read at once; grows, so that small files cost little
	buf    []byte // what is read into
	rest   []byte // what was read and belongs to a record that has not ended
	offset int64  // of rest in the file
	number int64  // records so far, bad ones and those that are not meant included
	passed int64  // records so far that are not meant
	items  []Item
	err    error

	// The block in the making. Its data are in out, from start on.
	out     []byte
	start   int
	last    int // bytes that were written anew for the last block
	numbers []int64
	ends    []int
	offsets []int64
	broken  bool // a record holds a newline
}

// NewReader returns a reader of r's records. An error is about the options.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	if o.MaxRecord <= 0 {
		o.MaxRecord = 64 << 20
	}
	if o.BlockSize <= 0 {
		o.BlockSize = 128 << 10
	}
	f := &Reader{o: o, r: r, chunk: min(o.BlockSize, 64<<10), split: (*Reader).splitLines}
	if len(o.Where) > 0 {
		if o.Format == "lines" || (o.Format == "csv" || o.Format == "tsv") && !o.Objects {
			return nil, fmt.Errorf("conditions on records need records with fields, which %s for this program are not", o.Format)
		}
		var err error
		if f.where, err = extract.NewWhere(o.Where); err != nil {
			return nil, err
		}
	}
	switch o.Format {
	case "telemetry", "jsonl":
	case "lines":
		if len(o.Fields) > 0 {
			return nil, errors.New("fields cannot be taken from plain lines: the format must be telemetry, jsonl, csv, tsv or whole")
		}
	case "csv", "tsv":
		if len(o.Fields) > 0 && !o.Objects {
			return nil, fmt.Errorf("fields cannot be taken from %s for a program that reads lines", o.Format)
		}
		f.split, f.table = (*Reader).splitTable, &table{comma: ','}
		if o.Format == "tsv" {
			f.table.comma = '\t'
		}
		return f, nil
	case "whole":
		f.split = (*Reader).splitWhole
	default:
		return nil, fmt.Errorf("unknown format %q: it is one of telemetry, lines, jsonl, csv, tsv, whole", o.Format)
	}
	var err error
	if len(o.Fields) > 0 {
		f.fields, err = extract.ParseFields(o.Fields)
	}
	return f, err
}

// Records is the number of records so far, bad ones and those that are not meant included.
func (r *Reader) Records() int64 { return r.number }

// Filtered is the number of records so far that Where does not mean.
func (r *Reader) Filtered() int64 { return r.passed }

// Next returns the next block or bad record, in the order of the file. At the end err is io.EOF; any other error is a
// *TooLongError, a *FormatError, or that of the reader below, and comes after all records before the break. A record that the
// break cuts is none.
func (r *Reader) Next() (Item, error) {
	for len(r.items) == 0 {
		if r.err != nil {
			r.release()
			return Item{}, r.err
		}
		r.items = r.items[:0]
		r.err = r.fill()
	}
	item := r.items[0]
	r.items = r.items[1:]
	return item, nil
}

// apart tells whether records are written anew, not taken as they stand in what was read.
func (r *Reader) apart() bool { return r.fields != nil || r.table != nil && r.o.Objects }

// gather is how much is read at most for one block of records that are written anew, in blocks.
const gather = 32

// fill makes items of the next portion of the file.
func (r *Reader) fill() error {
	if !r.apart() {
		return r.portion()
	}
	// What is written anew is mostly much smaller than what was read, and is gathered to a block that is worth handing over.
	r.out, r.start = make([]byte, 0, r.last+r.last/4+1024), 0
	var err error
	for n := 0; n < gather && err == nil && (n == 0 || len(r.out)-r.start < r.o.BlockSize/2); n++ {
		err = r.portion()
	}
	r.last = len(r.out)
	r.flush()
	return err
}

// inputs are buffers that readers are done with. New memory costs more than reading into it.
var inputs sync.Pool // of *[]byte

// own tells whether what is read into is the reader's alone, not a part of blocks.
func (r *Reader) own() bool { return r.o.Reuse || r.apart() }

// release gives the buffer to the next reader.
func (r *Reader) release() {
	if r.own() && r.buf != nil {
		buf := r.buf
		inputs.Put(&buf)
		r.buf, r.rest = nil, nil
	}
}

// input is a buffer of n bytes that begins with the rest of the last one.
func (r *Reader) input(n int) []byte {
	if r.own() && r.buf == nil {
		if buf, ok := inputs.Get().(*[]byte); ok {
			r.buf = *buf
		}
	}
	if !r.own() || cap(r.buf) < n {
		size := n
		if r.own() {
			size += min(n, r.o.BlockSize) / 2 // so that a rest that is a little longer than the last one does not need another buffer
		}
		buf := make([]byte, len(r.rest), size)
		copy(buf, r.rest)
		r.buf = buf
		return buf
	}
	buf := r.buf[:len(r.rest)]
	copy(buf, r.rest)
	return buf
}

// portion reads a chunk and takes the records out of it.
func (r *Reader) portion() error {
	size := len(r.rest) + max(r.chunk, len(r.rest)) // a long record takes few readings, but no more memory than the longest may
	size = min(size, max(len(r.rest), int(r.o.MaxRecord))+r.o.BlockSize)
	buf := r.input(size + 1) // one more for the newline after the last record
	r.chunk = min(r.chunk*4, r.o.BlockSize)
	var err error
	for len(buf) < size && err == nil {
		var n int
		n, err = r.r.Read(buf[len(buf):size])
		buf = buf[:len(buf)+n]
	}
	skip := 0
	if r.offset == 0 && r.o.Format != "whole" && bytes.HasPrefix(buf, []byte("\xef\xbb\xbf")) {
		skip = 3
	}
	if !r.apart() {
		r.out, r.start = buf[:skip], skip
	}
	r.offset += int64(skip)
	used, bad := r.split(r, buf[skip:], err == io.EOF)
	if !r.apart() {
		r.flush()
	}
	r.offset += int64(used)
	r.rest = buf[skip+used:]
	switch {
	case bad != nil:
		return bad
	case err == nil && int64(len(r.rest)) > r.o.MaxRecord:
		return r.tooLong(r.offset)
	}
	return err
}

func (r *Reader) tooLong(offset int64) error {
	return &TooLongError{File: r.o.File, Record: r.number + 1, Offset: offset, Limit: r.o.MaxRecord}
}

// splitLines takes the lines that are whole, at the end of the file also the last.
func (r *Reader) splitLines(buf []byte, eof bool) (used int, err error) {
	for used < len(buf) {
		line := buf[used:]
		size := len(line)
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line, size = line[:i], i+1
			if i > 0 && line[i-1] == '\r' {
				line = line[:i-1]
			}
		} else if !eof {
			break
		}
		if int64(len(line)) > r.o.MaxRecord {
			return used, r.tooLong(r.offset + int64(used))
		}
		r.line(line, r.offset+int64(used))
		used += size
	}
	return used, nil
}

func (r *Reader) splitWhole(buf []byte, eof bool) (used int, err error) {
	if !eof {
		return 0, nil
	}
	if int64(len(buf)) > r.o.MaxRecord {
		return 0, r.tooLong(0)
	}
	r.number++
	r.json(nil, buf, 0)
	return len(buf), nil
}

// line takes one line of the formats that are made of lines.
func (r *Reader) line(line []byte, offset int64) {
	switch r.o.Format {
	case "telemetry":
		r.number++
		i := bytes.IndexByte(line, '\t')
		if i < 0 {
			r.bad(line, offset, "no TAB: a telemetry record is an id, a TAB, and JSON")
			return
		}
		r.json(line[:i+1], line, offset)
	case "jsonl":
		if len(bytes.Trim(line, " \t\r")) == 0 {
			return
		}
		r.number++
		r.json(nil, line, offset)
	default:
		r.number++
		r.add(line, offset)
	}
}

// json takes a record that is JSON behind a prefix.
func (r *Reader) json(prefix, record []byte, offset int64) {
	if !r.meant(record[len(prefix):], record, offset) {
		return
	}
	if r.fields == nil {
		r.add(record, offset)
		return
	}
	mark := len(r.out)
	out, err := r.fields.Append(append(r.out, prefix...), record[len(prefix):])
	if err != nil {
		r.bad(record, offset, fmt.Sprintf("not JSON: %v", err))
		return
	}
	r.out = out
	r.added(mark, offset)
}

// meant tells whether a record goes on: it is counted when it is not meant, and bad when it is not JSON.
func (r *Reader) meant(value, record []byte, offset int64) bool {
	if r.where == nil {
		return true
	}
	ok, err := r.where.Match(value)
	switch {
	case err != nil:
		r.bad(record, offset, fmt.Sprintf("not JSON: %v", err))
	case !ok:
		r.passed++
	}
	return ok && err == nil
}

// add puts a record into the block as it is. A record that already stands where it belongs is not moved.
func (r *Reader) add(record []byte, offset int64) {
	mark := len(r.out)
	if there := r.out[:cap(r.out)]; mark < len(there) && len(record) > 0 && &there[mark] == &record[0] {
		r.out = there[:mark+len(record)]
	} else {
		r.out = append(r.out, record...)
	}
	r.added(mark, offset)
}

// added ends the record that stands in out from mark on.
func (r *Reader) added(mark int, offset int64) {
	r.numbers = append(r.numbers, r.number)
	if (r.table != nil || r.o.Format == "whole") && bytes.IndexByte(r.out[mark:], '\n') >= 0 {
		r.broken = true
	}
	r.ends = append(r.ends, len(r.out)-r.start)
	r.offsets = append(r.offsets, offset)
	r.out = append(r.out, '\n')
}

// bad reports a record and ends the block before it, because items come in the order of the file.
func (r *Reader) bad(record []byte, offset int64, message string) {
	raw := bytes.Clone(record)
	r.flush()
	b := usercode.Block{File: r.o.File, First: r.number, Offsets: []int64{offset}, Data: raw, Ends: []int{len(raw)}}
	r.items = append(r.items, Item{Bad: &Bad{Place: b.Place(0), Raw: raw, Message: message}})
}

func (r *Reader) flush() {
	if len(r.ends) == 0 {
		return
	}
	numbers := r.numbers
	if n := len(numbers) - 1; numbers[n]-numbers[0] == int64(n) {
		numbers = nil // without gaps
	}
	r.items = append(r.items, Item{Block: &usercode.Block{
		File: r.o.File, Dims: r.o.Dims, First: r.numbers[0], Numbers: numbers, Offsets: r.offsets, Data: r.out[r.start:len(r.out):len(r.out)], Ends: r.ends,
		Lines: !r.broken, Keyed: r.o.Format == "telemetry",
	}})
	if numbers == nil {
		r.numbers = r.numbers[:0]
	} else {
		r.numbers = nil
	}
	r.start, r.ends, r.offsets, r.broken = len(r.out), make([]int, 0, len(r.ends)), make([]int64, 0, len(r.ends)), false
}
