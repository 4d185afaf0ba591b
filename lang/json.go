package lang

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/diag"
)

// isJSON tells whether a file is in HCL's JSON syntax.
func isJSON(filename string) bool { return strings.HasSuffix(filename, ".json") }

// parseJSON reads HCL's JSON syntax into the tree that the native syntax has, with the ranges of the JSON text. Nothing after it needs
// to know which of the two a file is written in. The schema tells arguments from blocks; without one all properties are arguments,
// and texts are no templates, as in a file of variables.
// It fills the body; false means that the text is no JSON.
func parseJSON(body *hclsyntax.Body, filename string, src []byte, schema *BlockSchema) (bool, hcl.Diagnostics) {
	if rest, marked := bytes.CutPrefix(src, []byte("\xef\xbb\xbf")); marked {
		src = append([]byte("   "), rest...) // the native syntax takes a byte order mark too
	}
	whole, diags := json.ParseExpression(src, filename)
	if diags.HasErrors() {
		return false, jsonCauses(diags)
	}
	body.Attributes = hclsyntax.Attributes{}
	r := &jsonReader{src: src, literal: schema == nil}
	if schema == nil {
		schema = &BlockSchema{Free: true}
	}
	if _, isObject := jsonObject(whole); !isObject {
		if _, isList := jsonList(whole); !isList {
			r.wrong(whole, "An analysis in JSON is an object whose properties are its blocks, or a list of such objects")
			return false, append(diags, r.diags...)
		}
	}
	r.body(body, r.properties(whole, "An analysis in JSON is an object whose properties are its blocks, or a list of such objects"), schema)
	return true, append(diags, r.diags...)
}

// jsonCauses keeps what JSON's parser stumbled over first: after that it takes texts for code and code for texts. That an object is
// not closed is only the cause when nothing else is wrong.
func jsonCauses(diags hcl.Diagnostics) hcl.Diagnostics {
	open := func(d *hcl.Diagnostic) bool { return strings.HasPrefix(d.Summary, "Unclosed ") }
	sorted := diag.Sort(diags)
	if i := slices.IndexFunc(sorted, func(d *hcl.Diagnostic) bool { return d.Severity == hcl.DiagError && !open(d) }); i >= 0 {
		return sorted[i : i+1]
	}
	return sorted[len(sorted)-1:] // the innermost
}

type jsonReader struct {
	src     []byte
	literal bool // texts are no templates
	diags   hcl.Diagnostics
}

// property is a property of an object.
type property struct {
	name  string
	rng   hcl.Range // of the name
	value hcl.Expression
}

func (p property) isComment() bool { return p.name == "//" }

// properties are those of an object, or of all objects of a list. What says in errors what is wanted.
func (r *jsonReader) properties(e hcl.Expression, what string) []property {
	if pairs, ok := jsonObject(e); ok {
		return pairs
	}
	list, ok := jsonList(e)
	if !ok {
		if !jsonNull(e) {
			r.wrong(e, what)
		}
		return nil
	}
	var out []property
	for _, element := range list {
		pairs, ok := jsonObject(element)
		if !ok {
			r.wrong(element, what)
		}
		out = append(out, pairs...)
	}
	return out
}

func jsonObject(e hcl.Expression) ([]property, bool) {
	pairs, diags := hcl.ExprMap(e)
	if diags.HasErrors() {
		return nil, false
	}
	out := make([]property, len(pairs))
	for i, p := range pairs {
		out[i] = property{name: jsonText(p.Key), rng: p.Key.Range(), value: p.Value}
	}
	return out, true
}

func jsonList(e hcl.Expression) ([]hcl.Expression, bool) {
	list, diags := hcl.ExprList(e)
	return list, !diags.HasErrors()
}

func jsonNull(e hcl.Expression) bool {
	v, _ := e.Value(nil)
	return v.IsKnown() && v.IsNull()
}

// jsonText is a text as it is in the file, not as a template.
func jsonText(e hcl.Expression) string {
	if v, _ := e.Value(nil); v.IsKnown() && isText(v) {
		return v.AsString()
	}
	return ""
}

// holdsObjects tells whether a value can be the content of blocks: an object, a list of them, or null for none.
func holdsObjects(e hcl.Expression) bool {
	if list, ok := jsonList(e); ok {
		return !slices.ContainsFunc(list, func(e hcl.Expression) bool { _, ok := jsonObject(e); return !ok })
	}
	_, ok := jsonObject(e)
	return ok || jsonNull(e)
}

func (r *jsonReader) wrong(e hcl.Expression, what string) {
	v, _ := e.Value(nil)
	is := "a list"
	if _, isList := jsonList(e); !isList && v.IsKnown() {
		is = describeType(v)
	}
	r.diags = append(r.diags, syntaxError("Object needed", fmt.Sprintf("%s, but this is %s.", what, is), e.StartRange()))
}

