package inventory

import (
	"crypto/md5"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"

	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go"
)

// readCSV reads a data file of CSV, zipped. Its keys are encoded as in a URL.
func readCSV(r io.Reader, c columns, to *list) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	in := csv.NewReader(z)
	in.ReuseRecord, in.FieldsPerRecord = true, c.n
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := c.object(record)
		if err == nil {
			err = to.add(o)
		}
		if err != nil {
			line, _ := in.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func (c columns) object(record []string) (object, error) {
	o := object{size: -1}
	var err error
	if o.key, err = url.QueryUnescape(record[c.key]); err != nil {
		return o, fmt.Errorf("key: %w", err)
	}
	if c.size >= 0 && record[c.size] != "" {
		if o.size, err = strconv.ParseInt(record[c.size], 10, 64); err != nil {
			return o, fmt.Errorf("size: %w", err)
		}
	}
	if c.etag >= 0 {
		o.etag = record[c.etag]
	}
	o.old = c.latest >= 0 && record[c.latest] == "false"
	o.deleted = c.deleted >= 0 && record[c.deleted] == "true"
	return o, nil
}

// parquetRow is what we read of a row of Parquet. Its keys are as they are.
type parquetRow struct {
	Key            string  `parquet:"key"`
	Size           *int64  `parquet:"size,optional"`
	ETag           *string `parquet:"e_tag,optional"`
	IsLatest       *bool   `parquet:"is_latest,optional"`
	IsDeleteMarker *bool   `parquet:"is_delete_marker,optional"`
}

// readParquet reads a data file of Parquet, whose end must be read first.
func readParquet(data io.Reader, checksum string, to *list) (err error) {
	file, size, digest, err := seekable(data)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := verify(digest, checksum); err != nil {
		return err
	}
	defer func() {
		// The library panics at some files that are no Parquet.
		if p := recover(); p != nil {
			err = fmt.Errorf("it is no Parquet file that can be read: %v", p)
		}
	}()
	opened, err := parquet.OpenFile(file, size)
	if err != nil {
		return err
	}
	if _, ok := opened.Schema().Lookup("key"); !ok {
		return errors.New("its rows have no key")
	}
	in := parquet.NewGenericReader[parquetRow](opened)
	defer in.Close()
	rows := make([]parquetRow, 512)
	for {
		n, err := in.Read(rows)
		for _, r := range rows[:n] {
			if err := to.add(r.object()); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r parquetRow) object() object {
	o := object{key: r.Key, size: -1}
	if r.Size != nil {
		o.size = *r.Size
	}
	if r.ETag != nil {
		o.etag = *r.ETag
	}
	o.old = r.IsLatest != nil && !*r.IsLatest
	o.deleted = r.IsDeleteMarker != nil && *r.IsDeleteMarker
	return o
}

// seekable is a file with the data, their size and MD5: the data themselves when they are a file, else a copy that is gone once closed.
func seekable(data io.Reader) (file *os.File, size int64, digest []byte, err error) {
	hash := md5.New()
	if f, ok := data.(*os.File); ok {
		size, err = io.Copy(hash, f)
		return f, size, hash.Sum(nil), err
	}
	if file, err = os.CreateTemp("", "tafc-inventory-*"); err != nil {
		return nil, 0, nil, err
	}
	_ = os.Remove(file.Name()) // where that fails, the system's cleaning does it
	if size, err = io.Copy(io.MultiWriter(file, hash), data); err != nil {
		file.Close()
		return nil, 0, nil, err
	}
	return file, size, hash.Sum(nil), nil
}
