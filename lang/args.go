package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tafc/tafc/internal/diag"
)

// The readers below return the value of an argument. ok is false when it was left out or null, or when it is broken, which
// was reported then.

// arg evaluates an argument.
func (l *loader) arg(b *block, name string) (v cty.Value, rng hcl.Range, ok bool) {
	a := b.attr(name)
	if a == nil {
		return cty.NilVal, b.DeclRange, false
	}
	rng = a.Expr.Range()
	v, ok = l.eval(a.Expr)
	if !ok {
		return v, rng, false
	}
	if v.IsNull() {
		if s := b.schema.arg(name); s != nil && s.Required {
			l.add(diag.Error("lang/missing-argument", "Missing argument",
				fmt.Sprintf("The argument %q is null, which means that it is left out, but it is needed. It takes %s.", name, s.Type), rng))
		}
		return v, rng, false
	}
	return v, rng, true
}

func (l *loader) wrongType(b *block, name string, v cty.Value, rng hcl.Range) {
	l.add(diag.Error("lang/wrong-type", "Wrong type of value",
		fmt.Sprintf("The argument %q takes %s, but this is %s.%s", name, b.schema.arg(name).Type, describeType(v), typeHint(v)+l.unwrapped(v)), rng))
}

func typeHint(v cty.Value) string {
	switch v.Type() {
	case conditionType:
		return " Conditions belong into where and exclude."
	case refType:
		return " Only arguments such as input take references."
	}
	return ""
}

// describeType says in words what a value is.
func describeType(v cty.Value) string {
	if v.IsNull() {
		return "null"
	}
	t := v.Type()
	switch {
	case t == cty.String:
		return "a text"
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "true or false"
	case t == refType:
		return "a reference to " + refOf(v).String()
	case t == conditionType:
		return "a condition"
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		return "a list"
	case t.IsMapType() || t.IsObjectType():
		return "a map"
	}
	return "a value of another kind"
}

func refOf(v cty.Value) ref { return *v.EncapsulatedValue().(*ref) }

// convertArg evaluates an argument and converts it to a type.
func (l *loader) convertArg(b *block, name string, want cty.Type) (cty.Value, hcl.Range, bool) {
	v, rng, ok := l.arg(b, name)
	if !ok {
		return v, rng, false
	}
	c, err := convert.Convert(v, want)
	if err != nil || !c.IsWhollyKnown() {
		l.wrongType(b, name, v, rng)
		return v, rng, false
	}
	return c, rng, true
}

func (l *loader) text(b *block, name string) (string, hcl.Range, bool) {
	v, rng, ok := l.convertArg(b, name, cty.String)
	if !ok {
		return "", rng, false
	}
	return v.AsString(), rng, true
}

// filled is a text that must not be empty.
func (l *loader) filled(b *block, name string) (string, hcl.Range, bool) {
	s, rng, ok := l.text(b, name)
	if ok && strings.TrimSpace(s) == "" {
		l.empty(b, name, rng)
		return "", rng, false
	}
	return s, rng, ok
}

func (l *loader) empty(b *block, name string, rng hcl.Range) {
	l.add(diag.Error("lang/empty-value", "Empty value",
		fmt.Sprintf("The argument %q must not be empty. It takes %s.", name, b.schema.arg(name).Type), rng))
}

// word is one of the words that the schema says.
func (l *loader) word(b *block, name, code string) (string, bool) {
	set := b.schema.arg(name).words
	s, rng, ok := l.text(b, name)
	if !ok || slices.Contains(set.words, s) {
		return s, ok
	}
	if slices.Contains(set.later, s) {
		l.notBuilt(fmt.Sprintf("The %s %q", name, s), rng)
		return "", false
	}
	l.add(diag.Error(code, "Unknown "+name,
		fmt.Sprintf("There is no %s %q.%s Known are %s.", name, s, diag.DidYouMean(s, set.words), list(quoted(set.words), "and")), rng))
	return "", false
}

// texts is a list of texts; a bare text is a list of one when the schema says so. Its elements have ranges of their own
// where the file spells the list out.
func (l *loader) texts(b *block, name string) ([]string, []hcl.Range, bool) {
	v, rng, ok := l.arg(b, name)
	if !ok {
		return nil, nil, false
	}
	if b.schema.arg(name).Type == TOneOrMore && v.Type() == cty.String {
		return []string{v.AsString()}, []hcl.Range{rng}, true
	}
	t := v.Type()
	if !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		l.wrongType(b, name, v, rng)
		return nil, nil, false
	}
	out, ranges := []string{}, elementRanges(b.attr(name).Expr, v.LengthInt())
	for _, e := range v.AsValueSlice() {
		c, err := convert.Convert(e, cty.String)
		if err != nil || c.IsNull() {
			l.add(diag.Error("lang/wrong-type", "Wrong type of value",
				fmt.Sprintf("The argument %q takes %s, but this element is %s.", name, b.schema.arg(name).Type, describeType(e)), ranges[len(out)]))
			return nil, nil, false
		}
		out = append(out, c.AsString())
	}
	return out, ranges, true
}

