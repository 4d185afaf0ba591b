package lang

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tafc/tafc/internal/diag"
)

// written is a block as it stands in the file, or as a dynamic block makes it.
type written struct {
	*hclsyntax.Block
	decl    hcl.Range
	with    iterations
	made    bool // by a dynamic block
	nothing bool // no block: it stands for those that a dynamic block does not make, so that what is wrong in it is reported
}

func newWritten(b *hclsyntax.Block, with iterations) *written {
	return &written{Block: b, decl: b.DefRange(), with: with}
}

// dynamicType is the type of blocks that make others.
const dynamicType = "dynamic"

// dynamicArgs are those of HCL's dynamic blocks.
var dynamicArgs = []ArgSchema{
	{Name: "for_each", Type: TAny, Required: true, Doc: "What there is a block for each element of."},
	{Name: "iterator", Type: TName, Default: "the type of the blocks", Doc: "What the element is called."},
	{Name: "labels", Type: TStrings, Doc: "The name of each block, as a list."},
}

// dynamicSchema describes a dynamic block whose blocks are of a type that the parent has, or not.
func dynamicSchema(parent *BlockSchema, typ string) *BlockSchema {
	content := BlockSchema{Free: true}
	if nested := parent.block(typ); nested != nil {
		content = *nested
	}
	content.Type, content.Label = "content", NoLabel
	return &BlockSchema{Type: dynamicType, Args: dynamicArgs, Blocks: []BlockSchema{content}}
}

// early are the types of blocks that dynamic blocks are made of, so they cannot be made by one.
var early = []string{"variable", "locals", "function"}

// expand makes the blocks of a dynamic block.
func (l *loader) expand(parent *block, b *hclsyntax.Block, with iterations) []*written {
	decl := b.DefRange()
	fail := func(detail string, rng hcl.Range) {
		l.add(diag.Error("lang/bad-dynamic", "Bad dynamic block", detail, rng))
	}
	switch {
	case len(b.Labels) == 0:
		fail("A dynamic block says what type of blocks it makes: dynamic \"where\" { … }.", decl)
		return nil
	case len(b.Labels) > 1:
		fail("A dynamic block has one label, the type of the blocks that it makes. Their names belong into labels = […].", b.LabelRanges[1])
		return nil
	case parent == l.root && slices.Contains(early, b.Labels[0]):
		fail(fmt.Sprintf("Blocks of type %s cannot be dynamic: they are needed to evaluate for_each. Write them out.", b.Labels[0]), b.LabelRanges[0])
		return nil
	}
	made := &written{Block: &hclsyntax.Block{Type: b.Labels[0], TypeRange: b.LabelRanges[0]}, decl: b.LabelRanges[0], with: with, made: true}
	schema := parent.schema.block(made.Type)
	if !l.knownBlock(parent, made, schema) {
		return nil
	}
	made.decl = decl
	d := &dynamic{loader: l, Block: b, parent: parent, schema: schema, with: with}
	if made.Body = d.content(); made.Body == nil {
		return nil
	}
	return d.blocks(made)
}

// dynamic is a dynamic block that is being expanded.
type dynamic struct {
	*loader
	*hclsyntax.Block
	parent *block
	schema *BlockSchema // of the blocks that it makes
	with   iterations   // around it
}

func (d *dynamic) bad(detail string, rng hcl.Range) {
	d.add(diag.Error("lang/bad-dynamic", "Bad dynamic block", detail, rng))
}

