package index

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LayoutError says what is wrong with the text of a layout, and where.
type LayoutError struct {
	Text   string
	Offset int // in bytes, counted from 0
	Reason string
}

func (e *LayoutError) Error() string {
	return fmt.Sprintf("layout %q: %s, at byte %d; %s", e.Text, e.Reason, e.Offset, layoutHelp())
}

// ParseLayout reads the name of a built-in layout or a template. A template is a path whose components hold literals and
// placeholders: {name} is a dimension, {name:date} the date dimension (at most one), {rest} or {_} anything that is not a
// dimension. No placeholder matches a slash.
//
// A text that begins with columns: names dimensions whose values are in columns of a table: columns:country,day:date.
//
// A wrong text is a *LayoutError.
func ParseLayout(text string) (*Layout, error) {
	if names, ok := strings.CutPrefix(text, columnsPrefix); ok {
		return parseColumns(text, names)
	}
	template := text
	if t, ok := builtin(text); ok {
		template = t
	}
	p := templateParser{text: template, layout: &Layout{template: template, date: -1}}
	if err := p.parse(); err != nil {
		return nil, err
	}
	// A template that spells out a built-in layout is that layout.
	for _, name := range LayoutNames() {
		if t, _ := builtin(name); t == template {
			p.layout.name = name
		}
	}
	return p.layout, nil
}

// columnsPrefix begins a layout of which a table has the values.
const columnsPrefix = "columns:"

// parseColumns reads the names of a layout of columns as if they stood in a template.
func parseColumns(text, names string) (*Layout, error) {
	p := templateParser{text: text, layout: &Layout{template: text, date: -1, columns: true}}
	offset := len(columnsPrefix)
	for name := range strings.SplitSeq(names, ",") {
		dim, err := p.name(offset, name)
		if err != nil {
			return nil, err
		}
		if dim == rest {
			return nil, p.errorf(offset, "%q is not the name of a dimension", name)
		}
		offset += len(name) + 1
	}
	return p.layout, nil
}

type templateParser struct {
	text   string
	pos    int
	layout *Layout
}

func (p *templateParser) errorf(offset int, format string, args ...any) error {
	return &LayoutError{Text: p.text, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

func (p *templateParser) parse() error {
	if p.text == "" {
		return p.errorf(0, "it is empty")
	}
	for {
		start := p.pos
		c, err := p.component()
		if err != nil {
			return err
		}
		if p.pos == start {
			return p.errorf(start, "a path component is empty")
		}
		p.layout.components = append(p.layout.components, c)
		if p.pos == len(p.text) {
			break
		}
		p.pos++ // the slash
	}
	if len(p.layout.dimensions) == 0 {
		return p.errorf(0, "it has no dimension")
	}
	return nil
}

// component reads up to the next slash or the end.
func (p *templateParser) component() (component, error) {
	var c component
	literal := p.literal()
	c.prefix = literal
	for p.pos < len(p.text) && p.text[p.pos] != '/' {
		start := p.pos
		if p.text[start] == '}' {
			return c, p.errorf(start, "this } closes no placeholder")
		}
		if len(c.holes) > 0 && len(literal) == 0 {
			return c, p.errorf(start, "there must be a literal between two placeholders, or nothing tells where the first one ends")
		}
		if len(c.holes) > 0 {
			c.between = append(c.between, literal)
		}
		hole, err := p.placeholder()
		if err != nil {
			return c, err
		}
		c.holes = append(c.holes, hole)
		literal = p.literal()
	}
	if len(c.holes) > 0 {
		c.suffix = literal
	}
	return c, nil
}

func (p *templateParser) literal() []byte {
	rest := p.text[p.pos:]
	if end := strings.IndexAny(rest, "{}/"); end >= 0 {
		rest = rest[:end]
	}
	p.pos += len(rest)
	return []byte(rest)
}

// placeholder reads {name} or {name:type} and returns the index of its dimension, or rest.
func (p *templateParser) placeholder() (int, error) {
	start := p.pos
	length := strings.IndexAny(p.text[start+1:], "{}/")
	if length < 0 || p.text[start+1+length] != '}' {
		return 0, p.errorf(start, "this { is not closed")
	}
	inner := p.text[start+1 : start+1+length]
	p.pos = start + 1 + length + 1
	if name, _, _ := strings.Cut(inner, ":"); name == "" {
		return 0, p.errorf(start, "the placeholder %q has no name", "{"+inner+"}")
	}
	return p.name(start+1, inner)
}

// name reads name or name:type, which stands at start, and returns the index of its dimension, or rest.
func (p *templateParser) name(start int, inner string) (int, error) {
	name, kind, typed := strings.Cut(inner, ":")
	if name == "" {
		return 0, p.errorf(start, "a name is empty")
	}
	if at := strings.IndexFunc(name, func(r rune) bool { return !nameRune(r) }); at >= 0 {
		return 0, p.errorf(start+at, "the name %q holds a character that is no letter, digit, _ or -", name)
	}
	if r, _ := utf8.DecodeRuneInString(name); !unicode.IsLetter(r) && r != '_' {
		return 0, p.errorf(start, "the name %q does not start with a letter", name)
	}
	if typed && kind != "date" {
		return 0, p.errorf(start+len(name)+1, "%q is not a type of placeholder, the only one is date", kind)
	}
	if name == "rest" || name == "_" {
		if typed {
			return 0, p.errorf(start-1, "{%s} is not a dimension, so it cannot be the date", name)
		}
		return rest, nil
	}
	if slices.Contains(p.layout.dimensions, name) {
		return 0, p.errorf(max(start-1, 0), "the dimension %q stands there twice", name)
	}
	p.layout.dimensions = append(p.layout.dimensions, name)
	if typed {
		if p.layout.date >= 0 {
			return 0, p.errorf(max(start-1, 0), "there are two date dimensions, %q and %q", p.layout.DateDimension(), name)
		}
		p.layout.date = len(p.layout.dimensions) - 1
	}
	return len(p.layout.dimensions) - 1, nil
}

func nameRune(r rune) bool {
	return r == '_' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r)
}