// elementRanges are the ranges of the n elements of a list, all the whole expression where the elements are not spelled out.
func elementRanges(expr hcl.Expression, n int) []hcl.Range {
	ranges := make([]hcl.Range, n)
	tuple, ok := hclsyntaxTuple(expr)
	for i := range ranges {
		ranges[i] = expr.Range()
		if ok && len(tuple) == n {
			ranges[i] = tuple[i].Range()
		}
	}
	return ranges
}

func hclsyntaxTuple(expr hcl.Expression) ([]hclsyntax.Expression, bool) {
	written, _ := unscoped(expr)
	t, ok := written.(*hclsyntax.TupleConsExpr)
	if !ok {
		return nil, false
	}
	return t.Exprs, true
}

// filledTexts is a list of texts with at least one element, none of them empty.
func (l *loader) filledTexts(b *block, name string) ([]string, []hcl.Range, bool) {
	out, ranges, ok := l.texts(b, name)
	if !ok {
		return nil, nil, false
	}
	if len(out) == 0 {
		l.empty(b, name, b.Range(name))
		return nil, nil, false
	}
	for i, s := range out {
		if strings.TrimSpace(s) == "" {
			l.empty(b, name, ranges[i])
			return nil, nil, false
		}
	}
	return out, ranges, true
}

func (l *loader) textMap(b *block, name string) (map[string]string, bool) {
	v, rng, ok := l.arg(b, name)
	if !ok {
		return nil, false
	}
	if t := v.Type(); !t.IsObjectType() && !t.IsMapType() {
		l.wrongType(b, name, v, rng)
		return nil, false
	}
	out := map[string]string{}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		c, err := convert.Convert(e, cty.String)
		if err != nil || c.IsNull() {
			l.add(diag.Error("lang/wrong-type", "Wrong type of value",
				fmt.Sprintf("The argument %q takes a map of texts, but %q is %s.", name, k.AsString(), describeType(e)), rng))
			return nil, false
		}
		out[k.AsString()] = c.AsString()
	}
	return out, true
}

func (l *loader) flag(b *block, name string) bool {
	v, _, ok := l.convertArg(b, name, cty.Bool)
	return ok && v.True()
}

// literalFlag is a flag that must be known before anything can be evaluated.
func (l *loader) literalFlag(b *block, name string) bool {
	if a := b.attr(name); a != nil && len(a.Expr.Variables()) > 0 {
		l.add(diag.Error("lang/wrong-type", "Wrong type of value",
			fmt.Sprintf("The argument %q must be known before any variable is: write true or false itself.", name), a.Expr.Range()))
		return true
	}
	return l.flag(b, name)
}

// reference is a reference to a block of one of the kinds.
func (l *loader) reference(b *block, name string, kinds ...string) (ref, hcl.Range, bool) {
	v, rng, ok := l.arg(b, name)
	if !ok {
		return ref{}, rng, false
	}
	want := make([]string, len(kinds))
	for i, k := range kinds {
		want[i] = k + ".NAME"
	}
	if refs, several := refsOf(v); several && l.isSeveral(b.attr(name).Expr) {
		l.oneOfSeveral(name, refs, rng)
		return ref{}, rng, false
	}
	if v.Type() != refType {
		hint := ""
		if v.Type() == cty.String {
			for _, k := range kinds {
				name := strings.TrimPrefix(v.AsString(), k+".")
				if r := (ref{k, name}); l.scope.blocks[r] != nil {
					hint = fmt.Sprintf(" Write %s without quotes.", r)
					if isJSON(l.analysis.Filename) {
						hint = fmt.Sprintf(" Write %q.", r)
					}
				}
			}
			if hint == "" && slices.Contains(kinds, "image") {
				hint = fmt.Sprintf(" Declare it with a block, image \"NAME\" { name = %q }, and write image.NAME here.", v.AsString())
			}
		}
		l.add(diag.Error("lang/wrong-type", "Wrong type of value",
			fmt.Sprintf("The argument %q takes a reference, %s, but this is %s.%s", name, list(want, "or"), describeType(v), hint), rng))
		return ref{}, rng, false
	}
	r := refOf(v)
	if !slices.Contains(kinds, r.kind) {
		l.add(diag.Error("lang/wrong-reference", "Wrong kind of reference",
			fmt.Sprintf("The argument %q takes %s, but %s is %s.", name, list(want, "or"), r, withArticle(nouns[r.kind])), rng))
		return ref{}, rng, false
	}
	return r, rng, true
}

func withArticle(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an " + noun
	}
	return "a " + noun
}

// sentence makes a sentence of an error.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func isText(v cty.Value) bool { return v != cty.NilVal && !v.IsNull() && v.Type() == cty.String }
