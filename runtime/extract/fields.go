package extract

// Fields takes parts out of JSON records. It is not safe for concurrent use.
type Fields struct {
	root  *node
	index index
}

// ParseFields reads paths such as info.OS or addons[0].name.
func ParseFields(paths []string) (*Fields, error) {
	f := &Fields{root: newNode("")}
	for _, path := range paths {
		n, err := f.root.path(path)
		if err != nil {
			return nil, err
		}
		n.all = true
	}
	return f, nil
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
