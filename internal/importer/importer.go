package importer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// Options say what else the analysis holds. What is empty gets a placeholder with a comment.
type Options struct {
	From   string // the name of the document, for a comment
	Source string // of the index, as the analysis writes it
	Layout string // of the index; empty: what the source says
	Map    string // path of the map's code
	Reduce string // path of the reduce's code; empty: no reduce
}

// Analysis is a whole analysis, in canonical form, whose filter selects what the document selects.
func Analysis(f index.Filter, o Options) []byte {
	var b strings.Builder
	if o.From != "" {
		fmt.Fprintf(&b, "# The filter was imported from %s.\n\n", strings.Map(printable, o.From))
	}
	b.WriteString("index \"files\" {\n")
	if o.Source == "" {
		b.WriteString("  source = \"dir:data\" # where the list of files comes from\n")
	} else {
		fmt.Fprintf(&b, "  source = %s\n", quote(o.Source))
	}
	if o.Layout != "" {
		fmt.Fprintf(&b, "  layout = %s\n", quote(o.Layout))
	}
	b.WriteString("}\n\n")
	b.Write(Filter(f))
	b.WriteString("\nmap \"records\" {\n")
	if o.Map == "" {
		b.WriteString("  command = \"cat\" # or code = \"mapper.py\": see tafc init for an example\n")
	} else {
		fmt.Fprintf(&b, "  code = %s\n", quote(o.Map))
	}
	b.WriteString("}\n\n")
	result := "map.records"
	if o.Reduce != "" {
		fmt.Fprintf(&b, "reduce \"total\" {\n  input = map.records\n  code = %s\n}\n\n", quote(o.Reduce))
		result = "reduce.total"
	}
	fmt.Fprintf(&b, "output \"result\" {\n  value = %s\n}\n", result)
	return lang.Format([]byte(b.String()))
}

// Filter is the filter block alone, in canonical form. Conditions that allow every value are left out.
func Filter(f index.Filter) []byte {
	var lines []string
	for _, t := range f.Where {
		if t.Op != index.OpAny {
			lines = append(lines, fmt.Sprintf("    %s = %s\n", t.Dimension, condition(t)))
		}
	}
	if len(lines) == 0 {
		return []byte("filter \"imported\" {}\n")
	}
	exact := ""
	if slices.ContainsFunc(f.Where, exactMatters) {
		exact = "  # As in the index service of 2014, only the values below are rewritten (saved-session to saved_session), not those of keys.\n" +
			"  exact_keys = true\n\n"
	}
	return lang.Format([]byte("filter \"imported\" {\n" + exact + "  where {\n" + strings.Join(lines, "") + "  }\n}\n"))
}

// exactMatters tells whether it makes a difference to a term that values of keys are compared as they are: not when the term names only
// values that no other value is rewritten to.
func exactMatters(t index.Term) bool {
	switch t.Op {
	case index.OpAny:
		return false
	case index.OpOneOf:
		return slices.ContainsFunc(t.Values, func(v string) bool { return strings.Contains(index.Sanitize(v), "_") })
	}
	return true
}

func condition(t index.Term) string {
	values := make([]string, len(t.Values))
	// The language wants the bounds of a range in order as they are written; what counts is their order when rewritten.
	rewrite := t.Op == index.OpBetween && plain(t.Values[0]) > plain(t.Values[1])
	for i, v := range t.Values {
		if values[i] = quote(plain(v)); rewrite {
			values[i] = quote(index.Sanitize(v))
		}
	}
	switch {
	case t.Op != index.OpOneOf:
		return string(t.Op) + "(" + strings.Join(values, ", ") + ")"
	case len(values) == 1:
		return values[0]
	}
	const width = 100
	if line := "[" + strings.Join(values, ", ") + "]"; len(line) <= width {
		return line
	}
	return "[\n      " + strings.Join(values, ",\n      ") + ",\n    ]"
}

// plain is a value as the document spells it, or rewritten where the spelling would mislead: what looks like a pattern, and characters that
// a text of the language may hold in another form.
func plain(v string) string {
	odd := strings.ContainsAny(v, "*?") || strings.IndexFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) >= 0
	if odd {
		return index.Sanitize(v)
	}
	return v
}

func quote(s string) string {
	return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes())
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '?'
	}
	return r
}
