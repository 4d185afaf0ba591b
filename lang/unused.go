package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/tafc/tafc/internal/diag"
)

// uses says what the parts of a file refer to: for each declaration, and for the rest of the file under the zero ref, what its
// expressions name. It is read from the text, not from values, so what is used in a branch that is not taken, in a stage of a
// for_each over nothing or in a dynamic block counts as used.
type uses map[ref]map[ref]bool

// asking are the blocks that are not declarations: what they refer to is wanted.
var asking = ref{}

// functionKind is the kind of a ref to a function of the file's own.
const functionKind = "function"

// findUses reads the whole body of a file.
func (l *loader) findUses(body *hclsyntax.Body) uses {
	u := uses{}
	for _, b := range body.Blocks {
		switch {
		case b.Type == "locals":
			for _, a := range b.Body.Attributes {
				u.expression(ref{"local", a.Name}, a.Expr)
			}
		case b.Type == functionKind, slices.Contains(refRoots, rootOf(b.Type)):
			name := DefaultName
			if len(b.Labels) > 0 {
				name = b.Labels[0]
			}
			u.body(ref{rootOf(b.Type), name}, b.Body)
		default:
			u.body(asking, b.Body)
		}
	}
	for from, to := range l.implied {
		for _, r := range to {
			u.add(from, r)
		}
	}
	return u
}

func (u uses) add(from, to ref) {
	if from == to {
		return // a rule about a variable's own value is no use of it
	}
	if u[from] == nil {
		u[from] = map[ref]bool{}
	}
	u[from][to] = true
}

func (u uses) body(from ref, body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		u.expression(from, a.Expr)
	}
	for _, b := range body.Blocks {
		u.body(from, b.Body)
	}
}

func (u uses) expression(from ref, expr hclsyntax.Expression) {
	for _, t := range expr.Variables() {
		name := "" // all of a kind, such as keys(local)
		if len(t) > 1 {
			switch step := t[1].(type) {
			case hcl.TraverseAttr:
				name = step.Name
			case hcl.TraverseIndex:
				if isText(step.Key) && step.Key.IsKnown() {
					name = step.Key.AsString()
				}
			}
		}
		u.add(from, ref{t.RootName(), name})
	}
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok {
			u.add(from, ref{functionKind, call.Name})
		}
		return nil
	})
}

// used tells whether anything refers to a declaration.
func (u uses) used(r ref) bool {
	for _, to := range u {
		if to[r] || to[ref{r.kind, ""}] {
			return true
		}
	}
	return false
}

// wanted are the declarations that outputs and the other blocks that ask for something need, however indirectly.
func (u uses) wanted() map[ref]bool {
	seen := map[ref]bool{}
	todo := []ref{asking}
	for len(todo) > 0 {
		from := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for to := range u[from] {
			if !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	return seen
}

// unused warns of what is declared for nobody. A file with errors is left alone: what is wrong may be the use.
func (l *loader) unused(body *hclsyntax.Body) {
	if l.diags.HasErrors() {
		return
	}
	u := l.findUses(body)
	wanted := u.wanted()
	for _, b := range body.Blocks {
		name := DefaultName
		if len(b.Labels) > 0 {
			name = b.Labels[0]
		}
		r := ref{rootOf(b.Type), name}
		switch b.Type {
		case "locals":
			for _, a := range sortedAttrs(b.Body) {
				l.warnUnused(u, ref{"local", a.Name}, "local", a.NameRange)
			}
		case "variable", "index", "filter", "image", functionKind:
			l.warnUnused(u, r, b.Type, b.DefRange())
		case "map", "reduce":
			if !wanted[r] && !wanted[ref{r.kind, ""}] {
				l.warnUnreachable(u, r, b.DefRange())
			}
		}
	}
}

func (l *loader) warnUnused(u uses, r ref, what string, rng hcl.Range) {
	if u.used(r) {
		return
	}
	as := r.String()
	if r.kind == functionKind {
		as = r.name + "(…)"
	}
	l.add(diag.Warning("lang/unused", "Unused "+what,
		fmt.Sprintf("Nothing in the file refers to the %s %q. Use it as %s, or remove it.", what, r.name, as), rng))
}

func (l *loader) warnUnreachable(u uses, r ref, rng hcl.Range) {
	var readers []string
	for from, to := range u {
		if to[r] && (from.kind == "map" || from.kind == "reduce") {
			readers = append(readers, from.String())
		}
	}
	slices.Sort(readers)
	who := "no output asks for its result, and no other stage reads it"
	if len(readers) > 0 {
		who = fmt.Sprintf("only %s reads it, and no output asks for that", strings.Join(readers, ", "))
	}
	l.add(diag.Warning("lang/unreachable-stage", "Result that nobody asks for",
		fmt.Sprintf("%s runs for nobody: %s. Add an output \"NAME\" { value = %s }, or remove the stage.", r, who, r), rng))
}
