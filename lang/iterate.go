package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/diag"
)

// iteration is what NAME.key and NAME.value stand for in a block that is made once for each element of something.
type iteration struct {
	key, value cty.Value
	known      bool // else the elements are not known or there are none: whoever asks is told nothing more
}

// iterations are those that surround a place, by name: each, or the iterator of a dynamic block.
type iterations map[string]iteration

func (i iterations) and(name string, x iteration) iterations {
	out := maps.Clone(i)
	if out == nil {
		out = iterations{}
	}
	out[name] = x
	return out
}

// scopedExpr is an expression inside of iterations.
type scopedExpr struct {
	hclsyntax.Expression
	with iterations
}

// UnwrapExpression lets HCL look at the expression as it is written.
func (e *scopedExpr) UnwrapExpression() hcl.Expression { return e.Expression }

// scoped is an expression at a place with iterations.
func scoped(e hclsyntax.Expression, with iterations) hclsyntax.Expression {
	if len(with) == 0 {
		return e
	}
	return &scopedExpr{e, with}
}

// unscoped is the expression as it is written, and the iterations around it.
func unscoped(e hcl.Expression) (hcl.Expression, iterations) {
	if s, ok := e.(*scopedExpr); ok {
		return s.Expression, s.with
	}
	return e, nil
}

// iterated resolves the start of a traversal in the iterations around it. It is not found when it means something else.
func (l *loader) iterated(t hcl.Traversal) (name string, v cty.Value, found, ok bool) {
	root := t.RootName()
	x, is := l.with[root]
	if !is {
		return "", cty.NilVal, false, false
	}
	if len(t) > 1 {
		if step, isAttr := t[1].(hcl.TraverseAttr); isAttr {
			name = step.Name
		}
	}
	switch {
	case name == "key":
		return name, x.key, true, x.known
	case name == "value":
		return name, x.value, true, x.known
	case slices.Contains(refRoots, root):
		return "", cty.NilVal, false, false
	}
	l.add(diag.Error("lang/bad-reference", "Incomplete reference",
		fmt.Sprintf("%s has a key and a value. Write %s.key or %s.value.", root, root, root), t.SourceRange()))
	return "", cty.NilVal, true, false
}

// maxBlocks is how many blocks the elements of for_each can make in a file.
const maxBlocks = 10_000

// room reports when for_each makes more blocks than anybody means.
func (l *loader) room(n int, rng hcl.Range) bool {
	l.made += n
	if l.made <= maxBlocks {
		return true
	}
	if !l.full {
		l.full = true
		l.add(diag.Error("lang/bad-for-each", "Bad for_each",
			fmt.Sprintf("With the %d elements of this for_each the file has more than %d blocks. A batch, or a reduce with partitions, does more with less.", n, maxBlocks), rng))
	}
	return false
}
