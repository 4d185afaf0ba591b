package frame

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tafc/tafc/runtime/extract"
)

// table is what csv and tsv know beyond lines.
type table struct {
	whole []byte // the row with all columns, for the conditions
	comma byte
	names [][]byte // of the columns, quoted for JSON; nil before the header
	keep  []bool   // which columns Fields wants
	cells [][]byte
}

// splitTable takes the records that are whole.
func (r *Reader) splitTable(buf []byte, eof bool) (used int, err error) {
	t := r.table
	for used < len(buf) {
		size, wrong, ok := t.parse(buf[used:], eof)
		if !ok {
			break
		}
		record := bytes.TrimSuffix(buf[used:used+size], []byte("\n"))
		if len(record) < size {
			record = bytes.TrimSuffix(record, []byte("\r"))
		}
		offset := r.offset + int64(used)
		if int64(len(record)) > r.o.MaxRecord {
			return used, r.tooLong(offset)
		}
		used += size
		switch {
		case len(record) == 0:
		case t.names == nil:
			if wrong == "" {
				wrong = t.header(r.o.Fields)
			}
			if wrong != "" {
				return used, &FormatError{"the header line: " + wrong}
			}
		default:
			r.number++
			r.row(record, offset, wrong)
		}
	}
	return used, nil
}

func (r *Reader) row(record []byte, offset int64, wrong string) {
	t := r.table
	if wrong == "" && len(t.cells) != len(t.names) {
		wrong = fmt.Sprintf("%d fields, the header has %d", len(t.cells), len(t.names))
	}
	if wrong == "" && r.o.Objects && !utf8.Valid(record) {
		wrong = "not UTF-8"
	}
	if wrong != "" {
		r.bad(record, offset, wrong)
		return
	}
	if !r.o.Objects {
		r.add(record, offset)
		return
	}
	if r.where != nil {
		t.whole = t.append(t.whole[:0], func(int) bool { return true })
		if !r.meant(t.whole, record, offset) {
			return
		}
	}
	mark := len(r.out)
	r.out = t.append(r.out, func(i int) bool { return t.keep[i] })
	r.added(mark, offset)
}

// append appends those columns of the row as an object that are wanted.
func (t *table) append(dst []byte, wanted func(i int) bool) []byte {
	mark := len(dst)
	dst = append(dst, '{')
	for i, cell := range t.cells {
		if !wanted(i) {
			continue
		}
		if len(dst) > mark+1 {
			dst = append(dst, ',')
		}
		dst = extract.AppendString(append(append(dst, t.names[i]...), ':'), cell)
	}
	return append(dst, '}')
}

// parse cuts the first record of buf into cells. size includes its newline; ok is false when the record may go on behind buf.
func (t *table) parse(buf []byte, eof bool) (size int, wrong string, ok bool) {
	t.cells = t.cells[:0]
	for {
		var cell []byte
		if size < len(buf) && buf[size] == '"' {
			var closed bool
			if cell, size, closed = quoted(buf, size+1); !closed {
				return len(buf), "a quoted field is never closed", eof
			}
		}
		end := size
		for end < len(buf) && buf[end] != t.comma && buf[end] != '\n' {
			end++
		}
		if end == len(buf) && !eof {
			return 0, "", false
		}
		more := buf[size:end]
		if end < len(buf) && buf[end] == '\n' {
			more = bytes.TrimSuffix(more, []byte("\r"))
		}
		switch {
		case cell == nil:
			cell = more
		case len(more) > 0:
			wrong = fmt.Sprintf("field %d goes on after its closing quote", len(t.cells)+1)
		}
		t.cells = append(t.cells, cell)
		if end == len(buf) || buf[end] == '\n' {
			return min(end+1, len(buf)), wrong, true
		}
		size = end + 1
	}
}

// quoted reads a quoted field whose first quote is gone; next is behind the closing one.
func quoted(buf []byte, at int) (cell []byte, next int, closed bool) {
	cell = buf[at:at:at]
	for {
		i := bytes.IndexByte(buf[at:], '"')
		if i < 0 {
			return nil, len(buf), false
		}
		if len(cell) == 0 {
			cell = buf[at : at+i : at+i]
		} else {
			cell = append(cell, buf[at:at+i]...)
		}
		at += i + 1
		if at == len(buf) || buf[at] != '"' {
			return cell, at, true
		}
		cell = append(cell, '"')
		at++
	}
}

// header makes names of the cells, each one different.
func (t *table) header(fields []string) (wrong string) {
	taken := map[string]bool{}
	for _, c := range t.cells {
		taken[string(c)] = true
	}
	seen := map[string]bool{}
	for i, c := range t.cells {
		if !utf8.Valid(c) {
			return "not UTF-8"
		}
		name := string(c)
		if name == "" {
			name = fmt.Sprintf("column_%d", i+1)
			for taken[name] {
				name += "_"
			}
		}
		for n, base := 2, name; seen[name]; n++ {
			if next := fmt.Sprintf("%s_%d", base, n); !taken[next] {
				name = next
			}
		}
		seen[name], taken[name] = true, true
		t.names = append(t.names, extract.AppendString(nil, []byte(name)))
		t.keep = append(t.keep, len(fields) == 0 || slices.Contains(fields, name))
	}
	return ""
}
