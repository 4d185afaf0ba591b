package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tafc/tafc/internal/diag"
)

// sensitiveMark is on every value that was made of a sensitive variable.
type sensitiveMark struct{}

// hidden stands for a sensitive value.
const hidden = "(sensitive)"

// sensitive reports a sensitive value where it would be shown.
func (l *loader) sensitive(expr hcl.Expression) {
	l.add(diag.Error("lang/sensitive-value", "Sensitive value",
		fmt.Sprintf("This is made of a sensitive value%s, and what stands here is shown in plans and kept in the state. "+
			"Only env takes sensitive values: hand it to the code as an environment variable, env = { NAME = %s }, and use that there.", l.from(expr), l.example(expr)), expr.Range()))
}

// from names the sensitive values that an expression refers to.
func (l *loader) from(expr hcl.Expression) string {
	if names := l.sensitiveRefs(expr); len(names) > 0 {
		return " (" + list(names, "and") + ")"
	}
	return ""
}

func (l *loader) example(expr hcl.Expression) string {
	if names := l.sensitiveRefs(expr); len(names) > 0 {
		return names[0]
	}
	return "var.NAME"
}

func (l *loader) sensitiveRefs(expr hcl.Expression) []string {
	var names []string
	for _, t := range expr.Variables() {
		if len(t) < 2 {
			continue
		}
		if step, ok := t[1].(hcl.TraverseAttr); ok {
			x := l.scope.values[t.RootName()+"."+step.Name]
			if x != nil && x.ok && x.val.ContainsMarked() && !slices.Contains(names, x.addr) {
				names = append(names, x.addr)
			}
		}
	}
	return names
}

// discreet takes out of errors what functions say of their arguments, when one of these may be sensitive.
func discreet(diags hcl.Diagnostics, ctx *hcl.EvalContext) hcl.Diagnostics {
	marked := false
	for _, v := range ctx.Variables {
		marked = marked || v.ContainsMarked()
	}
	if !marked {
		return diags
	}
	out := make(hcl.Diagnostics, len(diags))
	for i, d := range diags {
		said := *d
		said.Detail = "The expression cannot be evaluated. What exactly is wrong is not said here, because it is made of a sensitive value. Try it in tafc console with a value that may be seen."
		out[i] = &said
	}
	return out
}

// env reads the environment variables of a stage, the sensitive ones apart.
func (l *loader) env(b *block, s *Stage) {
	a := b.attr("env")
	if a == nil {
		return
	}
	v, ok := l.evalMarked(a.Expr)
	switch {
	case !ok || !v.IsMarked() && v.IsNull():
		return
	case v.IsMarked():
		l.add(diag.Error("lang/sensitive-value", "Sensitive value",
			"The whole map is sensitive, with the names in it, and the names of environment variables are shown. Write the names out: env = { NAME = "+l.example(a.Expr)+"[\"NAME\"] }.", a.Expr.Range()))
		return
	case !v.Type().IsObjectType() && !v.Type().IsMapType():
		l.wrongType(b, "env", v, a.Expr.Range())
		return
	}
	env, kept := map[string]string{}, map[string]string{}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		k, _ = k.Unmark()
		to := env
		if e.ContainsMarked() {
			to = kept
			e, _ = e.UnmarkDeep()
		}
		c, err := convert.Convert(e, cty.String)
		if err != nil || c.IsNull() {
			l.add(diag.Error("lang/wrong-type", "Wrong type of value",
				fmt.Sprintf("The argument \"env\" takes a map of texts, but %q is %s.", k.AsString(), describeType(e)), a.Expr.Range()))
			return
		}
		to[k.AsString()] = c.AsString()
	}
	s.Env = env
	if len(kept) > 0 {
		s.Sensitive = kept
	}
	for _, m := range []map[string]string{env, kept} {
		l.envNames(m, a.Expr.Range())
	}
}

// secrets reads which secrets the code gets.
func (l *loader) secrets(b *block, s *Stage) {
	m, ok := l.textMap(b, "secrets")
	if !ok {
		return
	}
	rng := b.Range("secrets")
	l.envNames(m, rng)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		_, plain := s.Env[name]
		_, sensitive := s.Sensitive[name]
		switch {
		case plain || sensitive:
			l.add(diag.Error("lang/duplicate-name", "Duplicate name",
				fmt.Sprintf("The environment variable %q is set in env and in secrets. Remove one of them.", name), rng, diag.WithRelated("the other", b.Range("env"))))
		case strings.TrimSpace(m[name]) == "":
			l.add(diag.Error("lang/empty-value", "Empty value",
				fmt.Sprintf("The environment variable %q needs the name of a secret. On the local engine any name will do: the value comes from the environment variable %s of tafc.", name, name), rng))
		}
	}
	if len(m) > 0 {
		s.Secrets = m
	}
}

// envNames reports and removes what cannot be the name of an environment variable.
func (l *loader) envNames(m map[string]string, rng hcl.Range) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r == '=' || r <= ' ' || r == 0x7f }) {
			l.add(diag.Error("lang/bad-name", "Bad name",
				fmt.Sprintf("%q cannot be the name of an environment variable: it must not be empty and holds neither blanks nor an equals sign.", name), rng))
			delete(m, name)
		}
	}
}