// content checks what stands in the dynamic block and returns the body of its content; nil when it has none.
func (d *dynamic) content() *hclsyntax.Body {
	names := []string{"for_each", "iterator", "labels", "content"}
	misspelt := false
	for _, a := range sortedAttrs(d.Body) {
		misspelt = misspelt || diag.Suggest(a.Name, names) == "for_each"
		switch {
		case a.Name == "content":
			d.bad("content is a block. Write content { … } without an equals sign.", a.NameRange)
		case !slices.Contains(names, a.Name):
			d.add(diag.Error("lang/unknown-argument", "Unknown argument",
				fmt.Sprintf("A dynamic block has no argument %q.%s Its arguments are for_each, iterator and labels; what the blocks hold belongs into content { … }.",
					a.Name, diag.DidYouMean(a.Name, names)), a.NameRange))
		}
	}
	if d.Body.Attributes["for_each"] == nil && !misspelt {
		d.add(diag.Error("lang/missing-argument", "Missing argument",
			"A dynamic block needs the argument \"for_each\": a list, a set or a map. It makes a block for each element.", d.DefRange()))
	}
	var content *hclsyntax.Block
	for _, c := range d.Body.Blocks {
		switch {
		case c.Type != "content":
			d.add(diag.Error("lang/unknown-block", "Unknown block",
				fmt.Sprintf("In a dynamic block there is no block of type %q.%s What the blocks hold belongs into content { … }.", c.Type, diag.DidYouMean(c.Type, names)), c.DefRange()))
		case content != nil:
			d.add(diag.Error("lang/duplicate-block", "Duplicate block", "There can be only one content block here. Put the arguments of both into one.",
				c.DefRange(), diag.WithRelated("first declared here", content.DefRange())))
		case len(c.Labels) > 0:
			d.bad("A content block has no name. The names of the blocks belong into labels = […] beside it.", c.LabelRanges[0])
			content = c
		default:
			content = c
		}
	}
	if content == nil {
		d.bad(fmt.Sprintf("A dynamic block needs a block content { … } with what each %s block holds.", d.Labels[0]), d.DefRange())
		return nil
	}
	return content.Body
}

// blocks makes a block for each element.
func (d *dynamic) blocks(like *written) []*written {
	nothing := *like
	nothing.nothing = true
	name, ok := d.iterator()
	if !ok {
		return nil
	}
	nothing.with = d.with.and(name, iteration{})
	elements, ok := d.elements()
	if !ok || len(elements) == 0 {
		return []*written{&nothing}
	}
	var out []*written
	for _, x := range elements {
		w := *like
		block := *like.Block
		w.Block, w.with = &block, d.with.and(name, x)
		if !d.label(&w) {
			return []*written{&nothing}
		}
		out = append(out, &w)
	}
	return out
}

// iterator is what the element is called: the type of the blocks, when nothing else is said.
func (d *dynamic) iterator() (string, bool) {
	a := d.Body.Attributes["iterator"]
	if a == nil {
		return d.Labels[0], true
	}
	name := hcl.ExprAsKeyword(a.Expr)
	switch {
	case name == "":
		d.bad("iterator is a name without quotes, such as iterator = item. Then item.key and item.value are the element.", a.Expr.Range())
		return "", false
	case slices.Contains(refRoots, name):
		d.bad(fmt.Sprintf("References begin with %s, so the iterator needs another name, such as iterator = item.", name), a.Expr.Range())
		return "", false
	}
	return name, true
}

// elements are those of for_each, in their order.
func (d *dynamic) elements() ([]iteration, bool) {
	a := d.Body.Attributes["for_each"]
	if a == nil {
		return nil, false
	}
	v, ok := d.eval(scoped(a.Expr, d.with))
	if !ok {
		return nil, false
	}
	if v.IsNull() || !v.CanIterateElements() {
		d.add(diag.Error("lang/bad-for-each", "Bad for_each",
			fmt.Sprintf("for_each takes a list, a set or a map, but this is %s. For one block or none write a condition: for_each = CONDITION ? [1] : [].", describeType(v)), a.Expr.Range()))
		return nil, false
	}
	if !d.room(v.LengthInt(), a.Expr.Range()) {
		return nil, false
	}
	var out []iteration
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if v.Type().IsSetType() {
			k = e
		}
		out = append(out, iteration{key: k, value: e, known: true})
	}
	return out, true
}

// label evaluates the name of a block.
func (d *dynamic) label(w *written) bool {
	a := d.Body.Attributes["labels"]
	if a == nil {
		return true
	}
	if d.schema.Label == NoLabel {
		d.bad(fmt.Sprintf("A block of type %s has no name. Remove labels.", w.Type), a.NameRange)
		return false
	}
	list, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		d.bad("labels is a list that is written out, with the name of the block: labels = [item.key].", a.Expr.Range())
		return false
	}
	for _, e := range list {
		v, ok := d.eval(scoped(e.(hclsyntax.Expression), w.with))
		if !ok {
			return false
		}
		s, err := convert.Convert(v, cty.String)
		if err != nil || s.IsNull() {
			d.bad(fmt.Sprintf("A name is a text, but this is %s.", describeType(v)), e.Range())
			return false
		}
		w.Labels, w.LabelRanges = append(w.Labels, s.AsString()), append(w.LabelRanges, e.Range())
	}
	return true
}
