package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/order"
)

// values reads "allowed_values". The second result is false when there was an error.
func (p *parser) values(n *node) (index.Term, bool) {
	switch n.kind {
	case text:
		return p.scalar(n), true
	case array:
		return p.list(n)
	case object:
		return p.rangeOf(n)
	case null:
		p.report("null-value", n, "Null matches nothing", "With null no file matched, ever. Write \"*\" to allow every value.")
		p.instead(`"*"`, index.OpAny)
	case boolean:
		p.report("boolean-value", n, "A boolean matches nothing", "Values are strings, so no file matched %s, ever. Write %q.", n.text, n.text)
		p.instead(strconv.Quote(n.text), index.OpOneOf, n.text)
	case number:
		p.report("number-value", n, "A number matches nothing", "Values are strings, so no file matched the number %s, ever. Write %q.", n.text, n.text)
		p.instead(strconv.Quote(n.text), index.OpOneOf, n.text)
	}
	return index.Term{}, false
}

func (p *parser) scalar(n *node) index.Term {
	if n.text == "*" {
		return index.Term{Op: index.OpAny}
	}
	sane := index.Sanitize(n.text)
	p.literal(n)
	if !looksLikeGlob(n.text) && sane != n.text {
		p.warn("scalar-sanitised", n, "Differs from job.py",
			"As in the index service, this finds files whose value is %q. The old job.py compared a bare string with the key as it is and found nothing; it needed the list [%q].", sane, n.text)
	}
	p.spelling([]*node{n}, []string{sane})
	return index.Term{Op: index.OpOneOf, Values: []string{n.text}}
}

func (p *parser) list(n *node) (index.Term, bool) {
	if len(n.elements) == 0 {
		p.report("empty-list", n, "An empty list matches nothing", "With [] no file matched, ever. List the values, or write \"*\" to allow every value.")
		p.instead(`"*"`, index.OpAny)
		return index.Term{}, false
	}
	term, ok := index.Term{Op: index.OpOneOf}, true
	for _, element := range n.elements {
		switch {
		case element.kind != text:
			p.report("list-element", element, "Not a string", "A list of allowed values holds strings; this is %s.", element.kind)
			ok = false
		case element.text == "*":
			p.report("star-in-list", element, "A star in a list is no wildcard",
				"Inside a list, \"*\" stood for the value \"_\" and nothing else. Write \"allowed_values\": \"*\" without the list to allow every value, or [\"_\"] when you mean that value.")
			p.instead(`"*"`, index.OpAny)
			p.instead(`["_"]`, index.OpOneOf, "_")
			ok = false
		default:
			p.literal(element)
		}
		term.Values = append(term.Values, element.text)
	}
	if ok {
		p.spelling(n.elements, term.Values)
	}
	return term, ok
}

// literal warns of a text that looks like a pattern.
func (p *parser) literal(n *node) {
	if looksLikeGlob(n.text) {
		p.warn("glob-literal", n, "Not a pattern",
			"A filter document has no wildcards: this means exactly the value %q. List the values, or write the filter in the language and use glob(%q).", index.Sanitize(n.text), n.text)
	}
}

func looksLikeGlob(s string) bool { return strings.ContainsAny(s, "*?") }

// spelling warns when only one of the two writings of the value for "anything else" is listed.
func (p *parser) spelling(nodes []*node, values []string) {
	upper, lower := slices.Index(values, "OTHER"), slices.Index(values, "other")
	if (upper < 0) != (lower < 0) {
		p.warn("other-spelling", nodes[max(upper, lower)], "Two spellings of OTHER", "The buckets hold both OTHER and other, depending on the program that wrote the file. List both to get all of them.")
	}
}