// body sorts properties into arguments and blocks.
func (r *jsonReader) body(body *hclsyntax.Body, properties []property, schema *BlockSchema) {
	for _, p := range properties {
		if p.isComment() {
			continue
		}
		if nested := jsonBlock(schema, p); nested != nil {
			r.blocks(body, p, nested, schema)
			continue
		}
		arg := schema.arg(p.name)
		if arg == nil {
			arg = &ArgSchema{Type: TAny}
		}
		if prior := body.Attributes[p.name]; prior != nil {
			r.diags = append(r.diags, diag.Error(diag.SyntaxCode, "Attribute redefined",
				fmt.Sprintf("The argument %q was already set. Each argument may be set only once.", p.name), p.rng,
				diag.WithRelated("first set here", prior.NameRange)))
			continue
		}
		body.Attributes[p.name] = &hclsyntax.Attribute{
			Name: p.name, NameRange: p.rng, SrcRange: hcl.RangeBetween(p.rng, p.value.Range()),
			EqualsRange: p.rng, Expr: r.argument(p.value, arg.Type),
		}
	}
}

// jsonBlock is the schema of the blocks that a property stands for, nil when it is an argument. What the schema does not have is
// a block if it can be one and its name is close to that of one; outside of blocks it is in any case.
func jsonBlock(schema *BlockSchema, p property) *BlockSchema {
	if nested := schema.block(p.name); nested != nil {
		return nested
	}
	if p.name == dynamicType && !schema.Free {
		return &BlockSchema{Type: p.name, Label: RequiredLabel, Free: true}
	}
	if schema.Free || schema.arg(p.name) != nil || !holdsObjects(p.value) {
		return nil
	}
	var names []string
	for i := range schema.Blocks {
		names = append(names, schema.Blocks[i].Type)
	}
	meant := schema.block(diag.Suggest(p.name, names))
	if meant == nil && schema == &file {
		meant = &BlockSchema{Free: true}
	}
	return meant
}

// blocks reads the blocks of a property, peeling off their label.
func (r *jsonReader) blocks(body *hclsyntax.Body, p property, schema, parent *BlockSchema) {
	what := fmt.Sprintf("A block of type %s is an object with its arguments, or a list of such objects", p.name)
	if schema.Label != NoLabel {
		what = fmt.Sprintf("Blocks of type %s are an object with their names, or a list of such objects", p.name)
	}
	elements, isList := jsonList(p.value)
	if !isList {
		elements = []hcl.Expression{p.value}
	}
	for _, e := range elements {
		properties, isObject := jsonObject(e)
		at := p.rng
		if isList {
			at = e.StartRange()
		}
		switch {
		case !isObject && jsonNull(e):
		case !isObject:
			r.wrong(e, what)
		case schema.Label == NoLabel, !labelled(properties, schema):
			r.block(body, p.name, nil, at, properties, schema)
		default:
			for _, label := range properties {
				content := schema
				if p.name == dynamicType {
					content = dynamicSchema(parent, label.name)
				}
				if !label.isComment() {
					r.labelled(body, p.name, label, content)
				}
			}
		}
	}
}

// mapTypes are the types of arguments whose value can be an object.
var mapTypes = []ArgType{TTexts, TAny, TElements, TConditions, TSettings}

// labelled tells whether the properties of an object are names of blocks. A name is optional in some types, or forgotten: then they are
// arguments and blocks.
func labelled(properties []property, schema *BlockSchema) bool {
	named := false
	for _, p := range properties {
		if p.isComment() {
			continue
		}
		objects, arg, optional := holdsObjects(p.value), schema.arg(p.name), schema.Label == OptionalLabel
		if arg != nil && (!objects || optional && slices.Contains(mapTypes, arg.Type)) || optional && schema.block(p.name) != nil {
			return false
		}
		named = named || objects
	}
	return named
}

func (r *jsonReader) labelled(body *hclsyntax.Body, typ string, label property, schema *BlockSchema) {
	elements, isList := jsonList(label.value)
	if !isList {
		elements = []hcl.Expression{label.value}
	}
	for _, e := range elements {
		if properties, ok := jsonObject(e); ok {
			r.block(body, typ, &label, label.rng, properties, schema)
		} else if !jsonNull(e) {
			r.wrong(e, fmt.Sprintf("A block of type %s is an object with its arguments, or a list of such objects", typ))
		}
	}
}

// block makes one block.
func (r *jsonReader) block(body *hclsyntax.Body, typ string, label *property, at hcl.Range, properties []property, schema *BlockSchema) {
	b := &hclsyntax.Block{Type: typ, TypeRange: at, OpenBraceRange: at, CloseBraceRange: at, Body: &hclsyntax.Body{Attributes: hclsyntax.Attributes{}}}
	if label != nil {
		b.Labels, b.LabelRanges = []string{label.name}, []hcl.Range{label.rng}
		schema = schema.kind(label.name)
	}
	r.body(b.Body, properties, schema)
	body.Blocks = append(body.Blocks, b)
}

