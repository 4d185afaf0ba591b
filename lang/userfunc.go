package lang

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/tafc/tafc/internal/diag"
)

// userFunction is a function of the file's own. Its value is only whether it can be called: that, like any value, is found out when
// somebody first asks, after everything that the result refers to.
type userFunction struct {
	*loader
	*value
	name     string
	params   []string
	variadic string
	result   hcl.Expression
	ctx      *hcl.EvalContext // what the result refers to besides the parameters
}

// maxCalls bounds the calls of the file's own functions: a few that call each other several times make very many.
const maxCalls = 1_000_000

// declareFunction makes a function known.
func (l *loader) declareFunction(b *block) {
	f := &userFunction{loader: l, name: b.Name}
	f.value = &value{addr: b.Name + "()", rng: b.DeclRange}
	ok := f.parameters(b)
	a := b.attr("result")
	if prior := l.userFunctions[b.Name]; prior != nil {
		l.duplicate("function", b.Name, b.DeclRange, prior.rng, "")
		return
	}
	if _, builtin := l.functions[b.Name]; builtin {
		l.add(diag.Error("lang/duplicate-name", "Duplicate name",
			fmt.Sprintf("There is a function named %q in the language already. Give this one another name.", b.Name), b.DeclRange))
		return
	}
	if !ok || a == nil {
		l.broken[ref{"function", b.Name}] = true
		return
	}
	f.result, f.value.expr, f.value.evaluate = a.Expr, a.Expr, f.prepare
	l.userFunctions[b.Name] = f
	l.functions[b.Name] = f.function()
}

// parameters reads the names of parameters.
func (f *userFunction) parameters(b *block) bool {
	bad := func(detail string, rng hcl.Range) bool {
		f.add(diag.Error("lang/bad-function", "Bad function", detail, rng))
		return false
	}
	name := func(e hcl.Expression) (string, bool) {
		s := hcl.ExprAsKeyword(e)
		switch {
		case s == "":
			return "", bad("A parameter is a name without quotes, such as params = [text, count].", e.Range())
		case slices.Contains(refRoots, s):
			return "", bad(fmt.Sprintf("References begin with %s, so the parameter needs another name.", s), e.Range())
		case slices.Contains(f.params, s):
			return "", bad(fmt.Sprintf("There are two parameters named %q. Rename or remove one of them.", s), e.Range())
		}
		return s, true
	}
	if a := b.attr("params"); a != nil {
		list, diags := hcl.ExprList(a.Expr)
		if diags.HasErrors() {
			return bad("params is a list of names without quotes, such as params = [text, count]; [] for none.", a.Expr.Range())
		}
		for _, e := range list {
			s, ok := name(e)
			if !ok {
				return false
			}
			f.params = append(f.params, s)
		}
	}
	if a := b.attr("variadic_param"); a != nil {
		s, ok := name(a.Expr)
		f.variadic = s
		return ok
	}
	return true
}

// prepare finds what the result refers to.
func (f *userFunction) prepare(hcl.Expression) (cty.Value, bool) {
	outer := f.with
	f.with = nil
	defer func() { f.with = outer }()
	params := f.params
	if f.variadic != "" {
		params = append(slices.Clone(params), f.variadic)
	}
	ctx, ok := f.context(f.result, params)
	f.ctx = ctx
	return cty.True, ok
}

// function is the function as expressions call it. Nulls, unknown and sensitive values go in as they are, and come out as the result has them.
func (f *userFunction) function() function.Function {
	param := func(name string) function.Parameter {
		return function.Parameter{Name: name, Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true}
	}
	spec := &function.Spec{Type: function.StaticReturnType(cty.DynamicPseudoType), Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.call(args) }}
	for _, p := range f.params {
		spec.Params = append(spec.Params, param(p))
	}
	if f.variadic != "" {
		p := param(f.variadic)
		spec.VarParam = &p
	}
	return function.New(spec)
}

// errUnusable is the error of a function about which all was said.
var errUnusable = errors.New("the function cannot be called")

// callError is what went wrong in the result of a function.
type callError struct {
	name  string
	diags hcl.Diagnostics
}

func (e *callError) Error() string { return e.diags.Error() }

func (f *userFunction) call(args []cty.Value) (cty.Value, error) {
	if f.state == untouched {
		f.force(f.value)
	}
	if f.state != evaluated || !f.ok {
		return cty.DynamicVal, errUnusable
	}
	if f.calls++; f.calls > maxCalls {
		return cty.DynamicVal, fmt.Errorf("the functions of the file are called more than %d times", maxCalls)
	}
	ctx := f.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{}
	for i, p := range f.params {
		ctx.Variables[p] = args[i]
	}
	if f.variadic != "" {
		ctx.Variables[f.variadic] = cty.TupleVal(args[len(f.params):])
	}
	v, diags := f.result.Value(ctx)
	if diags.HasErrors() {
		return cty.DynamicVal, &callError{f.name, discreet(discreet(explainCalls(diags), f.ctx), ctx)}
	}
	return v, nil
}

// explainCalls says at a call of one of the file's functions what went wrong in there, and where.
func explainCalls(diags hcl.Diagnostics) hcl.Diagnostics {
	out := make(hcl.Diagnostics, 0, len(diags))
	for _, d := range diags {
		extra, isCall := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
		if !isCall || extra.FunctionCallError() == nil {
			out = append(out, d)
			continue
		}
		var failed *callError
		if !errors.As(extra.FunctionCallError(), &failed) {
			out = append(out, d)
			continue
		}
		inner := failed.diags[0]
		related := diag.RelatedOf(inner)
		if inner.Subject != nil {
			related = append([]diag.Related{{Message: "in the result of " + failed.name, Range: *inner.Subject}}, related...)
		}
		var opts []diag.Option
		for _, r := range related {
			opts = append(opts, diag.WithRelated(r.Message, r.Range))
		}
		out = append(out, diag.Error("lang/bad-expression", "Error in a function", fmt.Sprintf("The call of %s fails: %s", failed.name, inner.Detail), *d.Subject, opts...))
	}
	return out
}
