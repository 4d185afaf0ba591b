package extract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// node is what is wanted of a value: all of it, or some of its members or elements.
type node struct {
	all      bool
	slots    []int   // where Values puts the value
	children []*node // in the order in which they were asked for
	name     string  // of a member
	quoted   []byte  // name as JSON
	index    int     // of an element; -1 for a member
	members  map[string]int
	elements map[int]int
	last     int // the largest of elements
}

func newNode(name string) *node {
	return &node{name: name, index: -1, quoted: AppendString(nil, []byte(strings.ToValidUTF8(name, "\ufffd"))), members: map[string]int{}, elements: map[int]int{}}
}

// path finds the node for a path such as info.OS or addons[0].name, and makes it when it is new.
func (n *node) path(path string) (*node, error) {
	for i, part := range strings.Split(path, ".") {
		name, indexes, _ := strings.Cut(part, "[")
		if name == "" {
			return nil, fmt.Errorf("field %q: part %d has no name: write names with dots between them, such as info.OS or addons[0].name", path, i+1)
		}
		n = n.member(name)
		if len(indexes) == 0 && len(part) == len(name) {
			continue
		}
		for _, s := range strings.Split(indexes, "[") {
			number, ok := strings.CutSuffix(s, "]")
			i, err := strconv.Atoi(number)
			if !ok || err != nil || i < 0 || i > 1<<20 || strconv.Itoa(i) != number {
				return nil, fmt.Errorf("field %q: %q is not the number of an element, such as [0]", path, "["+s)
			}
			n = n.element(i)
		}
	}
	return n, nil
}

func (n *node) member(name string) *node {
	i, ok := n.members[name]
	if !ok {
		i = len(n.children)
		n.members[name] = i
		n.children = append(n.children, newNode(name))
	}
	return n.children[i]
}

func (n *node) element(index int) *node {
	i, ok := n.elements[index]
	if !ok {
		i = len(n.children)
		n.elements[index] = i
		n.last = max(n.last, index)
		c := newNode("")
		c.index = index
		n.children = append(n.children, c)
	}
	return n.children[i]
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

// few names are compared one by one faster than they are looked up.
const few = 8

// wanted finds the child for the raw name of a member.
func (n *node) wanted(name []byte) (child int, ok bool) {
	if bytes.IndexByte(name, '\\') < 0 {
		name = name[1 : len(name)-1]
		if len(n.children) > few {
			child, ok = n.members[string(name)]
			return child, ok
		}
		for i, c := range n.children {
			if c.index < 0 && c.name == string(name) {
				return i, true
			}
		}
		return 0, false
	}
	var text string
	if json.Unmarshal(name, &text) != nil {
		return 0, false
	}
	child, ok = n.members[text]
	return child, ok
}
