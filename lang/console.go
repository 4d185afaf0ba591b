package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/lazy"
)

// ConsoleName is the file name in the ranges of what Evaluator.Eval reports.
const ConsoleName = "expression"

// Evaluator evaluates expressions with the variables, locals and blocks of an analysis.
type Evaluator struct{ l *loader }

// NewEvaluator loads an analysis as Load does, with its problems. Expressions that do not depend on what is wrong can be
// evaluated all the same; an empty source has functions only, and no problems.
func NewEvaluator(filename string, src []byte, options Options) (*Evaluator, hcl.Diagnostics) {
	l, diags := load(filename, src, options)
	if len(src) == 0 {
		diags = nil
	}
	return &Evaluator{l}, diags
}

// Open tells whether a text is the beginning of an expression whose brackets are not closed yet.
func Open(text string) bool {
	tokens, _ := hclsyntax.LexExpression([]byte(text), ConsoleName, hcl.InitialPos)
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
	}
	return depth > 0
}

// Eval evaluates an expression and writes its value as the language does. Sensitive values are (sensitive), references are what they
// refer to, and conditions that count from today are followed by their dates.
func (e *Evaluator) Eval(text string) (string, hcl.Diagnostics) {
	l := e.l
	l.diags, l.src = nil, []byte(text)
	if d := tooDeep(ConsoleName, l.src, hclsyntax.LexExpression); d != nil {
		return "", hcl.Diagnostics{d}
	}
	expr, diags := hclsyntax.ParseExpression(l.src, ConsoleName, hcl.InitialPos)
	if diags.HasErrors() {
		return "", inside(diag.WithCode(diag.SyntaxCode, causes(diags)), ConsoleName, l.src)
	}
	l.here = expr.Range()
	v, ok := l.evalMarked(expr)
	var shown string
	if ok {
		shown = e.show(v, expr)
	}
	if !ok && !l.diags.HasErrors() {
		l.add(diag.Error("lang/bad-expression", "No value",
			"What the expression refers to has problems of its own, which were reported when the file was read.", expr.Range()))
	}
	return shown, diag.Sort(inside(l.diags, ConsoleName, l.src))
}

func (e *Evaluator) show(v cty.Value, expr hcl.Expression) string {
	if made := asCondition(v); made != nil {
		c := conditionReader{loader: e.l, dimension: "a dimension"}
		cond, ok := c.call(made, callRanges(expr, made))
		if !ok {
			return ""
		}
		_, meaning, _ := strings.Cut(Term{Condition: cond}.Meaning(), " = ")
		return meaning
	}
	text := string(hclwrite.Format(hclwrite.TokensForValue(e.plain(v)).Bytes()))
	return standIn().ReplaceAllStringFunc(text, func(quoted string) string {
		return strings.ReplaceAll(strings.Trim(quoted, "\"⟨⟩"), `\"`, `"`) // of refs to one block of several
	})
}

func asCondition(v cty.Value) *call {
	if v.IsMarked() {
		return nil
	}
	return asCall(v)
}

// standIn is how what is not plain data stands in plain data.
var standIn = lazy.Regexp(`"⟨[^⟩]*⟩"`)

// plain is a value with texts in place of what cannot be written, or must not be shown.
func (e *Evaluator) plain(v cty.Value) cty.Value {
	if v.IsMarked() {
		return cty.StringVal("⟨" + hidden + "⟩")
	}
	t := v.Type()
	switch {
	case v.IsNull():
		return cty.NullVal(cty.DynamicPseudoType)
	case t == refType:
		return cty.StringVal("⟨" + refOf(v).String() + "⟩")
	case t == conditionType:
		return cty.StringVal(fmt.Sprintf("⟨%s(…)⟩", asCall(v).op))
	case t.IsCapsuleType():
		return cty.StringVal("⟨" + t.FriendlyName() + "⟩")
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		var list []cty.Value
		for it := v.ElementIterator(); it.Next(); {
			_, x := it.Element()
			list = append(list, e.plain(x))
		}
		return cty.TupleVal(list)
	case t.IsObjectType() || t.IsMapType():
		attrs := map[string]cty.Value{}
		for it := v.ElementIterator(); it.Next(); {
			k, x := it.Element()
			attrs[k.AsString()] = e.plain(x)
		}
		return cty.ObjectVal(attrs)
	}
	return v
}

// Names are what an expression can begin with, for completion: references and functions.
func (e *Evaluator) Names() []string {
	var names []string
	for _, root := range refRoots {
		for _, name := range e.l.scope.names(root) {
			names = append(names, root+"."+name)
		}
	}
	for name := range e.l.functions {
		names = append(names, name+"(")
	}
	return names
}
