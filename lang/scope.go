package lang

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/stdlib/funcs"
)

// ref is what a reference to a block evaluates to.
type ref struct {
	kind string // type of the block
	name string
}

func (r ref) String() string { return r.kind + "." + r.name }

var refType = cty.Capsule("reference", reflect.TypeFor[ref]())

// refKinds are the blocks that can be referred to as such, and what a sentence calls them.
var refKinds = []string{"index", "filter", "image", "map", "reduce"}

// roots of references.
var refRoots = append([]string{"var", "local"}, refKinds...)

// value is a variable or a local: evaluated when somebody first asks.
type value struct {
	addr   string
	rng    hcl.Range // where it is declared
	expr   hcl.Expression
	coerce func(cty.Value) (cty.Value, bool) // to the declared type; nil: as it is

	evaluate func(hcl.Expression) (cty.Value, bool) // nil: loader.evalMarked

	state valueState
	val   cty.Value
	ok    bool
	uses  []use // what it refers to, known once it was evaluated
}

type use struct {
	to  *value
	rng hcl.Range
}

type valueState int

const (
	untouched valueState = iota
	evaluating
	evaluated
)

// scope is what expressions can refer to.
type scope struct {
	values map[string]*value // by address
	blocks map[ref]*block
	stack  []*value // being evaluated, outermost first
}

// names are the declared names of a root, sorted.
func (s *scope) names(root string) []string {
	var names []string
	for addr := range s.values {
		if kind, name, _ := strings.Cut(addr, "."); kind == root {
			names = append(names, name)
		}
	}
	for r, b := range s.blocks {
		if r.kind == root && b.of == nil {
			names = append(names, r.name)
		}
	}
	slices.Sort(names)
	return names
}

// eval evaluates an expression whose value may be shown. When it is broken, or anything that it refers to is, ok is false and all
// was reported.
func (l *loader) eval(expr hcl.Expression) (v cty.Value, ok bool) {
	v, ok = l.evalMarked(expr)
	if ok && v.ContainsMarked() {
		l.sensitive(expr)
		return cty.DynamicVal, false
	}
	return v, ok
}

// evalMarked evaluates an expression. What must not be shown of its value is marked.
func (l *loader) evalMarked(expr hcl.Expression) (v cty.Value, ok bool) {
	outer := l.with
	expr, l.with = unscoped(expr)
	defer func() { l.with = outer }()
	ctx, ok := l.context(expr, nil)
	if !ok {
		return cty.DynamicVal, false
	}
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		diags = l.keyErrors(expr, ctx, explainCalls(diags))
	}
	l.addAll(diag.WithCode("lang/bad-expression", discreet(diags, ctx)))
	if diags.HasErrors() || !v.IsWhollyKnown() {
		return cty.DynamicVal, false
	}
	return v, true
}

// context holds what an expression refers to, apart from the parameters of the function that it is the result of.
func (l *loader) context(expr hcl.Expression, params []string) (*hcl.EvalContext, bool) {
	ok := l.checkCalls(expr)
	objects := map[string]map[string]cty.Value{}
	for _, t := range expr.Variables() {
		if slices.Contains(params, t.RootName()) {
			continue
		}
		root, name, v, good := l.resolve(t)
		if !good {
			ok = false
			continue
		}
		if objects[root] == nil {
			objects[root] = map[string]cty.Value{}
		}
		objects[root][name] = v
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: l.functions}
	for root, attrs := range objects {
		ctx.Variables[root] = cty.ObjectVal(attrs)
	}
	return ctx, ok
}

// keyErrors says what keys there are where an expression takes one of a block with for_each that is not there.
func (l *loader) keyErrors(expr hcl.Expression, ctx *hcl.EvalContext, diags hcl.Diagnostics) hcl.Diagnostics {
	node, isNode := expr.(hclsyntax.Node)
	if !isNode {
		return diags
	}
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		index, isIndex := n.(*hclsyntax.IndexExpr)
		if !isIndex {
			return nil
		}
		of, isReference := index.Collection.(*hclsyntax.ScopeTraversalExpr)
		if !isReference || len(of.Traversal) != 2 {
			return nil
		}
		all, bad := of.Value(ctx)
		key, badKey := index.Key.Value(ctx)
		if bad.HasErrors() || badKey.HasErrors() || !all.Type().IsObjectType() || key.IsMarked() || !key.IsKnown() {
			return nil
		}
		if _, isRefs := refsOf(all); !isRefs {
			return nil
		}
		step, _ := of.Traversal[1].(hcl.TraverseAttr)
		var keys []string
		for it := all.ElementIterator(); it.Next(); {
			k, _ := it.Element()
			keys = append(keys, k.AsString())
		}
		if !l.knownKey(ref{of.Traversal.RootName(), step.Name}, key, keys, index.Key.Range()) {
			diags = slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool { return d.Summary == "Invalid index" })
		}
		return nil
	})
	return diags
}

