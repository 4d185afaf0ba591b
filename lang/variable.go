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

// ParseVarFile reads a file of NAME = VALUE lines, or an object of them when its name ends in .json.
func ParseVarFile(filename string, src []byte) (map[string]VariableInput, hcl.Diagnostics) {
	body, complete, diags := parse(filename, src, nil)
	inputs := map[string]VariableInput{}
	if !complete {
		return inputs, diags
	}
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

// variableSources finds out where the value of every variable comes from.
func (l *loader) variableSources() {
	l.each("variable", func(b *block) {
		l.vars = append(l.vars, &variable{loader: l, b: b, x: l.scope.values["var."+b.Name], sensitive: l.literalFlag(b, "sensitive")})
	})
	for _, v := range l.vars {
		v.source()
	}
	l.undeclared(l.vars)
}

// variables gives every variable its value.
func (l *loader) variables() {
	all := l.vars
	for _, v := range all {
		if v.x.state == untouched {
			l.force(v.x)
		}
	}
	for _, v := range all {
		v.validate()
		out := &Variable{Block: v.b.Block, Sensitive: v.sensitive}
		out.Description, _, _ = l.text(v.b, "description")
		switch {
		case v.x.ok && v.x.val.ContainsMarked():
			out.Value, out.Sensitive = hidden, true
		case v.x.ok:
			out.Value = string(hclwrite.TokensForValue(v.x.val).Bytes())
		}
		l.analysis.Variables = append(l.analysis.Variables, out)
	}
}

// variable is a declared variable on the way to its value.
type variable struct {
	*loader
	b         *block
	x         *value
	sensitive bool
	typed     bool // a type is declared
	want      cty.Type
	defaults  *typeexpr.Defaults
	from      origin
}

// origin is where a value comes from.
type origin struct {
	words string    // such as -var, or "its default"
	place hcl.Range // of the value, or of the declaration when it stands in no file, or must not be shown
}

func (v *variable) fail() { v.x.state, v.x.ok = evaluated, false }

// source decides where the value comes from, and reads what is from outside.
func (v *variable) source() {
	v.want, v.typed = cty.DynamicPseudoType, v.b.written("type")
	if v.typed {
		var diags hcl.Diagnostics
		v.want, v.defaults, diags = typeexpr.TypeConstraintWithDefaults(v.b.attr("type").Expr)
		if diags.HasErrors() {
			v.addAll(diag.WithCode("lang/bad-type", typeHints(v.b.attr("type").Expr, diags)))
			v.fail()
			return
		}
	}
	in, given := v.options.Variables[v.b.Name]
	switch {
	case given:
		v.outside(in)
	case v.b.written("default"):
		v.x.expr, v.x.coerce = v.b.attr("default").Expr, v.coerce
		v.from = origin{"its default", v.x.expr.Range()}
		if v.sensitive {
			v.from.place = v.b.DeclRange
		}
	case v.b.stands("default"):
		v.fail()
	default:
		v.fail()
		v.notSet(v.b)
	}
}

// outside takes a value that was given.
func (v *variable) outside(in VariableInput) {
	v.from = origin{in.Source, in.Range}
	if in.Range == (hcl.Range{}) || v.sensitive {
		v.from.place = v.b.DeclRange
	}
	if v.sensitive && in.Range != (hcl.Range{}) {
		v.from.words = fmt.Sprintf("%s line %d", in.Source, in.Range.Start.Line)
	}
	val, err := in.value(v.inputType())
	if err == nil {
		v.x.val, v.x.ok = v.coerce(val)
		v.x.state = evaluated
		return
	}
	hint := ""
	if v.want.IsCollectionType() {
		hint = "; a list is written [\"a\", \"b\"]"
	}
	what, why := fmt.Sprintf("The value %q of the variable %q", in.Text, v.b.Name), ": "+err.Error()
	if v.sensitive {
		what, why = fmt.Sprintf("The value of the variable %q", v.b.Name), ""
	}
	v.add(diag.Error("lang/bad-variable-value", "Wrong value of a variable",
		fmt.Sprintf("%s, from %s, cannot be read%s. The variable is of type %s%s.", what, in.Source, why, typeexpr.TypeString(v.want), hint), v.from.place))
	v.fail()
}

// coerce converts a value to the type of the variable.
func (v *variable) coerce(val cty.Value) (cty.Value, bool) {
	val, marks := val.UnmarkDeep()
	if v.defaults != nil && !val.IsNull() {
		val = v.defaults.Apply(val)
	}
	what := v.from.words
	if what != "its default" {
		what = "the value from " + what
	}
	c, err := convert.Convert(val, v.want)
	switch {
	case err != nil && (v.sensitive || len(marks) > 0):
		v.add(diag.Error("lang/bad-variable-value", "Wrong value of a variable",
			fmt.Sprintf("The variable %q is of type %s, but %s is of another.", v.b.Name, typeexpr.TypeString(v.want), what), v.from.place))
		return cty.NilVal, false
	case err != nil:
		v.add(diag.Error("lang/bad-variable-value", "Wrong value of a variable",
			fmt.Sprintf("The variable %q is of type %s, but %s is of another: %s.", v.b.Name, typeexpr.TypeString(v.want), what, err), v.from.place))
		return cty.NilVal, false
	case !plainData(c):
		v.add(diag.Error("lang/bad-variable-value", "Wrong value of a variable",
			fmt.Sprintf("The variable %q holds data, but %s is a reference or a condition. Put those into a locals block.", v.b.Name, what), v.from.place))
		return cty.NilVal, false
	}
	c = c.WithMarks(marks)
	if v.sensitive {
		c = c.Mark(sensitiveMark{})
	}
	return c, true
}

func (l *loader) notSet(b *block) {
	d := diag.Error("lang/variable-not-set", "Variable without value",
		fmt.Sprintf("The variable %q has no default, and no value was given. Set it with -var %s=… or the environment variable TAF_VAR_%s, or give it a default.", b.Name, b.Name, b.Name), b.DeclRange)
	if l.options.Unset {
		d.Severity = hcl.DiagWarning
		d.Detail += " What depends on it is not checked without."
	}
	l.add(d)
}

// inputType is the type that the text of a value is read as: without a declared one that of a literal default, else text.
func (v *variable) inputType() cty.Type {
	if v.typed {
		return v.want
	}
	if a := v.b.attr("default"); a != nil && len(a.Expr.Variables()) == 0 {
		if val, diags := a.Expr.Value(&hcl.EvalContext{Functions: v.functions}); !diags.HasErrors() && !val.IsNull() {
			return val.Type()
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
func (l *loader) undeclared(declared []*variable) {
	var known, given []string
	for _, v := range declared {
		known = append(known, v.b.Name)
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
