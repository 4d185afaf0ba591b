package taskcluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxBody is how many bytes the body of a request may have. One byte more is answered with 500, as if it were the service's fault.
const MaxBody = 10_485_760

// BodyError is a body that was not sent because the services cannot take it.
type BodyError struct {
	Call    string
	Subject string
	Problem string
}

func (e *BodyError) Error() string {
	return strings.TrimSpace(e.Call+" "+e.Subject) + ": not sent: " + e.Problem
}

// marshal is json.Marshal without escapes that only browsers need.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// CheckBody says what the services cannot take about a JSON text: its size, and characters that their database has no place for.
// It names the place, not what is there.
func CheckBody(body []byte) error {
	if len(body) > MaxBody {
		return fmt.Errorf("the body has %d bytes, and %d are the most that the services take", len(body), MaxBody)
	}
	problem, at := badCharacter(body)
	if problem == "" {
		return nil
	}
	return fmt.Errorf("%s has %s, which the services cannot store", place(body, at), problem)
}

// badCharacter finds the first character that cannot be stored, and its offset.
func badCharacter(body []byte) (problem string, at int) {
	if !utf8.Valid(body) {
		for i := 0; i < len(body); {
			r, size := utf8.DecodeRune(body[i:])
			if r == utf8.RuneError && size == 1 {
				return "a byte that is not UTF-8", i
			}
			i += size
		}
	}
	for i := bytes.IndexByte(body, '\\'); i >= 0 && i+1 < len(body); {
		length := 2
		if body[i+1] == 'u' {
			length = 6
			switch r := escaped(body[i:]); {
			case r == 0:
				return "the character U+0000", i
			case utf16.IsSurrogate(r):
				if utf16.DecodeRune(r, escaped(body[min(i+6, len(body)):])) == utf8.RuneError {
					return "half of a surrogate pair", i
				}
				length = 12
			}
		}
		next := min(i+length, len(body))
		skip := bytes.IndexByte(body[next:], '\\')
		if skip < 0 {
			break
		}
		i = next + skip
	}
	return "", 0
}

// escaped is the value of an escape like \u00e4 that b starts with, and -1 when it does not.
func escaped(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 32)
	if err != nil {
		return -1
	}
	return rune(n)
}

// place is the path to the value of a JSON text in which an offset is, such as payload.env.NAME.
func place(body []byte, at int) string {
	type level struct {
		array bool
		index int
		key   string
		isKey bool // the next string is a key
	}
	var path []level
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) || err != nil {
			break
		}
		top := len(path) - 1
		if end, ok := token.(json.Delim); ok && (end == '}' || end == ']') {
			path = path[:top]
			continue
		}
		if top >= 0 && path[top].isKey {
			path[top].key, path[top].isKey = fmt.Sprint(token), false
			if int(dec.InputOffset()) > at {
				break
			}
			continue
		}
		if top >= 0 && path[top].array {
			path[top].key = strconv.Itoa(path[top].index)
			path[top].index++
		}
		if int(dec.InputOffset()) > at {
			break
		}
		if top >= 0 && !path[top].array {
			path[top].isKey = true
		}
		if begin, ok := token.(json.Delim); ok {
			path = append(path, level{array: begin == '[', isKey: begin == '{'})
		}
	}
	var names []string
	for _, l := range path {
		names = append(names, l.key)
	}
	if len(names) == 0 {
		return "the body"
	}
	return oneLine(strings.Join(names, "."))
}
