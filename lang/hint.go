package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/lazy"
)

// Diagnostics show what to write in the native syntax: max_files = 10, batch { … }. For a file in JSON inJSON shows the same as properties.
func inJSON(detail string) string {
	var out strings.Builder
	for s := strings.ReplaceAll(detail, " without quotes", ""); s != ""; {
		start := out.Len() == 0 || !wordEnd().MatchString(out.String()[max(0, out.Len()-4):])
		if shown, rest, ok := jsonHint(s); ok && start {
			out.WriteString(shown)
			s = rest
			continue
		}
		n := len(firstPiece().FindString(s))
		out.WriteString(s[:n])
		s = s[n:]
	}
	return out.String()
}

var (
	wordEnd    = lazy.Regexp(`[\w.]$`)
	firstPiece = lazy.Regexp(`(?s)^("(\\.|[^"\\])*("|$)|[Ww]rite |\w+|.)`)
	blockHint  = lazy.Regexp(`^([a-z_]+)(?: ("[^"]*"))? \{`)
	argHint    = lazy.Regexp(`^([a-z_]+|"[^"]*"|[A-Z]+) = `)
	callHint   = lazy.Regexp(`^([Ww]rite )([a-z_]+\((\d*|[^()…]*"[^()…]*)\))`)
	dataHint   = lazy.Regexp(`^("|…|-?\d|true|false|null|[A-Z]+$)`)
	refHint    = lazy.Regexp(`^(map|reduce|filter|index|image)\.[\w-]+$`)
	nameHints  = lazy.Regexp(`"[^"]*"|[a-z_]+`)
)

// jsonHint is what the beginning of a text shows, as JSON, and the rest of the text.
func jsonHint(s string) (shown, rest string, ok bool) {
	if m := blockHint().FindStringSubmatch(s); m != nil {
		n := extent(s[len(m[0])-1:])
		body := jsonMembers(s[len(m[0])-1:][:n])
		if m[2] != "" {
			body = "{" + m[2] + ": " + body + "}"
		}
		return `"` + m[1] + `": ` + body, s[len(m[0])-1+n:], true
	}
	if m := argHint().FindStringSubmatch(s); m != nil && !strings.HasPrefix(m[1], `"`) {
		n := extent(s[len(m[0]):])
		return `"` + m[1] + `": ` + jsonValue(s[len(m[0]):][:n]), s[len(m[0])+n:], true
	}
	if m := callHint().FindStringSubmatch(s); m != nil {
		return m[1] + jsonValue(m[2]), s[len(m[0]):], true
	}
	return "", "", false
}

// extent is the length of the value that a text begins with.
func extent(s string) int {
	depth, quoted := 0, false
	for i, c := range s {
		next := s[i+len(string(c)):]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case strings.ContainsRune("([{", c):
			depth++
		case strings.ContainsRune(")]}", c):
			if depth--; depth < 0 {
				return i
			}
		case depth > 0:
		case c == ' ' && (strings.HasPrefix(next, "? ") || strings.HasPrefix(next, ": [")):
		case strings.HasSuffix(s[:i], "?") || strings.HasSuffix(s[:i], ":"):
		case strings.ContainsRune(" ,;", c), strings.ContainsRune(".:", c) && (next == "" || next[0] == ' ') && !strings.HasPrefix(next, " ["):
			return i
		}
	}
	return len(s)
}

// jsonValue is a value of the native syntax in JSON.
func jsonValue(v string) string {
	switch {
	case strings.HasPrefix(v, "{"):
		return jsonMembers(v)
	case strings.HasPrefix(v, "["):
		return nameHints().ReplaceAllStringFunc(v, func(s string) string { return `"` + strings.Trim(s, `"`) + `"` })
	case dataHint().MatchString(v):
		return v
	case refHint().MatchString(v):
		return `"` + v + `"`
	}
	return jsonExpression(v)
}

// jsonMembers is a map or the content of a block, braces included, in JSON.
func jsonMembers(v string) string {
	var out strings.Builder
	for s := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(v, "{"), "}"), " "); s != ""; {
		if m := argHint().FindStringSubmatch(s); m != nil {
			n := extent(s[len(m[0]):])
			out.WriteString(`"` + strings.Trim(m[1], `"`) + `": ` + jsonValue(s[len(m[0]):][:n]))
			s = s[len(m[0])+n:]
		} else if shown, rest, ok := jsonHint(s); ok {
			out.WriteString(shown)
			s = rest
		} else {
			n := len(firstPiece().FindString(s))
			out.WriteString(s[:n])
			s = s[n:]
		}
	}
	return "{" + out.String() + "}"
}

// typeHints adds to what is said about a type what was probably meant.
func typeHints(expr hcl.Expression, diags hcl.Diagnostics) hcl.Diagnostics {
	v, _ := expr.Value(nil)
	for _, d := range diags {
		m := notAType().FindStringSubmatch(d.Detail)
		switch {
		case m != nil && otherTypes[strings.ToLower(m[1])] != "":
			d.Detail += fmt.Sprintf(" Did you mean %q?", otherTypes[strings.ToLower(m[1])])
		case m != nil:
			d.Detail += diag.DidYouMean(m[1], typeWords)
		case isText(v) && v.IsKnown():
			d.Detail += fmt.Sprintf(" Write %s without quotes.", v.AsString())
		}
	}
	return diags
}

var (
	notAType  = lazy.Regexp(`^The keyword "(.*)" is not a valid type specification\.$`)
	typeWords = []string{"string", "number", "bool", "list", "set", "map", "tuple", "object", "any"}
)

// unwrapped is a hint, with a leading space, when a text is as a whole an expression that somebody may have meant: a value of the
// file, or a call of one of its functions.
func (l *loader) unwrapped(v cty.Value) string {
	if !isText(v) || !v.IsKnown() {
		return ""
	}
	s := v.AsString()
	expr, diags := hclsyntax.ParseExpression([]byte(s), "", hcl.InitialPos)
	if diags.HasErrors() {
		return ""
	}
	call, isCall := expr.(*hclsyntax.FunctionCallExpr)
	if isCall && !l.isFunction(call.Name) || !isCall && len(expr.Variables()) == 0 ||
		slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool { return !l.refersHere(t) }) {
		return ""
	}
	if isJSON(l.analysis.Filename) {
		return fmt.Sprintf(" If the expression is meant, write %s.", jsonExpression(s))
	}
	return fmt.Sprintf(" If the expression is meant, write %s without quotes.", s)
}

// refersHere tells whether a reference is to something of the file.
func (l *loader) refersHere(t hcl.Traversal) bool {
	if len(t) < 2 {
		return false
	}
	attr, ok := t[1].(hcl.TraverseAttr)
	root := t.RootName()
	return ok && (l.scope.values[root+"."+attr.Name] != nil || l.scope.blocks[ref{root, attr.Name}] != nil ||
		root == eachName && (attr.Name == "key" || attr.Name == "value"))
}

func jsonExpression(s string) string { return `"${` + strings.ReplaceAll(s, `"`, `\"`) + `}"` }

func (l *loader) isFunction(name string) bool {
	_, builtin := l.functions[name]
	return builtin || l.userFunctions[name] != nil
}
