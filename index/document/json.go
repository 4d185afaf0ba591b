package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// kind is the type of a JSON value, as messages call it.
type kind string

const (
	object  kind = "an object"
	array   kind = "a list"
	text    kind = "a string"
	number  kind = "a number"
	boolean kind = "a boolean"
	null    kind = "null"
)

// node is a JSON value that knows its place.
type node struct {
	kind       kind
	start, end int     // bytes of the source
	text       string  // of a string; of a number, boolean or null as written
	elements   []*node // of an array
	members    []member
}

type member struct {
	name  *node // a string
	value *node
}

// get is the value of a member, or nil.
func (n *node) get(name string) *node {
	for _, m := range n.members {
		if m.name.text == name {
			return m.value
		}
	}
	return nil
}

// syntaxError says where a text stops being JSON.
type syntaxError struct {
	offset int
	reason string
}

// parseJSON reads one JSON value with all places.
func parseJSON(src []byte) (*node, *syntaxError) {
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size == 1 {
			return nil, &syntaxError{i, "a byte that is not UTF-8"}
		}
		i += size
	}
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		return nil, &syntaxError{0, "a byte order mark before the JSON; save the file as UTF-8 without it"}
	}
	var whole json.RawMessage
	if err := json.Unmarshal(src, &whole); err != nil {
		return nil, syntaxProblem(src, err)
	}
	w := &walker{src: src, decoder: json.NewDecoder(bytes.NewReader(src))}
	w.decoder.UseNumber()
	n, err := w.value()
	if err != nil { // cannot be, the text is valid
		return nil, syntaxProblem(src, err)
	}
	return n, nil
}

func syntaxProblem(src []byte, err error) *syntaxError {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return &syntaxError{0, err.Error()}
	}
	offset := int(syntax.Offset)
	if strings.HasPrefix(err.Error(), "unexpected end") {
		return &syntaxError{len(src), "the JSON ends too early"}
	}
	// Offset counts the bytes that were read, the one at fault included.
	return &syntaxError{min(max(offset-1, 0), len(src)), err.Error()}
}

// walker builds nodes out of tokens.
type walker struct {
	src     []byte
	decoder *json.Decoder
}

// value reads the next value.
func (w *walker) value() (*node, error) {
	n := &node{start: w.next()}
	token, err := w.decoder.Token()
	if err != nil {
		return nil, err
	}
	n.end = int(w.decoder.InputOffset())
	switch token := token.(type) {
	case string:
		n.kind, n.text = text, token
		return n, nil
	case json.Delim:
		if token == '{' {
			n.kind = object
		} else {
			n.kind = array
		}
		err := w.inside(n)
		return n, err
	case json.Number:
		n.kind = number
	case bool:
		n.kind = boolean
	default:
		n.kind = null
	}
	n.text = string(w.src[n.start:n.end])
	return n, nil
}

// inside reads what is in an object or array, and its end.
func (w *walker) inside(n *node) error {
	for w.decoder.More() {
		value, err := w.value()
		if err != nil {
			return err
		}
		if n.kind == array {
			n.elements = append(n.elements, value)
			continue
		}
		m := member{name: value}
		if m.value, err = w.value(); err != nil {
			return err
		}
		n.members = append(n.members, m)
	}
	_, err := w.decoder.Token()
	n.end = int(w.decoder.InputOffset())
	return err
}

// next is where the next token starts.
func (w *walker) next() int {
	at := int(w.decoder.InputOffset())
	for at < len(w.src) && strings.IndexByte(" \t\r\n,:", w.src[at]) >= 0 {
		at++
	}
	return at
}
