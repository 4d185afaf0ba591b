package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tafc/tafc/internal/diag"
)

// VariableInput is the value of a variable from outside the file.
type VariableInput struct {
	// Text is the value as it was typed, unless Value is set. A variable of type string takes it as it is, any other
	// type reads it as an expression of the language.
	Text string
	// Value is the value when it was evaluated already, as ParseVarFile does.
	Value cty.Value
	// Source says in messages where the value comes from, such as -var.
	Source string
	// Range is where the value stands in a file, zero when it comes from none.
	Range hcl.Range
	// Lenient values of variables that the file does not declare are left alone, such as those of the environment.
	Lenient bool
}

// ParseVarFile reads a file of NAME = VALUE lines.
func ParseVarFile(filename string, src []byte) (map[string]VariableInput, hcl.Diagnostics) {
	f, diags := Parse(filename, src)
	inputs := map[string]VariableInput{}
	if diags.HasErrors() {
		return inputs, diags
	}
	body := f.Body.(*hclsyntax.Body)
	for _, b := range body.Blocks {
		diags = append(diags, diag.Error("lang/unknown-block", "Unknown block",
			"A file of variables holds only lines of the form NAME = VALUE. Remove the block.", b.DefRange()))
	}
	for _, a := range sortedAttrs(body) {
		v, more := a.Expr.Value(nil)
		diags = append(diags, diag.WithCode("lang/bad-expression", more)...)
		if more.HasErrors() && len(a.Expr.Variables()) > 0 {
			diags[len(diags)-1].Detail = "A file of variables holds plain values, without references. A text is written in quotes."
		}
		if !more.HasErrors() {
			inputs[a.Name] = VariableInput{Value: v, Source: filename, Range: a.Expr.Range()}
		}
	}
	return inputs, diag.Sort(inside(diags, filename, src))
}

// variables gives every variable its value.
func (l *loader) variables() {
	var declared []*block
	l.eachVariable(func(b *block) { declared = append(declared, b) })
	for _, b := range declared {
		l.variable(b)
	}
	l.undeclared(declared)
	for _, b := range declared {
		x := l.scope.values["var."+b.Name]
		if x.state == untouched {
			l.force(x)
		}
		v := &Variable{Block: b.Block}
		v.Description, _, _ = l.text(b, "description")
		if x.ok {
			v.Value = string(hclwrite.TokensForValue(x.val).Bytes())
		}
		l.analysis.Variables = append(l.analysis.Variables, v)
	}
}

func (l *loader) eachVariable(fn func(*block)) { l.each("variable", fn) }

// variable decides where the value of a variable comes from.
func (l *loader) variable(b *block) {
	x := l.scope.values["var."+b.Name]
	fail := func() { x.state, x.ok = evaluated, false }
	want, defaults, typed := cty.DynamicPseudoType, (*typeexpr.Defaults)(nil), b.written("type")
	if typed {
		var diags hcl.Diagnostics
		want, defaults, diags = typeexpr.TypeConstraintWithDefaults(b.attr("type").Expr)
		if diags.HasErrors() {
			l.addAll(diag.WithCode("lang/bad-type", diags))
			fail()
			return
		}
	}
	coerce := func(v cty.Value, rng hcl.Range, what string) (cty.Value, bool) {
		if defaults != nil && !v.IsNull() {
			v = defaults.Apply(v)
		}
		c, err := convert.Convert(v, want)
		if err != nil {
			l.add(diag.Error("lang/bad-variable-value", "Wrong value of a variable",
				fmt.Sprintf("The variable %q is of type %s, but %s is of another: %s.", b.Name, typeexpr.TypeString(want), what, err), rng))
			return cty.NilVal, false
		}
		if !plainData(c) {
			l.add(diag.Error("lang/bad-variable-value", "Wrong value of a variable",
				fmt.Sprintf("The variable %q holds data, but %s is a reference or a condition. Put those into a locals block.", b.Name, what), rng))
			return cty.NilVal, false
		}
		return c, true
	}
	if in, given := l.options.Variables[b.Name]; given {
		rng := in.Range
		if rng == (hcl.Range{}) {
			rng = b.DeclRange
		}
		v, err := in.value(l.inputType(b, want, typed))
		if err != nil {
			hint := ""
			if want.IsCollectionType() {
				hint = "; a list is written [\"a\", \"b\"]"
			}
			l.add(diag.Error("lang/bad-variable-value", "Wrong value of a variable",
				fmt.Sprintf("The value %q of the variable %q, from %s, cannot be read: %s. The variable is of type %s%s.",
					in.Text, b.Name, in.Source, err, typeexpr.TypeString(want), hint), rng))
			fail()
			return
		}
		x.val, x.ok = coerce(v, rng, "the value from "+in.Source)
		x.state = evaluated
		return
	}
	if !b.written("default") {
		fail()
		if b.stands("default") {
			return
		}
		l.notSet(b)
		return
	}
	x.expr = b.attr("default").Expr
	x.coerce = func(v cty.Value) (cty.Value, bool) { return coerce(v, x.expr.Range(), "its default") }
}