// resolve finds what the traversal of an expression starts with.
func (l *loader) resolve(t hcl.Traversal) (root, name string, v cty.Value, ok bool) {
	root = t.RootName()
	if name, v, found, ok := l.iterated(t); found {
		return root, name, v, ok
	}
	if !slices.Contains(refRoots, root) {
		l.unknownRoot(t)
		return root, "", cty.NilVal, false
	}
	if len(t) > 1 {
		switch step := t[1].(type) {
		case hcl.TraverseAttr:
			name = step.Name
		case hcl.TraverseIndex:
			if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
				name = step.Key.AsString()
			}
		}
	}
	if name == "" {
		l.add(diag.Error("lang/bad-reference", "Incomplete reference",
			fmt.Sprintf("%s alone is no value. Write %s.NAME.%s", root, root, l.declared(root)), t.SourceRange()))
		return root, "", cty.NilVal, false
	}
	head := hcl.RangeBetween(t[0].SourceRange(), t[1].SourceRange())
	if root == "var" || root == "local" {
		v, ok = l.valueOf(root, name, head)
		return root, name, v, ok
	}
	r := ref{root, name}
	b := l.scope.blocks[r]
	if b == nil {
		l.unknownName(root, name, head)
		return root, name, cty.NilVal, false
	}
	if b.each != nil {
		v, ok = l.several(r, b, t, head)
		return root, name, v, ok
	}
	if len(t) > 2 {
		why := "has no attributes to refer to"
		if _, indexed := t[2].(hcl.TraverseIndex); indexed {
			why = "has no for_each, so it is one block"
		}
		l.add(diag.Error("lang/bad-reference", "Reference into a block",
			fmt.Sprintf("%s %s. Refer to the block as a whole: %s.", r, why, r), t.SourceRange()))
		return root, name, cty.NilVal, false
	}
	return root, name, cty.CapsuleVal(refType, &r), true
}

func (l *loader) unknownRoot(t hcl.Traversal) {
	root := t.RootName()
	detail := fmt.Sprintf("There is nothing named %q to refer to. References begin with %s and a dot.", root, list(refRoots, "or"))
	switch {
	case root == eachName:
		detail = "each.key and each.value are there only inside of a block with for_each, which says what the elements are; not in for_each itself."
	case fileName(t) != "":
		detail = fmt.Sprintf("%s without quotes is a reference, and there is nothing named %q. If it is the name of a file, write %q.", fileName(t), root, fileName(t))
	case aliases[root] != "":
		detail = fmt.Sprintf("There is nothing named %q to refer to. Did you mean %q?", root, aliases[root])
	case len(t) == 1 && l.named(root) != "":
		detail = fmt.Sprintf("There is nothing named %q to refer to. Did you mean %s?", root, l.named(root))
	case len(t) == 1:
		detail = fmt.Sprintf("%s without quotes is a reference, and there is nothing of that name. If it is a text, write %q.", root, root)
	case diag.Suggest(root, refRoots) != "":
		detail = fmt.Sprintf("There is nothing named %q to refer to.%s", root, diag.DidYouMean(root, refRoots))
	case t.SourceRange().CanSliceBytes(l.src) && !isJSON(l.analysis.Filename):
		detail += fmt.Sprintf(" If it is a text, write %q.", t.SourceRange().SliceBytes(l.src))
	}
	l.add(diag.Error("lang/unknown-reference", "Unknown reference", detail, t.SourceRange()))
}

// aliases are block types that are referred to by another word.
var aliases = map[string]string{"variable": "var", "variables": "var", "vars": "var", "locals": "local"}

// nouns are what summaries call the things that roots refer to.
var nouns = map[string]string{
	"var": "variable", "local": "local", "index": "index", "filter": "filter", "image": "image", "map": "map", "reduce": "reduce",
}

// unknownName reports a reference to what is not declared, unless its declaration is there but broken.
func (l *loader) unknownName(root, name string, rng hcl.Range) {
	hint := diag.DidYouMean(name, l.scope.names(root))
	if l.broken[ref{root, name}] || l.broken[ref{root, ""}] && hint == "" {
		return
	}
	l.present[root] = true // that there is none is said here
	if hint == "" {
		if other := l.named(name); other != "" {
			kind, _, _ := strings.Cut(other, ".")
			hint = fmt.Sprintf(" There is %s of that name: %s.", withArticle(nouns[kind]), other)
		}
	}
	if hint == "" {
		hint = l.declared(root)
	}
	l.add(diag.Error("lang/unknown-reference", "Unknown "+nouns[root],
		fmt.Sprintf("There is no %s named %q.%s", nouns[root], name, hint), rng))
}

// named is the first reference to something of a name, or empty.
func (l *loader) named(name string) string {
	for _, root := range refRoots {
		if slices.Contains(l.scope.names(root), name) {
			return root + "." + name
		}
	}
	return ""
}

