package pairs

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/tafc/tafc/runtime/job"
)

// WriteText writes pairs as lines of key TAB value. Strings stand without quotes, unless they hold control characters: then
// they are JSON. (A TAB in a value does no harm: the key ends at the first.) Bytes that were not UTF-8 are these bytes again. An absent value prints the key alone. The form FormLines
// prints the values, which are lines, as they are.
func WriteText(w io.Writer, form job.Form, src Source) error {
	out := bufio.NewWriter(w)
	var line []byte
	err := each(src, func(key, value []byte) error {
		var err error
		line = line[:0]
		if form == job.FormLines {
			if line, err = appendLine(line, key, value); err != nil {
				return err
			}
			line = asBytes(line)
		} else {
			if line, err = AppendJSON(line, key); err != nil {
				return err
			}
			line = append(line[:0], plain(line, "")...)
			if len(value) > 0 {
				line = append(append(line, '\t'), plain(value, "\t")...)
			}
		}
		_, err = out.Write(append(line, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// WriteJSONL writes a JSON object a line: {"key":…,"value":…}, without "value" when it is absent; {"line":"…"} for FormLines.
func WriteJSONL(w io.Writer, form job.Form, src Source) error {
	return writeObjects(w, form, src, "", "\n", "")
}

// WriteJSON writes an array of the objects that WriteJSONL writes.
func WriteJSON(w io.Writer, form job.Form, src Source) error {
	return writeObjects(w, form, src, "[\n", ",\n", "\n]\n")
}

func writeObjects(w io.Writer, form job.Form, src Source, begin, between, end string) error {
	out := bufio.NewWriter(w)
	line := []byte(begin)
	first := true
	err := each(src, func(key, value []byte) error {
		var err error
		if !first && end != "" {
			line = append(line, between...)
		}
		first = false
		if form == job.FormLines {
			var text []byte
			if text, err = appendLine(nil, key, value); err != nil {
				return err
			}
			line = append(appendQuoted(append(line, `{"line":`...), text), '}')
		} else {
			if line, err = AppendJSON(append(line, `{"key":`...), key); err != nil {
				return err
			}
			if len(value) > 0 {
				line = append(append(line, `,"value":`...), value...)
			}
			line = append(line, '}')
		}
		if end == "" {
			line = append(line, between...)
		}
		_, err = out.Write(line)
		line = line[:0]
		return err
	})
	if err != nil {
		return err
	}
	if first && end != "" {
		line, end = []byte("["), "]\n"
	}
	if _, err := out.Write(append(line, end...)); err != nil {
		return err
	}
	return out.Flush()
}

// WriteCSV writes RFC 4180 rows without a header. The columns are those of the key, then those of the value: an array has a
// column for each element, an absent value has none, everything else has one. A string is its text, null is empty, what is
// nested deeper is JSON. A line of FormLines has two columns: what stands before its first space, and what stands behind.
func WriteCSV(w io.Writer, form job.Form, src Source) error {
	out := csv.NewWriter(w)
	var text []byte
	err := each(src, func(key, value []byte) error {
		var row []string
		var err error
		if form == job.FormLines {
			if text, err = appendLine(text[:0], key, value); err != nil {
				return err
			}
			before, behind, ok := bytes.Cut(asBytes(text), []byte{' '})
			if row = []string{string(before)}; ok {
				row = append(row, string(behind))
			}
			return out.Write(row)
		}
		if text, err = AppendJSON(text[:0], key); err != nil {
			return err
		}
		if row, err = columns(row, text); err == nil && len(value) > 0 {
			row, err = columns(row, value)
		}
		if err != nil {
			return err
		}
		return out.Write(row)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

func columns(row []string, value []byte) ([]string, error) {
	if value[0] != '[' {
		return append(row, cell(value)), nil
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(value, &elements); err != nil {
		return nil, fmt.Errorf("value %.80q: %w", value, err)
	}
	for _, e := range elements {
		row = append(row, cell(e))
	}
	return row, nil
}

func cell(value []byte) string {
	if string(value) == "null" {
		return ""
	}
	if text, ok := unquote(value); ok {
		return string(asBytes(text))
	}
	return string(value)
}

func each(src Source, fn func(key, value []byte) error) error {
	for {
		key, value, err := src.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(key, value); err != nil {
			return err
		}
	}
}

// appendLine appends the line that a value of FormLines is. Without a value it is the key.
func appendLine(dst, key, value []byte) ([]byte, error) {
	if len(value) == 0 {
		text, err := AppendJSON(nil, key)
		if err != nil {
			return nil, err
		}
		value = text
	}
	if text, ok := unquote(value); ok {
		return append(dst, text...), nil
	}
	return append(dst, value...), nil
}

// plain is a JSON value without its quotes, if it is a string that can do without: one whose only control characters are
// harmless.
func plain(value []byte, harmless string) []byte {
	text, ok := unquote(value)
	if !ok {
		return value
	}
	for i, c := range text {
		if strings.IndexByte(harmless, c) >= 0 {
			continue
		}
		if c < ' ' || c == 0x7f || c == 0xed && i+1 < len(text) && text[i+1] >= 0xa0 && !standsForByte(text[i:]) {
			return value
		}
	}
	return asBytes(text)
}

// standsForByte tells whether a text begins with a half of a surrogate pair that stands for a byte that is not UTF-8: U+DC80 to U+DCFF.
func standsForByte(text []byte) bool {
	return len(text) > 2 && text[0] == 0xed && text[1]&^1 == 0xb2 && text[2]&0xc0 == 0x80
}

// asBytes is a text in which the bytes that are not UTF-8 are these bytes again.
func asBytes(text []byte) []byte {
	if bytes.IndexByte(text, 0xed) < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		if standsForByte(text) {
			out, text = append(out, text[1]<<6|text[2]&0x3f), text[3:]
			continue
		}
		out, text = append(out, text[0]), text[1:]
	}
	return out
}

// unquote is the text of a JSON string; ok is false for every other value.
func unquote(value []byte) (text []byte, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	p := keyParser{in: value}
	text, err := p.str()
	return text, err == nil && p.at == len(value)
}

// SplitLine divides a line of FormLines at its first space, as WriteCSV does, into two JSON strings; without a space there is no value.
func SplitLine(key, value []byte) (before, behind []byte, err error) {
	line, err := appendLine(nil, key, value)
	if err != nil {
		return nil, nil, err
	}
	first, rest, more := bytes.Cut(line, []byte{' '})
	if more {
		behind = appendQuoted(nil, rest)
	}
	return appendQuoted(nil, first), behind, nil
}