func (l *loader) notSet(b *block) {
	d := diag.Error("lang/variable-not-set", "Variable without value",
		fmt.Sprintf("The variable %q has no default, and no value was given. Set it with -var %s=…, or give it a default.", b.Name, b.Name), b.DeclRange)
	if l.options.Unset {
		d.Severity = hcl.DiagWarning
		d.Detail += " What depends on it is not checked without."
	}
	l.add(d)
}

// inputType is the type that the text of a value is read as: without a declared one that of a literal default, else text.
func (l *loader) inputType(b *block, want cty.Type, typed bool) cty.Type {
	if typed {
		return want
	}
	if a := b.attr("default"); a != nil && len(a.Expr.Variables()) == 0 {
		if v, diags := a.Expr.Value(&hcl.EvalContext{Functions: l.functions}); !diags.HasErrors() && !v.IsNull() {
			return v.Type()
		}
	}
	return cty.String
}

func (in VariableInput) value(want cty.Type) (cty.Value, error) {
	if in.Value != cty.NilVal {
		return in.Value, nil
	}
	if want == cty.String {
		return cty.StringVal(in.Text), nil
	}
	expr, diags := hclsyntax.ParseExpression([]byte(in.Text), "", hcl.InitialPos)
	if !diags.HasErrors() {
		var v cty.Value
		if v, diags = expr.Value(nil); !diags.HasErrors() {
			return v, nil
		}
	}
	if want.IsPrimitiveType() {
		return convert.Convert(cty.StringVal(in.Text), want) // says what is wanted, in place of what an expression would be
	}
	return cty.NilVal, fmt.Errorf("%s", lowerFirst(strings.TrimSuffix(diags[0].Detail, ".")))
}

// plainData tells whether a value holds neither references nor conditions.
func plainData(v cty.Value) bool {
	plain := true
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		plain = plain && !v.Type().IsCapsuleType()
		return plain, nil
	})
	return plain
}

// undeclared reports values of variables that the file does not have.
func (l *loader) undeclared(declared []*block) {
	var known, given []string
	for _, b := range declared {
		known = append(known, b.Name)
	}
	for name, in := range l.options.Variables {
		if !in.Lenient && !slices.Contains(known, name) && !l.broken[ref{"var", name}] {
			given = append(given, name)
		}
	}
	slices.Sort(given)
	for _, name := range given {
		in := l.options.Variables[name]
		l.add(diag.Error("lang/undeclared-variable", "Undeclared variable",
			fmt.Sprintf("%s sets the variable %q, but %s declares no variable of that name.%s", in.Source, name, l.analysis.Filename, diag.DidYouMean(name, known)), in.Range))
	}
}
