package extract

// Values finds single values in JSON records. It is not safe for concurrent use.
type Values struct {
	root  *node
	n     int
	index index
}

// ParseValues reads paths as ParseFields does.
func ParseValues(paths []string) (*Values, error) {
	v := &Values{root: newNode(""), n: len(paths)}
	for i, path := range paths {
		n, err := v.root.path(path)
		if err != nil {
			return nil, err
		}
		n.slots = append(n.slots, i)
	}
	return v, nil
}

// Find sets values[i] to the JSON text of the value at path i, nil where the record has none. The texts are parts of the
// record. Of members of one name the last counts. An error says why the record is not JSON.
func (v *Values) Find(record []byte, values [][]byte) error {
	clear(values[:v.n])
	s := scanner{b: record}
	at, err := s.check(&v.index)
	if err != nil {
		return err
	}
	v.root.take(&s, at, values)
	return nil
}

func (n *node) take(s *scanner, at span, values [][]byte) {
	for _, slot := range n.slots {
		values[slot] = s.b[at.start:at.end:at.end]
	}
	switch {
	case s.b[at.start] == '{' && len(n.members) > 0:
		var few [16]span
		spans := few[:]
		if len(n.children) > len(spans) {
			spans = make([]span, len(n.children))
		}
		n.find(s, at, spans)
		for i, c := range n.children {
			if spans[i].end > 0 {
				c.take(s, spans[i], values)
			}
		}
	case s.b[at.start] == '[' && len(n.elements) > 0:
		s.i = at.start
		_ = s.elements(func(i int) error { // it was checked before
			s.space()
			start := s.i
			s.pass()
			if child, wanted := n.elements[i]; wanted {
				end := s.i
				n.children[child].take(s, span{start, end}, values)
				s.i = end
			}
			return nil
		})
	}
}
