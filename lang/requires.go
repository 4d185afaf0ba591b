package lang

import (
	"fmt"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/diag"
)

// versionFits looks at requires_tafc before anything else: in a file for a newer tafc, all else that seems wrong may be right. It is
// false when nothing more is to be said about the file.
func (l *loader) versionFits(body *hclsyntax.Body) bool {
	for _, b := range body.Blocks {
		if a := b.Body.Attributes["requires_tafc"]; b.Type == "analysis" && a != nil {
			return l.required(a)
		}
	}
	return true
}

func (l *loader) required(a *hclsyntax.Attribute) bool {
	v, diags := a.Expr.Value(nil)
	switch {
	case diags.HasErrors():
		l.add(diag.Error("lang/bad-version", "Bad requirement",
			"requires_tafc is looked at before anything else, so it must be a plain text, without references and functions, such as \">= 1.2\".", a.Expr.Range()))
		return true
	case v.IsNull():
		return true
	case v.Type() != cty.String:
		l.add(diag.Error("lang/wrong-type", "Wrong type of value",
			fmt.Sprintf("The argument \"requires_tafc\" takes text, but this is %s. Write comparisons in quotes, such as \">= 1.2\".", describeType(v)), a.Expr.Range()))
		return true
	}
	text := v.AsString()
	constraints, err := version.NewConstraint(text)
	if err != nil {
		l.add(diag.Error("lang/bad-version", "Bad requirement",
			fmt.Sprintf("%q is no requirement of versions. Write comparisons with =, !=, >, >=, <, <= or ~>, with commas between, such as \">= 1.2, < 2.0\".", text), a.Expr.Range()))
		return true
	}
	mine, err := version.NewSemver(l.options.Version)
	if err != nil || mine.Metadata() != "" || mine.Core().Equal(version.Must(version.NewVersion("0.0.0"))) {
		return true // a build between releases
	}
	if constraints.Check(mine.Core()) {
		return true
	}
	l.diags = nil // the parser's may be about syntax that is still to come
	l.add(diag.Error("lang/wrong-tafc", "Another version of tafc is needed",
		fmt.Sprintf("The file asks for tafc %s, and this is %s. Nothing more was checked. Install a version that fits, or change requires_tafc.", text, l.options.Version), a.Expr.Range()))
	return false
}
