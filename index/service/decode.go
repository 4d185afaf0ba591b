package service

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tafc/tafc/index"
)

// stopped is an error of who reads, not of the answer.
type stopped struct{ error }

func (e *stopped) Unwrap() error { return e.error }

// decode reads an answer of either shape, one file at a time, and returns how many there were.
func decode(r io.Reader, fn func(index.File) error) (files int, err error) {
	d := &decoder{Decoder: json.NewDecoder(bufio.NewReaderSize(r, 1<<16)), fn: fn, count: -1}
	if err := d.answer(); err != nil {
		return d.files, err
	}
	if d.count >= 0 && d.count != d.files {
		return d.files, fmt.Errorf("it says that there are %d files", d.count)
	}
	return d.files, nil
}

type decoder struct {
	*json.Decoder
	fn    func(index.File) error
	files int
	count int // row_count, -1: it said none
}

func (d *decoder) answer() error {
	t, err := d.Token()
	if err != nil {
		return cut(err)
	}
	switch t {
	case json.Delim('['):
		return d.list()
	case json.Delim('{'):
		return d.object()
	}
	return errors.New(`it is neither {"files": […]} nor a list of rows`)
}

// object reads {"files": […], "row_count": N}.
func (d *decoder) object() error {
	found := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return cut(err)
		}
		switch name {
		case "files", "rows":
			found = true
			if t, err := d.Token(); err != nil {
				return cut(err)
			} else if t != json.Delim('[') {
				return fmt.Errorf("its %s are no list", name)
			}
			if err := d.list(); err != nil {
				return err
			}
		case "row_count":
			if err := d.Decode(&d.count); err != nil {
				return cut(err)
			}
		default:
			var ignored json.RawMessage
			if err := d.Decode(&ignored); err != nil {
				return cut(err)
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return cut(err)
	}
	if !found {
		return errors.New("it has no files")
	}
	return nil
}

func (d *decoder) list() error {
	for d.More() {
		var row any
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			return cut(err)
		}
		f, err := file(row)
		if err != nil {
			return fmt.Errorf("file %d: %w", d.files+1, err)
		}
		d.files++
		if err := d.fn(f); err != nil {
			return &stopped{err}
		}
	}
	_, err := d.Token()
	return cut(err)
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is cut off")
	}
	return err
}

// file reads a name, or a row. A row without a size of a known name has it in all that is a number, as the ancestors' launcher took it.
func file(row any) (index.File, error) {
	f := index.File{Size: -1}
	switch row := row.(type) {
	case string:
		f.Key = []byte(row)
	case map[string]any:
		name, _ := row["file_name"].(string)
		f.Key = []byte(name)
		for _, name := range []string{"etag", "file_md5", "md5"} {
			if text, ok := row[name].(string); ok && f.ETag == nil {
				f.ETag = []byte(text)
			}
		}
		f.Size = size(row)
	}
	if len(f.Key) == 0 {
		return f, errors.New("it has no file_name")
	}
	return f, nil
}

func size(row map[string]any) int64 {
	for _, name := range []string{"file_size", "size"} {
		if n, ok := number(row[name]); ok {
			return n
		}
	}
	sum, found := int64(0), false
	for name, v := range row {
		if n, ok := number(v); ok && name != "file_name" && name != "file_id" {
			sum, found = sum+n, true
		}
	}
	if !found {
		return -1
	}
	return sum
}

// number reads a number, or one that a database driver made a text of because it may be large.
func number(v any) (int64, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case string:
		n, err := json.Number(v).Int64()
		return n, err == nil && v != ""
	}
	return 0, false
}
