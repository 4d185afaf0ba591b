package funcs

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// templateFile makes the function that fills in a file of HCL's template syntax.
func (w World) templateFile(functions map[string]function.Function) function.Function {
	return function.New(&function.Spec{
		Description: "The text of a file with ${…} and %{…} in it, where the names are those of a map.",
		Params: []function.Parameter{
			{Name: "path", Type: cty.String},
			{Name: "values", Type: cty.DynamicPseudoType},
		},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path, values := args[0].AsString(), args[1]
			if t := values.Type(); !t.IsObjectType() && !t.IsMapType() {
				return cty.NilVal, function.NewArgErrorf(1, "a map of the names that the template uses is needed, such as { name = \"value\" }")
			}
			text, err := w.file().Call(args[:1])
			if err != nil {
				return cty.NilVal, err
			}
			expr, diags := hclsyntax.ParseTemplate([]byte(text.AsString()), path, hcl.InitialPos)
			if diags.HasErrors() {
				return cty.NilVal, templateError(path, diags)
			}
			ctx := &hcl.EvalContext{Variables: values.AsValueMap(), Functions: functions}
			for _, t := range expr.Variables() {
				if _, known := ctx.Variables[t.RootName()]; !known {
					return cty.NilVal, function.NewArgErrorf(1, "%s line %d uses the name %q, which is not in the map", path, t.SourceRange().Start.Line, t.RootName())
				}
			}
			v, diags := expr.Value(ctx)
			if diags.HasErrors() {
				return cty.NilVal, templateError(path, diags)
			}
			filled, err := convert.Convert(v, cty.String)
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "what %s makes is no text", path)
			}
			return filled, nil
		},
	})
}

func templateError(path string, diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			return function.NewArgErrorf(0, "%s line %d: %s", path, d.Subject.Start.Line, d.Detail)
		}
	}
	return fmt.Errorf("%s: %w", path, diags)
}