// rangeOf reads {"min": …, "max": …}.
func (p *parser) rangeOf(n *node) (index.Term, bool) {
	before := len(p.notices)
	p.keys(n)
	for _, m := range n.members {
		if m.name.text != "min" && m.name.text != "max" {
			p.report("unknown-range-key", m.name, "Unknown key of a range",
				"A range has the keys \"min\" and \"max\"; others were ignored, so that the filter matched more than it says.%s", suggestBound(m.name.text))
			p.meantBound(m)
		}
	}
	low, hasLow := p.bound("min", n)
	high, hasHigh := p.bound("max", n)
	if slices.ContainsFunc(p.notices[before:], func(n Notice) bool { return !n.Warning }) {
		return index.Term{}, false
	}
	switch {
	case !hasLow && !hasHigh:
		p.report("empty-range", n, "A range without bounds matches everything", "Without \"min\" and \"max\" every file matched. Give one of them, or write \"*\" to allow every value.")
		p.instead(`"*"`, index.OpAny)
		return index.Term{}, false
	case !hasHigh:
		return index.Term{Op: index.OpAtLeast, Values: []string{low}}, true
	case !hasLow:
		return index.Term{Op: index.OpAtMost, Values: []string{high}}, true
	case index.Sanitize(low) > index.Sanitize(high):
		p.inverted(n, low, high)
		return index.Term{}, false
	}
	return index.Term{Op: index.OpBetween, Values: []string{low, high}}, true
}

// inverted reports a range whose bounds are the wrong way round, at least as texts.
func (p *parser) inverted(n *node, low, high string) {
	if order.VersionsAscend(low, high) {
		constraint := fmt.Sprintf(">= %s, <= %s", low, high)
		p.report("inverted-range", n, "Versions are compared as texts",
			"As a text, character by character, %q comes after %q, so the range matches nothing. A document cannot compare versions: list the values, or turn it into HCL and write version(%q).", low, high, constraint)
		p.instead(fmt.Sprintf("version(%q)", constraint), index.OpVersion, constraint)
		return
	}
	p.report("inverted-range", n, "An inverted range matches nothing",
		"%q is greater than %q: values are compared as strings, character by character. Exchange the bounds, or list the values.", low, high)
	p.instead(fmt.Sprintf(`{"min": %q, "max": %q}`, high, low), index.OpBetween, high, low)
}

// meantBound says what an unknown key of a range would match as the bound that it resembles.
func (p *parser) meantBound(m member) {
	if m.value.kind != text {
		return
	}
	if name := boundMeant(m.name.text); name != "" {
		op := map[string]index.Op{"min": index.OpAtLeast, "max": index.OpAtMost}[name]
		p.instead(fmt.Sprintf("{%q: %q}", name, m.value.text), op, m.value.text)
	}
}

// bound reads min or max of a range and tells whether it is one.
func (p *parser) bound(name string, of *node) (string, bool) {
	n := of.get(name)
	if n == nil {
		return "", false
	}
	if n.kind == number {
		effect := map[string]string{"min": "let everything pass", "max": "let nothing pass"}[name]
		p.report("numeric-bound", n, "A number as a bound", "Values are strings; a number as %q %s. Write %q.", name, effect, n.text)
		p.instead(fmt.Sprintf("{%q: %q}", name, n.text), map[string]index.Op{"min": index.OpAtLeast, "max": index.OpAtMost}[name], n.text)
		return "", false
	}
	if n.kind != text {
		p.report("bound", n, "Not a bound", "%q must be a string, not %s. Leave the key out when there is no bound.", name, n.kind)
		return "", false
	}
	if n.text == "" {
		if len(of.members) > 1 {
			p.warn("empty-bound", n, "An empty bound is no bound", "As in the index service, %q with an empty string counts as absent.", name)
		}
		return "", false
	}
	if sane := index.Sanitize(n.text); sane != n.text {
		p.warn("bound-sanitised", n, "Differs from job.py",
			"As in the index service, the bound is %q. The old job.py compared bounds with the key as they are.", sane)
	}
	return n.text, true
}

// suggestBound is a sentence with the key that was probably meant, or empty.
func suggestBound(key string) string {
	if name := boundMeant(key); name != "" {
		return fmt.Sprintf(" Did you mean %q?", name)
	}
	return ""
}

// boundMeant is min or max, whichever a key of a range probably means, or empty.
func boundMeant(key string) string {
	low := []string{"min", "minimum", "from", "start", "after", "since", "gt", "gte", ">=", ">"}
	high := []string{"max", "maximum", "to", "end", "before", "until", "lt", "lte", "<=", "<"}
	key = strings.ToLower(key)
	near := func(name string) bool {
		return name == key || len(name) > 2 && levenshtein.Distance(key, name, nil) == 1
	}
	switch {
	case slices.ContainsFunc(low, near):
		return "min"
	case slices.ContainsFunc(high, near):
		return "max"
	}
	return ""
}