// argument reads the value of an argument. A reference and a type need no ${…}.
func (r *jsonReader) argument(e hcl.Expression, t ArgType) hclsyntax.Expression {
	if names, ok := jsonList(e); ok && t == TNames {
		tuple := &hclsyntax.TupleConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
		for _, name := range names {
			tuple.Exprs = append(tuple.Exprs, r.argument(name, TName))
		}
		return tuple
	}
	s := jsonText(e)
	switch {
	case r.literal || s == "":
	case t == TType && !strings.Contains(s, "${"), t == TName:
		return r.parse(e, s, hclsyntax.ParseExpression)
	case t == TReference && isReference(s):
		return r.parse(e, s, hclsyntax.ParseExpression)
	}
	return r.expression(e)
}

// isReference tells whether a text reads as a reference: a root, a dot, a name.
func isReference(s string) bool {
	expr, diags := hclsyntax.ParseExpression([]byte(s), "", hcl.InitialPos)
	if diags.HasErrors() {
		return false
	}
	switch expr.(type) {
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.IndexExpr:
		return strings.Contains(s, ".")
	}
	return false
}

// expression reads any value.
func (r *jsonReader) expression(e hcl.Expression) hclsyntax.Expression {
	if list, ok := jsonList(e); ok {
		tuple := &hclsyntax.TupleConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
		for _, element := range list {
			tuple.Exprs = append(tuple.Exprs, r.expression(element))
		}
		return tuple
	}
	if properties, ok := jsonObject(e); ok {
		return r.object(e, properties)
	}
	v, _ := e.Value(nil)
	if !isText(v) {
		return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.Range()}
	}
	return r.text(v.AsString(), e.Range())
}

func (r *jsonReader) object(e hcl.Expression, properties []property) hclsyntax.Expression {
	object := &hclsyntax.ObjectConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
	first := map[string]hcl.Range{}
	for _, p := range properties {
		if prior, twice := first[p.name]; twice {
			r.diags = append(r.diags, diag.Error(diag.SyntaxCode, "Duplicate property",
				fmt.Sprintf("This object has a property %q already. Remove one of them.", p.name), p.rng, diag.WithRelated("first set here", prior)))
			continue
		}
		first[p.name] = p.rng
		object.Items = append(object.Items, hclsyntax.ObjectConsItem{KeyExpr: r.text(p.name, p.rng), ValueExpr: r.expression(p.value)})
	}
	return object
}

// text reads a text, which may be a template.
func (r *jsonReader) text(s string, rng hcl.Range) hclsyntax.Expression {
	if r.literal || !strings.Contains(s, "${") && !strings.Contains(s, "%{") {
		return &hclsyntax.TemplateExpr{SrcRange: rng, Parts: []hclsyntax.Expression{
			&hclsyntax.LiteralValueExpr{Val: cty.StringVal(s), SrcRange: rng},
		}}
	}
	expr := r.parseAt(rng, s, hclsyntax.ParseTemplate)
	switch t := expr.(type) {
	case *hclsyntax.TemplateWrapExpr:
		return t.Wrapped
	case *hclsyntax.TemplateExpr:
		t.SrcRange = rng
	}
	return expr
}

type parser func(src []byte, filename string, start hcl.Pos) (hclsyntax.Expression, hcl.Diagnostics)

func (r *jsonReader) parse(e hcl.Expression, s string, parse parser) hclsyntax.Expression {
	return r.parseAt(e.Range(), s, parse)
}

// parseAt parses the native syntax in a text of the file and gives every node its place in the file.
func (r *jsonReader) parseAt(rng hcl.Range, s string, parse parser) hclsyntax.Expression {
	if d := tooDeep(rng.Filename, []byte(s), hclsyntax.LexTemplate); d != nil {
		d.Subject = &hcl.Range{Filename: rng.Filename, Start: rng.Start, End: rng.Start}
		r.diags = append(r.diags, d)
		return &hclsyntax.LiteralValueExpr{Val: cty.DynamicVal, SrcRange: rng}
	}
	places := newPlaces(r.src, rng, s)
	expr, diags := parse([]byte(s), places.marker(), hcl.InitialPos)
	for _, d := range causes(diags) {
		places.move(d)
		r.diags = append(r.diags, d)
	}
	if expr == nil || diags.HasErrors() {
		return &hclsyntax.LiteralValueExpr{Val: cty.DynamicVal, SrcRange: rng}
	}
	places.move(expr)
	return expr
}
