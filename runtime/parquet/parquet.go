package parquet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
)

// groupBytes is about how much of the pairs a row group holds; the writer keeps one in memory.
const groupBytes = 32 << 20

// kind is what a column holds.
type kind int

const (
	none    kind = iota // no value at all
	boolean             // true and false
	integer             // numbers that are whole and fit into 64 bits
	double
	text
	document // JSON text: arrays, objects, and values of several kinds
)

// column is what is known of a column after all its values were seen.
type column struct {
	kind     kind
	optional bool
}

// Write writes pairs with the columns key and value; a line of FormLines is divided at its first space. A column has the type of its values
// when all have the same: BOOLEAN, INT64, DOUBLE (also for whole numbers among others) or a string; else, and for arrays and objects,
// it holds JSON. null and absent values are nulls. The pairs are read twice: open is called for each.
func Write(w io.Writer, form job.Form, open func() (pairs.SourceCloser, error)) error {
	var columns [2]column
	err := each(form, open, func(row [2][]byte) error {
		for i := range columns {
			columns[i].see(row[i])
		}
		return nil
	})
	if err != nil {
		return err
	}
	schema := parquet.NewSchema("pairs", parquet.Group{"key": columns[0].node(), "value": columns[1].node()})
	out := parquet.NewWriter(w, schema, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("tafc", "", ""))
	size := 0
	row := make(parquet.Row, 2)
	err = each(form, open, func(values [2][]byte) error {
		for i := range columns {
			v, err := columns[i].value(values[i], i)
			if err != nil {
				return err
			}
			row[i] = v
			size += len(values[i]) + 8
		}
		if _, err := out.WriteRows([]parquet.Row{row}); err != nil {
			return err
		}
		if size < groupBytes {
			return nil
		}
		size = 0
		return out.Flush()
	})
	if err != nil {
		return err
	}
	return out.Close()
}

// each calls fn for every pair, with the JSON of its key and its value; no JSON stands for null.
func each(form job.Form, open func() (pairs.SourceCloser, error), fn func([2][]byte) error) error {
	src, err := open()
	if err != nil {
		return err
	}
	defer src.Close()
	var buf []byte
	for {
		key, value, err := src.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if form == job.FormLines {
			key, value, err = pairs.SplitLine(key, value)
		} else {
			buf, err = pairs.AppendJSON(buf[:0], key)
			key = buf
		}
		if err != nil {
			return err
		}
		if err := fn([2][]byte{notNull(key), notNull(value)}); err != nil {
			return err
		}
	}
}

func notNull(value []byte) []byte {
	if string(value) == "null" {
		return nil
	}
	return value
}

func kindOf(value []byte) kind {
	if len(value) == 0 {
		return none
	}
	switch value[0] {
	case '"':
		return text
	case 't', 'f':
		return boolean
	case '[', '{':
		return document
	}
	if _, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return integer
	}
	return double
}

func (c *column) see(value []byte) {
	k := kindOf(value)
	switch {
	case k == none:
		c.optional = true
	case c.kind == none || c.kind == k:
		c.kind = k
	case c.kind == integer && k == double || c.kind == double && k == integer:
		c.kind = double
	default:
		c.kind = document
	}
}

func (c *column) node() parquet.Node {
	node := parquet.String()
	switch c.kind {
	case boolean:
		node = parquet.Leaf(parquet.BooleanType)
	case integer:
		node = parquet.Int(64)
	case double:
		node = parquet.Leaf(parquet.DoubleType)
	case document:
		node = parquet.JSON()
	}
	if c.optional {
		return parquet.Optional(node)
	}
	return node
}

func (c *column) value(value []byte, at int) (parquet.Value, error) {
	if len(value) == 0 {
		return parquet.NullValue().Level(0, 0, at), nil
	}
	v, err := c.plain(value)
	if err != nil {
		return v, fmt.Errorf("value %.80q: %w", value, err)
	}
	if c.optional {
		return v.Level(0, 1, at), nil
	}
	return v.Level(0, 0, at), nil
}

func (c *column) plain(value []byte) (parquet.Value, error) {
	switch c.kind {
	case boolean:
		return parquet.BooleanValue(value[0] == 't'), nil
	case integer:
		n, err := strconv.ParseInt(string(value), 10, 64)
		return parquet.Int64Value(n), err
	case double:
		x, err := strconv.ParseFloat(string(value), 64)
		return parquet.DoubleValue(x), err
	case text:
		var s string
		err := json.Unmarshal(value, &s)
		return parquet.ByteArrayValue([]byte(s)), err
	}
	return parquet.ByteArrayValue(bytes.Clone(value)), nil
}
