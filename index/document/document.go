package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/lazy"
)

// Filter is what a document says.
type Filter struct {
	index.Filter
	Places []TermPlace // of each term of Where
}

// TermPlace is where a condition stands.
type TermPlace struct {
	Place          // of what is allowed
	Values []Place // of each value of the term
}

// Parse reads the text of a Filter.json. Dims are the dimensions of the index in the order of its layout, nil when they are not
// known yet. The filter is nil when one of the notices is not a warning. Notices are in the order of the text.
func Parse(filename string, src []byte, dims []string) (*Filter, []Notice) {
	p := &parser{filename: filename, src: src, dims: dims, seen: map[string]bool{}}
	root, syntax := parseJSON(src)
	if syntax != nil {
		end := min(syntax.offset+1, len(src))
		p.report("syntax", &node{start: syntax.offset, end: end}, "Not a JSON document", "The text cannot be read as JSON: %s.", syntax.reason)
	} else {
		p.document(root)
	}
	sortNotices(p.notices)
	if slices.ContainsFunc(p.notices, func(n Notice) bool { return !n.Warning }) {
		return nil, p.notices
	}
	return &Filter{index.Filter{Where: p.terms, AsService: true}, p.places}, p.notices
}

// parser collects the terms and notices of one document.
type parser struct {
	filename string
	src      []byte
	dims     []string
	seen     map[string]bool // dimensions so far

	dimension string // of the current entry
	terms     []index.Term
	places    []TermPlace
	notices   []Notice
	misplaced bool // the order of the entries was noticed
}

func (p *parser) report(code string, at *node, summary, format string, args ...any) {
	p.notices = append(p.notices, Notice{
		Code: "filter/" + code, Summary: summary, Detail: fmt.Sprintf(format, args...), Place: p.place(at),
	})
}

func (p *parser) place(n *node) Place {
	at := Place{Filename: p.filename, Byte: n.start, EndByte: n.end}
	at.Line, at.Column = position(p.src, n.start)
	at.EndLine, at.EndColumn = position(p.src, n.end)
	return at
}

// termPlace finds the values of a condition that was read without errors.
func (p *parser) termPlace(n *node) TermPlace {
	at := TermPlace{Place: p.place(n)}
	switch n.kind {
	case array:
		for _, element := range n.elements {
			at.Values = append(at.Values, p.place(element))
		}
	case object:
		for _, name := range []string{"min", "max"} {
			if bound := n.get(name); bound != nil && bound.text != "" {
				at.Values = append(at.Values, p.place(bound))
			}
		}
	default:
		if n.text != "*" {
			at.Values = append(at.Values, at.Place)
		}
	}
	return at
}

// instead says what could stand in the place of what the last notice is about.
func (p *parser) instead(write string, op index.Op, values ...string) {
	last := &p.notices[len(p.notices)-1]
	last.Instead = append(last.Instead, Alternative{write, index.Term{Dimension: p.dimension, Op: op, Values: values}})
}

func (p *parser) warn(code string, at *node, summary, format string, args ...any) {
	p.report(code, at, summary, format, args...)
	p.notices[len(p.notices)-1].Warning = true
}

// is reports a value that has another type than it should.
func (p *parser) is(n *node, want kind, what string) bool {
	if n.kind == want {
		return true
	}
	p.report("shape", n, "Wrong type", "%s must be %s, not %s.", what, want, n.kind)
	return false
}

// keys checks the keys of an object.
func (p *parser) keys(n *node, known ...string) {
	seen := map[string]bool{}
	for _, m := range n.members {
		name := m.name.text
		switch {
		case seen[name]:
			p.report("duplicate-key", m.name, "Duplicate key", "The key %q stands twice in this object; programs differ in which of the two they take. Keep one.", name)
		case len(known) > 0 && !slices.Contains(known, name):
			p.warn("ignored-key", m.name, "Key without a meaning", "Nothing reads the key %q.%s", name, didYouMean(name, known))
		}
		seen[name] = true
	}
}

func (p *parser) document(root *node) {
	if !p.is(root, object, "A filter") {
		return
	}
	p.keys(root, "version", "dimensions")
	if version := root.get("version"); version != nil && (version.kind != number || strings.ContainsAny(version.text, ".eE")) {
		p.warn("version", version, "Version is not an integer", "The version of a filter is an integer, such as 1. Nothing else depends on it.")
	}
	dimensions := root.get("dimensions")
	if dimensions == nil {
		hint := ""
		if root.get("filter") != nil {
			hint = " This looks like a request to the index service; the filter is what its key \"filter\" holds."
		}
		p.report("missing-dimensions", root, "Filter without dimensions", "A filter has a key \"dimensions\" with a list of conditions.%s", hint)
		return
	}
	if !p.is(dimensions, array, "\"dimensions\"") {
		return
	}
	if len(dimensions.elements) == 0 {
		p.warn("no-conditions", dimensions, "Filter without conditions", "The list of dimensions is empty, so every file of the index matches.")
	}
	for i, entry := range dimensions.elements {
		if p.is(entry, object, "An entry of \"dimensions\"") {
			p.entry(i, entry)
		}
	}
}

// entry reads {"field_name": …, "allowed_values": …}.
func (p *parser) entry(i int, entry *node) {
	p.keys(entry, "field_name", "allowed_values")
	name, values := entry.get("field_name"), entry.get("allowed_values")
	p.dimension = ""
	if name == nil {
		p.report("missing-field-name", entry, "Condition without a dimension", "An entry of \"dimensions\" has a \"field_name\" that names its dimension.")
	} else if p.is(name, text, "\"field_name\"") {
		p.dimension = name.text
		p.checkDimension(i, name)
	}
	if values == nil {
		p.report("missing-values", entry, "Condition without values", "An entry of \"dimensions\" has \"allowed_values\"; write \"*\" to allow every value.")
		return
	}
	if term, ok := p.values(values); ok {
		term.Dimension = p.dimension
		p.terms = append(p.terms, term)
		p.places = append(p.places, p.termPlace(values))
	}
}

// dimensionName is what the name of a dimension of a layout looks like.
var dimensionName = lazy.Regexp(`^[\pL_][\pL\p{Nd}_-]*$`)

// checkDimension checks the name of a dimension.
func (p *parser) checkDimension(i int, name *node) {
	if p.seen[name.text] {
		p.report("duplicate-dimension", name, "Duplicate dimension", "There are two conditions on %q. Write one, with all allowed values.", name.text)
		return
	}
	p.seen[name.text] = true
	if p.dims == nil {
		if !dimensionName().MatchString(name.text) {
			p.report("unknown-dimension", name, "Unknown dimension", "No index has a dimension %q: names begin with a letter or _ and go on with letters, digits, _ and -.", name.text)
		}
		return
	}
	if !slices.Contains(p.dims, name.text) {
		p.report("unknown-dimension", name, "Unknown dimension", "The index has no dimension %q.%s Its dimensions are %s.",
			name.text, didYouMean(name.text, p.dims), strings.Join(p.dims, ", "))
		p.misplaced = true // that is the worse problem
		return
	}
	if !p.misplaced && i < len(p.dims) && p.dims[i] != name.text {
		p.misplaced = true
		p.warn("order", name, "Other order than the index",
			"Conditions go by name here, as in the index service. The old job.py went by position: it would have compared this condition with %s.", p.dims[i])
	}
}

// didYouMean is a sentence with the known name that is closest to what was written, or empty.
func didYouMean(written string, known []string) string {
	best, distance := "", 3
	for _, name := range known {
		if d := levenshtein.Distance(strings.ToLower(written), strings.ToLower(name), nil); d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}