// declared lists what could have been meant, a few at most.
func (l *loader) declared(root string) string {
	names := l.scope.names(root)
	const most = 8
	switch {
	case len(names) == 0 && root == "local":
		return " The file declares no locals."
	case len(names) == 0:
		return fmt.Sprintf(" The file declares no %s.", nouns[root])
	case len(names) > most:
		return fmt.Sprintf(" There are %s and %d more.", strings.Join(names[:most], ", "), len(names)-most)
	case len(names) == 1:
		return fmt.Sprintf(" There is only %s.", names[0])
	}
	return fmt.Sprintf(" There are %s.", list(names, "and"))
}

// valueOf evaluates a variable or local once.
func (l *loader) valueOf(root, name string, rng hcl.Range) (cty.Value, bool) {
	x := l.scope.values[root+"."+name]
	if x == nil {
		l.unknownName(root, name, rng)
		return cty.NilVal, false
	}
	return l.use(x, rng)
}

// use takes a value at a place that needs it, evaluating it when it was not.
func (l *loader) use(x *value, rng hcl.Range) (cty.Value, bool) {
	if n := len(l.scope.stack); n > 0 {
		l.scope.stack[n-1].uses = append(l.scope.stack[n-1].uses, use{x, rng})
	}
	switch x.state {
	case evaluating:
		l.valueCycle(x)
		return cty.NilVal, false
	case untouched:
		l.force(x)
	}
	return x.val, x.ok
}

func (l *loader) force(x *value) {
	x.state = evaluating
	l.scope.stack = append(l.scope.stack, x)
	evaluate := l.evalMarked
	if x.evaluate != nil {
		evaluate = x.evaluate
	}
	v, ok := evaluate(x.expr)
	l.scope.stack = l.scope.stack[:len(l.scope.stack)-1]
	if ok && x.coerce != nil {
		v, ok = x.coerce(v)
	}
	x.val, x.ok, x.state = v, ok, evaluated
}

// valueCycle reports the values from x to the top of the stack, beginning with the one that the file declares first.
func (l *loader) valueCycle(x *value) {
	members := slices.Clone(l.scope.stack[slices.Index(l.scope.stack, x):])
	first := 0
	for i, m := range members {
		if m.rng.Start.Byte < members[first].rng.Start.Byte {
			first = i
		}
	}
	members = append(members[first:len(members):len(members)], members[:first]...)
	var names []string
	var places []hcl.Range
	for i, m := range members {
		next := members[(i+1)%len(members)]
		names = append(names, m.addr)
		for _, u := range m.uses {
			if u.to == next {
				places = append(places, u.rng)
				break
			}
		}
	}
	what := "functions"
	for _, m := range members {
		if m.evaluate == nil {
			what = "values"
		}
	}
	l.cycle(what, names, places)
}

// cycle reports things that need each other; places are where each refers to the next.
func (l *loader) cycle(what string, names []string, places []hcl.Range) {
	detail := fmt.Sprintf("%s refers to itself, so it has no value. Remove the reference.", names[0])
	if what == "stages" {
		detail = fmt.Sprintf("%s reads its own result, so it could never run. Give it another input.", names[0])
	}
	if what == "functions" {
		detail = fmt.Sprintf("%s calls itself, so a call would never end. Write the result in another way, such as with a for expression.", names[0])
	}
	if len(names) > 1 {
		detail = fmt.Sprintf("These %s need each other, so none can come first: %s → %s. Remove one of the %s.", what, strings.Join(names, " → "), names[0], map[bool]string{true: "calls", false: "references"}[what == "functions"])
	}
	var opts []diag.Option
	for i := 1; i < len(places); i++ {
		opts = append(opts, diag.WithRelated(fmt.Sprintf("%s refers to %s", names[i], names[(i+1)%len(names)]), places[i]))
	}
	l.add(diag.Error("lang/cycle", "Circular references", detail, places[0], opts...))
}

// checkCalls reports calls of functions that do not exist.
func (l *loader) checkCalls(expr hcl.Expression) bool {
	node, isNode := expr.(hclsyntax.Node)
	if !isNode {
		return true
	}
	ok := true
	hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		call, isCall := n.(*hclsyntax.FunctionCallExpr)
		if !isCall {
			return nil
		}
		if f := l.userFunctions[call.Name]; f != nil {
			_, good := l.use(f.value, call.NameRange)
			ok = ok && good
			return nil
		}
		if _, known := l.functions[call.Name]; known {
			return nil
		}
		ok = false
		if l.broken[ref{"function", call.Name}] || l.broken[ref{"function", ""}] {
			return nil
		}
		var names []string
		for name := range l.functions {
			names = append(names, name)
		}
		l.add(diag.Error("lang/unknown-function", "Unknown function",
			fmt.Sprintf("There is no function named %q.%s", call.Name, l.whyNot(call.Name, names)), call.NameRange))
		return nil
	})
	return ok
}

// whyNot says what to do without a function.
func (l *loader) whyNot(name string, names []string) string {
	if reason, refused := funcs.Refused[name]; refused {
		return " " + reason
	}
	return diag.DidYouMean(name, names)
}
