package extract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Fields takes parts out of JSON records. It is not safe for concurrent use.
type Fields struct {
	root  *node
	index index
}

// node is what is wanted of a value: all of it, or some of its members or elements.
type node struct {
	all      bool
	children []*node // in the order in which they were asked for
	name     string  // of a member
	quoted   []byte  // name as JSON
	index    int     // of an element; -1 for a member
	members  map[string]int
	elements map[int]int
	last     int // the largest of elements
}

// ParseFields reads paths such as info.OS or addons[0].name.
func ParseFields(paths []string) (*Fields, error) {
	f := &Fields{root: newNode("", -1)}
	for _, path := range paths {
		at := f.root
		for i, part := range strings.Split(path, ".") {
			name, indexes, _ := strings.Cut(part, "[")
			if name == "" {
				return nil, fmt.Errorf("field %q: part %d has no name: write names with dots between them, such as info.OS or addons[0].name", path, i+1)
			}
			at = at.member(name)
			if len(indexes) == 0 && len(part) == len(name) {
				continue
			}
			for _, s := range strings.Split(indexes, "[") {
				number, ok := strings.CutSuffix(s, "]")
				n, err := strconv.Atoi(number)
				if !ok || err != nil || n < 0 || n > 1<<20 || strconv.Itoa(n) != number {
					return nil, fmt.Errorf("field %q: %q is not the number of an element, such as [0]", path, "["+s)
				}
				at = at.element(n)
			}
		}
		at.all = true
	}
	return f, nil
}

func newNode(name string, index int) *node {
	return &node{name: name, index: index, quoted: AppendString(nil, []byte(strings.ToValidUTF8(name, "\ufffd"))), members: map[string]int{}, elements: map[int]int{}}
}

func (n *node) member(name string) *node {
	i, ok := n.members[name]
	if !ok {
		i = len(n.children)
		n.members[name] = i
		n.children = append(n.children, newNode(name, -1))
	}
	return n.children[i]
}

func (n *node) element(index int) *node {
	i, ok := n.elements[index]
	if !ok {
		i = len(n.children)
		n.elements[index] = i
		n.last = max(n.last, index)
		n.children = append(n.children, newNode("", index))
	}
	return n.children[i]
}

// Append appends a JSON object that has of the record only the fields, each at its own path and with the text that it has in
// the record. What is missing in the record is missing there; when none is found the object is empty. Of members of one name
// the last counts. Of an array the elements before a wanted one are null, those behind the last wanted one are cut off. An
// error says why the record is not JSON.
func (f *Fields) Append(dst, record []byte) ([]byte, error) {
	s := scanner{b: record}
	at, err := s.check(&f.index)
	if err != nil {
		return dst, err
	}
	out, found := f.root.append(dst, &s, at)
	if !found {
		out = append(dst, "{}"...)
	}
	return out, nil
}

// span is a value in a record: from its first byte to behind its last.
type span struct{ start, end int }

// append appends what is wanted of a value that is known to be JSON; found is false when nothing of it is there.
func (n *node) append(dst []byte, s *scanner, at span) (out []byte, found bool) {
	switch {
	case n.all:
		return append(dst, s.b[at.start:at.end]...), true
	case s.b[at.start] == '{' && len(n.members) > 0:
		return n.appendMembers(dst, s, at)
	case s.b[at.start] == '[' && len(n.elements) > 0:
		return n.appendElements(dst, s, at)
	}
	return dst, false
}

func (n *node) appendMembers(dst []byte, s *scanner, at span) (out []byte, found bool) {
	var few [16]span
	values := few[:]
	if len(n.children) > len(values) {
		values = make([]span, len(n.children))
	}
	n.find(s, at, values)
	mark := len(dst)
	dst = append(dst, '{')
	for i, c := range n.children {
		if values[i].end == 0 {
			continue
		}
		before := len(dst)
		if found {
			dst = append(dst, ',')
		}
		var ok bool
		dst, ok = c.append(append(append(dst, c.quoted...), ':'), s, values[i])
		if !ok {
			dst = dst[:before]
		}
		found = found || ok
	}
	if !found {
		return dst[:mark], false
	}
	return append(dst, '}'), true
}

// find finds the members that are wanted of an object.
func (n *node) find(s *scanner, at span, values []span) {
	s.i = at.start
	_ = s.members(func(name []byte) error { // it was checked before
		child, wanted := n.wanted(name)
		s.space()
		start := s.i
		s.pass()
		if wanted {
			values[child] = span{start, s.i}
		}
		return nil
	})
}

// wanted finds the child for the raw name of a member.
func (n *node) wanted(name []byte) (child int, ok bool) {
	if bytes.IndexByte(name, '\\') < 0 {
		child, ok = n.members[string(name[1:len(name)-1])]
		return child, ok
	}
	var text string
	if json.Unmarshal(name, &text) != nil {
		return 0, false
	}
	child, ok = n.members[text]
	return child, ok
}

func (n *node) appendElements(dst []byte, s *scanner, at span) (out []byte, found bool) {
	mark := len(dst)
	dst = append(dst, '[')
	end := mark // behind the last element that was found
	s.i = at.start
	_ = s.elements(func(i int) error {
		s.space()
		start := s.i
		s.pass()
		if i > n.last {
			return nil
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		ok := false
		if child, wanted := n.elements[i]; wanted {
			after := s.i
			dst, ok = n.children[child].append(dst, s, span{start, after})
			s.i = after
		}
		if ok {
			found, end = true, len(dst)
		} else {
			dst = append(dst, "null"...)
		}
		return nil
	})
	if !found {
		return dst[:mark], false
	}
	return append(dst[:end], ']'), true
}
