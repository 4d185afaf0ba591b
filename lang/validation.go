package lang

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tafc/tafc/internal/diag"
)

// validate checks the value of a variable against its validation blocks.
func (v *variable) validate() {
	for _, rule := range v.b.blocks {
		a := rule.attr("condition")
		message, _, said := v.filled(rule, "error_message")
		if a == nil {
			continue
		}
		holds, ok := v.evalMarked(a.Expr) // also without a value, for what else is wrong with it
		if !ok || !v.x.ok {
			continue
		}
		holds, _ = holds.UnmarkDeep() // this much may be known
		c, err := convert.Convert(holds, cty.Bool)
		if err != nil || c.IsNull() {
			v.wrongType(rule, "condition", holds, a.Expr.Range())
			continue
		}
		if c.True() || !said {
			continue
		}
		v.add(diag.Error("lang/invalid-value", "Invalid value of a variable",
			fmt.Sprintf("%s The value of the variable %q is from %s.", message, v.b.Name, v.from.words), v.from.place,
			diag.WithRelated("the condition that it does not meet", a.Expr.Range())))
	}
}
