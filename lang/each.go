package lang

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
)

// eachName is what the element is called in a block with for_each.
const eachName = "each"

// severalOf prepares a block that stands for one block for each element of for_each, if it does.
func (l *loader) severalOf(b *block) {
	a := b.body.Attributes["for_each"]
	if s := b.schema.arg("for_each"); a == nil || s == nil || s.NotBuilt {
		return
	}
	x := &value{addr: ref{b.Type, b.Name}.String(), rng: b.DeclRange, expr: scoped(a.Expr, b.with)}
	x.coerce = func(v cty.Value) (cty.Value, bool) { return l.elements(v, x.expr) }
	b.each = x
}

// elements makes an object of what for_each can be: a map, or a set or list of texts. Its keys are those of the blocks.
func (l *loader) elements(v cty.Value, expr hcl.Expression) (cty.Value, bool) {
	if v.ContainsMarked() {
		l.sensitive(expr)
		return cty.NilVal, false
	}
	bad := func(detail string, rng hcl.Range) (cty.Value, bool) {
		l.add(diag.Error("lang/bad-for-each", "Bad for_each", detail, rng))
		return cty.NilVal, false
	}
	t := v.Type()
	list := t.IsSetType() || t.IsListType() || t.IsTupleType()
	switch {
	case v.IsNull():
		return bad("for_each is null. For no blocks write an empty map, {}.", expr.Range())
	case !list && !t.IsMapType() && !t.IsObjectType():
		return bad(fmt.Sprintf("for_each takes a map, or a list of different texts, but this is %s. There is one block for each element.%s", describeType(v), l.unwrapped(v)), expr.Range())
	case !l.room(v.LengthInt(), expr.Range()):
		return cty.NilVal, false
	}
	out, first := map[string]cty.Value{}, map[string]hcl.Range{}
	ranges := elementRanges(expr, v.LengthInt())
	i := 0
	for it := v.ElementIterator(); it.Next(); i++ {
		k, e := it.Element()
		rng := keyRange(expr, k)
		if list {
			k, rng = e, ranges[i]
		}
		if k.IsNull() || k.Type() != cty.String {
			hint := ""
			if k.Type() == cty.Number {
				hint = " Write it in quotes, or make texts of numbers: [for n in … : tostring(n)]."
			}
			return bad(fmt.Sprintf("The elements of a list become keys, which are texts, but this one is %s.%s For other values write a map: { key = value }.", describeType(k), hint), rng)
		}
		key := k.AsString()
		if detail := badKey(key); detail != "" {
			return bad(detail, rng)
		}
		if prior, twice := first[key]; twice {
			l.add(diag.Error("lang/bad-for-each", "Bad for_each",
				fmt.Sprintf("The key %q stands twice, and each key is the name of one block. Remove one, or write distinct(…).", key), rng, diag.WithRelated("first here", prior)))
			return cty.NilVal, false
		}
		first[key], out[key] = rng, e
	}
	return cty.ObjectVal(out), true
}

// maxKey is the most bytes of a key: it is part of names of folders.
const maxKey = 100

func badKey(key string) string {
	switch {
	case strings.TrimSpace(key) == "":
		return "A key is empty. It becomes part of addresses, such as map.NAME[\"KEY\"], so it needs a text."
	case len(key) > maxKey:
		return fmt.Sprintf("A key has %d bytes, and %d are the most: it becomes part of addresses. Write a map with short keys: { key = value }.", len(key), maxKey)
	case strings.ContainsFunc(key, unicode.IsControl):
		return fmt.Sprintf("The key %q has a character that cannot be printed. It becomes part of addresses, so it needs a plain text.", key)
	}
	return ""
}

// keyRange is where a map writes a key, or the whole expression.
func keyRange(expr hcl.Expression, key cty.Value) hcl.Range {
	written, _ := unscoped(expr)
	if object, ok := written.(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range object.Items {
			if k, diags := item.KeyExpr.Value(nil); !diags.HasErrors() && k.RawEquals(key) {
				return item.KeyExpr.Range()
			}
		}
	}
	return expr.Range()
}

// instances makes the blocks that a block with for_each stands for, and puts them in its place.
func (l *loader) instances(b *block) {
	x := b.each
	if x.state == untouched {
		l.force(x)
	}
	r := ref{b.Type, b.Name}
	at := slices.Index(l.root.blocks, b)
	if at < 0 || !x.ok || x.val.LengthInt() == 0 || l.scope.blocks[r] != b {
		b.with = b.with.and(eachName, iteration{}) // still look at what is inside
		l.shape(b)
		if at >= 0 {
			l.root.blocks = slices.Delete(l.root.blocks, at, at+1)
		}
		return
	}
	var all []*block
	for it := x.val.ElementIterator(); it.Next(); {
		k, e := it.Element()
		c := &block{
			Block:  Block{Type: b.Type, Name: addr.Instance(b.Name, k.AsString()), DeclRange: b.DeclRange, Args: map[string]hcl.Range{}},
			schema: b.schema, parent: b.parent, body: b.body, of: b,
			with: b.with.and(eachName, iteration{key: k, value: e, known: true}),
		}
		l.shape(c)
		l.scope.blocks[ref{c.Type, c.Name}] = c
		all = append(all, c)
	}
	l.root.blocks = slices.Replace(l.root.blocks, at, at+1, all...)
}

