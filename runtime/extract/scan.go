package extract

import "fmt"

// maxDepth is how deep arrays and objects may nest, as in encoding/json.
const maxDepth = 10000

// scanner checks JSON without making anything of it.
type scanner struct {
	b  []byte
	i  int
	ix *index // of b, nil when there is none
}

// check checks the whole text and finds its value.
func (s *scanner) check(ix *index) (span, error) {
	s.ix = nil
	if ix.scan(s.b) {
		s.ix = ix
	}
	s.space()
	start := s.i
	if s.ix != nil {
		return span{start, ix.end(start)}, nil
	}
	if err := s.value(1); err != nil {
		return span{}, err
	}
	end := s.i
	if s.space(); s.i < len(s.b) {
		return span{}, s.fail()
	}
	return span{start, end}, nil
}

// pass passes over a value that is known to be JSON.
func (s *scanner) pass() {
	if s.ix != nil && (s.b[s.i] == '{' || s.b[s.i] == '[') {
		s.i = s.ix.end(s.i)
		return
	}
	_ = s.value(1)
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) fail() error {
	if s.i >= len(s.b) {
		return fmt.Errorf("it ends too early, after %d bytes", len(s.b))
	}
	return fmt.Errorf("unexpected %q at byte %d", s.b[s.i], s.i+1)
}

// value passes over one value.
func (s *scanner) value(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	switch c := s.peek(); c {
	case '"':
		return s.str()
	case '{':
		return s.members(func([]byte) error { return s.value(depth + 1) })
	case '[':
		return s.elements(func(int) error { return s.value(depth + 1) })
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

// members passes over an object. fn is called before each value with the raw text of its name, quotes included, and must pass
// over the value.
func (s *scanner) members(fn func(name []byte) error) error {
	s.i++
	if s.peek() == '}' {
		s.i++
		return nil
	}
	for {
		if s.peek() != '"' {
			return s.fail()
		}
		start := s.i
		if err := s.str(); err != nil {
			return err
		}
		name := s.b[start:s.i]
		if s.peek() != ':' {
			return s.fail()
		}
		s.i++
		if err := fn(name); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case '}':
			s.i++
			return nil
		default:
			return s.fail()
		}
	}
}

// elements passes over an array. fn is called before each element and must pass over it.
func (s *scanner) elements(fn func(i int) error) error {
	s.i++
	if s.peek() == ']' {
		s.i++
		return nil
	}
	for i := 0; ; i++ {
		if err := fn(i); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case ']':
			s.i++
			return nil
		default:
			return s.fail()
		}
	}
}

func (s *scanner) word(w string) error {
	for j := range len(w) {
		if s.i >= len(s.b) || s.b[s.i] != w[j] {
			return s.fail()
		}
		s.i++
	}
	return nil
}

func (s *scanner) str() error {
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return nil
		case c < ' ':
			return s.fail()
		case c == '\\':
			s.i++
			if err := s.escape(); err != nil {
				return err
			}
		}
	}
	return s.fail()
}

// escape leaves i at the last byte of the escape.
func (s *scanner) escape() error {
	if s.i >= len(s.b) {
		return s.fail()
	}
	switch s.b[s.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			s.i++
			if s.i >= len(s.b) || !isHex(s.b[s.i]) {
				return s.fail()
			}
		}
		return nil
	}
	return s.fail()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func (s *scanner) number() error {
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	if s.i < len(s.b) && s.b[s.i] == '0' {
		s.i++
	} else if s.digits() == 0 {
		return s.fail()
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if s.digits() == 0 {
			return s.fail()
		}
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if s.digits() == 0 {
			return s.fail()
		}
	}
	return nil
}

func (s *scanner) digits() (n int) {
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
		n++
	}
	return n
}
