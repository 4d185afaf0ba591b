package taftest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/tafc/tafc/lang"
)

// JSON writes an analysis of the native syntax in HCL's JSON syntax: a list with an object for each block, so that the order of
// the blocks is kept. Expressions that are no plain data become texts with ${…} around them, references and types stand as they are.
func JSON(src []byte) ([]byte, error) {
	f, diags := hclsyntax.ParseConfig(src, "", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	w := &jsonWriter{src: src}
	w.WriteString("[")
	body := f.Body.(*hclsyntax.Body)
	schema := lang.Schema()
	first := true
	for _, a := range sorted(body.Attributes) {
		w.comma(&first)
		w.WriteString("{")
		w.attribute(schema, a)
		w.WriteString("}")
	}
	for _, b := range body.Blocks {
		w.comma(&first)
		w.WriteString("{" + quote(b.Type) + ": ")
		w.block(schema, b)
		w.WriteString("}")
	}
	w.WriteString("]")
	var out bytes.Buffer
	if err := json.Indent(&out, w.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("%w in %s", err, w.Bytes())
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

type jsonWriter struct {
	bytes.Buffer
	src []byte
}

func (w *jsonWriter) comma(first *bool) {
	if !*first {
		w.WriteString(",\n")
	}
	*first = false
}

// block writes a block below its labels. Properties of one name follow one another.
func (w *jsonWriter) block(parent *lang.BlockSchema, b *hclsyntax.Block) {
	schema := blockOf(parent, b.Type)
	if b.Type == "dynamic" && len(b.Labels) == 1 {
		content := *blockOf(parent, b.Labels[0])
		content.Type, content.Label = "content", lang.NoLabel
		schema = &lang.BlockSchema{Args: []lang.ArgSchema{{Name: "iterator", Type: lang.TName}}, Blocks: []lang.BlockSchema{content}}
	}
	for _, label := range b.Labels {
		w.WriteString("{" + quote(label) + ": ")
	}
	w.WriteString("{")
	first := true
	for _, a := range sorted(b.Body.Attributes) {
		w.comma(&first)
		w.attribute(schema, a)
	}
	for _, nested := range b.Body.Blocks {
		w.comma(&first)
		w.WriteString(quote(nested.Type) + ": ")
		w.block(schema, nested)
	}
	w.WriteString("}" + strings.Repeat("}", len(b.Labels)))
}

func blockOf(s *lang.BlockSchema, typ string) *lang.BlockSchema {
	for i := range s.Blocks {
		if s.Blocks[i].Type == typ {
			return &s.Blocks[i]
		}
	}
	return &lang.BlockSchema{}
}

func sorted(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	var out []*hclsyntax.Attribute
	for _, a := range attrs {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return out
}

func (w *jsonWriter) attribute(schema *lang.BlockSchema, a *hclsyntax.Attribute) {
	w.WriteString(quote(a.Name) + ": ")
	for _, arg := range schema.Args {
		_, traversal := a.Expr.(*hclsyntax.ScopeTraversalExpr)
		_, index := a.Expr.(*hclsyntax.IndexExpr)
		if arg.Name != a.Name {
			continue
		}
		if list, ok := a.Expr.(*hclsyntax.TupleConsExpr); ok && arg.Type == lang.TNames {
			var names []string
			for _, e := range list.Exprs {
				names = append(names, quote(w.text(e)))
			}
			w.WriteString("[" + strings.Join(names, ", ") + "]")
			return
		}
		if arg.Type == lang.TType || arg.Type == lang.TReference && (traversal || index) || arg.Type == lang.TName {
			w.WriteString(quote(w.text(a.Expr)))
			return
		}
	}
	w.WriteString(w.expression(a.Expr))
}

func (w *jsonWriter) text(e hclsyntax.Expression) string { return string(e.Range().SliceBytes(w.src)) }

// expression is plain data where the expression is.
func (w *jsonWriter) expression(e hclsyntax.Expression) string {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		if text, err := ctyjson.Marshal(e.Val, e.Val.Type()); err == nil {
			return string(text)
		}
	case *hclsyntax.TemplateExpr:
		if v, diags := e.Value(nil); !diags.HasErrors() && v.Type() == cty.String {
			return quote(strings.NewReplacer("${", "$${", "%{", "%%{").Replace(v.AsString()))
		}
	case *hclsyntax.TupleConsExpr:
		var elements []string
		for _, element := range e.Exprs {
			elements = append(elements, w.expression(element))
		}
		return "[" + strings.Join(elements, ", ") + "]"
	case *hclsyntax.ObjectConsExpr:
		if text, ok := w.object(e); ok {
			return text
		}
	}
	return quote("${" + w.text(e) + "}")
}

// object fails where keys are expressions or stand twice, which JSON has not.
func (w *jsonWriter) object(e *hclsyntax.ObjectConsExpr) (string, bool) {
	seen := map[string]bool{}
	var items []string
	for _, item := range e.Items {
		key, diags := item.KeyExpr.Value(nil)
		if diags.HasErrors() || key.IsNull() || key.Type() != cty.String || seen[key.AsString()] {
			return "", false
		}
		seen[key.AsString()] = true
		items = append(items, quote(key.AsString())+": "+w.expression(item.ValueExpr))
	}
	return "{" + strings.Join(items, ", ") + "}", true
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return string(text)
}