// several is what a reference to a block with for_each evaluates to: an object of references.
func (l *loader) several(r ref, b *block, t hcl.Traversal, rng hcl.Range) (cty.Value, bool) {
	v, ok := l.use(b.each, rng)
	if !ok {
		return cty.NilVal, false
	}
	refs := map[string]cty.Value{}
	var keys []string
	for it := v.ElementIterator(); it.Next(); {
		k, _ := it.Element()
		keys = append(keys, k.AsString())
		instance := ref{r.kind, addr.Instance(r.name, k.AsString())}
		refs[k.AsString()] = cty.CapsuleVal(refType, &instance)
	}
	if len(t) > 2 {
		key, isKey := cty.NilVal, true
		switch step := t[2].(type) {
		case hcl.TraverseAttr:
			key = cty.StringVal(step.Name)
		case hcl.TraverseIndex:
			key = step.Key
		default:
			isKey = false
		}
		if isKey && !l.knownKey(r, key, keys, t[2].SourceRange()) {
			return cty.NilVal, false
		}
	}
	if len(t) > 3 {
		l.add(diag.Error("lang/bad-reference", "Reference into a block",
			fmt.Sprintf("The blocks of %s have no attributes to refer to. Refer to one as a whole: %s[KEY].", r, r), t.SourceRange()))
		return cty.NilVal, false
	}
	return cty.ObjectVal(refs), true
}

// knownKey reports a key that for_each does not have.
func (l *loader) knownKey(r ref, key cty.Value, keys []string, rng hcl.Range) bool {
	given := ""
	if key.Type() == cty.String && !key.IsNull() {
		given = key.AsString()
		if slices.Contains(keys, given) {
			return true
		}
	} else if key.Type() == cty.Number {
		given = key.AsBigFloat().Text('f', -1)
		if slices.Contains(keys, given) {
			return true
		}
	}
	hint := diag.DidYouMean(given, keys)
	if hint == "" {
		hint = " " + haveKeys(keys)
	}
	l.add(diag.Error("lang/unknown-reference", "Unknown "+nouns[r.kind],
		fmt.Sprintf("The for_each of %s has no element %q.%s", r, given, hint), rng))
	return false
}

func haveKeys(keys []string) string {
	const most = 8
	switch {
	case len(keys) == 0:
		return "It has no elements."
	case len(keys) == 1:
		return fmt.Sprintf("There is only %q.", keys[0])
	case len(keys) > most:
		return fmt.Sprintf("There are %s and %d more.", strings.Join(quoted(keys[:most]), ", "), len(keys)-most)
	}
	return fmt.Sprintf("There are %s.", list(quoted(keys), "and"))
}

// refsOf are the references in an object or list that holds nothing else, by key.
func refsOf(v cty.Value) ([]ref, bool) {
	if v.IsNull() || !v.CanIterateElements() {
		return nil, false
	}
	refs := []ref{}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.Type() != refType || e.IsNull() {
			return nil, false
		}
		refs = append(refs, refOf(e))
	}
	return refs, true
}

// isSeveral tells whether an expression is a reference to a block with for_each.
func (l *loader) isSeveral(expr hcl.Expression) bool {
	written, _ := unscoped(expr)
	t, ok := written.(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(t.Traversal) != 2 {
		return false
	}
	step, ok := t.Traversal[1].(hcl.TraverseAttr)
	if !ok {
		return false
	}
	b := l.scope.blocks[ref{t.Traversal.RootName(), step.Name}]
	return b != nil && b.each != nil
}

// oneOfSeveral reports a reference to a block with for_each where one of its blocks is needed.
func (l *loader) oneOfSeveral(name string, refs []ref, rng hcl.Range) {
	detail := fmt.Sprintf("The argument %q takes one block, but this has a for_each without elements, so there is none.", name)
	if len(refs) > 0 {
		var choices []string
		for i, r := range refs {
			if i == 8 {
				choices = append(choices, fmt.Sprintf("%d more", len(refs)-i))
				break
			}
			choices = append(choices, r.String())
		}
		detail = fmt.Sprintf("The argument %q takes one block, but this is %d, made with for_each. Write which: %s. Inside of a block with the same for_each write [each.key].",
			name, len(refs), list(choices, "or"))
	}
	l.add(diag.Error("lang/ambiguous-reference", "Reference needed", detail, rng))
}
