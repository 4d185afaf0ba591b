package operation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
)

// number is the text of a number in a record, empty for null and for what is not there.
func number(o *job.Operation, field int, value []byte) (string, error) {
	switch {
	case value == nil || value[0] == 'n':
		return "", nil
	case value[0] == '-' || value[0] >= '0' && value[0] <= '9':
		return string(value), nil
	case value[0] == '"' && o.Texts:
		text := strings.TrimSpace(string(value[1 : len(value)-1]))
		if text == "" {
			return "", nil
		}
		if json.Valid([]byte(text)) && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') {
			return text, nil
		}
	}
	return "", fmt.Errorf("%s is %s, not a number", o.Fields[field], kind(value))
}

// kind says in words what a value is.
func kind(value []byte) string {
	switch value[0] {
	case '"':
		return fmt.Sprintf("the text %.60s", value)
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return string(value)
}

// canonical is equal for equal values, however they are written.
func canonical(value []byte) ([]byte, error) { return pairs.AppendKey(nil, value) }

// appendCompact appends a value without white space, null for one that is not there.
func appendCompact(dst, value []byte) []byte {
	switch {
	case value == nil:
		return append(dst, "null"...)
	case value[0] != '{' && value[0] != '[':
		return append(dst, value...)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, value); err != nil {
		panic(err) // it was checked
	}
	return append(dst, b.Bytes()...)
}

// appendKey appends a key of several parts as an array, of one part as it is.
func appendKey(dst []byte, parts [][]byte) []byte {
	if len(parts) == 1 {
		return appendCompact(dst, parts[0])
	}
	dst = append(dst, '[')
	for i, p := range parts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCompact(dst, p)
	}
	return append(dst, ']')
}
