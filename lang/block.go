package lang

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/lazy"
)

// block is a block of the file whose shape is known to be what the schema says; what is not was reported and left out.
type block struct {
	Block
	schema *BlockSchema
	parent *block                 // nil: the file
	attrs  []*hclsyntax.Attribute // in the order of the file
	blocks []*block               // in the order of the file
	meant  []string               // arguments that are not there, but that something misspelt or refused stands for
	body   *hclsyntax.Body        // what shape compares with the schema
	with   iterations             // around the block
	each   *value                 // the elements of for_each, when the block stands for several: see instances
	of     *block                 // the block with for_each that stands for this one and others
	first  map[string]*written    // of each type, in shape
}

func (b *block) attr(name string) *hclsyntax.Attribute {
	for _, a := range b.attrs {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// written tells whether an argument stands in the block, whatever its value.
func (b *block) written(name string) bool { return b.attr(name) != nil }

// stands tells whether something that was reported stands for an argument.
func (b *block) stands(name string) bool { return slices.Contains(b.meant, name) }

// child is the only block of a type, or nil.
func (b *block) child(typ string) *block {
	for _, c := range b.blocks {
		if c.Type == typ {
			return c
		}
	}
	return nil
}

// shape compares the body of a block with its schema.
func (l *loader) shape(b *block) {
	for _, a := range sortedAttrs(b.body) {
		l.shapeArg(b, a)
	}
	for _, c := range l.newBlocks(b) {
		l.shape(c)
	}
	l.missing(b)
}

// newBlocks makes the blocks in a block, without looking into them. Those of them that are no blocks of it are only to be looked into.
func (l *loader) newBlocks(b *block) (all []*block) {
	var blocks []*written
	for _, syntax := range b.body.Blocks {
		if syntax.Type == dynamicType && !b.schema.Free {
			blocks = append(blocks, l.expand(b, syntax, b.with)...)
		} else {
			blocks = append(blocks, newWritten(syntax, b.with))
		}
	}
	return l.take(b, blocks)
}

func (l *loader) take(b *block, blocks []*written) (all []*block) {
	if b.first == nil {
		b.first = map[string]*written{}
	}
	for _, syntax := range blocks {
		schema := b.schema.block(syntax.Type)
		if b == l.root {
			l.present[syntax.Type] = true
		}
		if !syntax.made && !l.knownBlock(b, syntax, schema) {
			continue
		}
		if prior := b.first[syntax.Type]; prior != nil && !schema.Many && !syntax.nothing {
			detail := fmt.Sprintf("There can be only one %s block here. Put the arguments of both into one.", syntax.Type)
			if prior.decl == syntax.decl {
				detail = fmt.Sprintf("There can be only one %s block here, and this makes one for each element of for_each. Keep one element.", syntax.Type)
			}
			l.add(diag.Error("lang/duplicate-block", "Duplicate block", detail, syntax.decl, diag.WithRelated("first declared here", prior.decl)))
			continue
		}
		if !syntax.nothing {
			b.first[syntax.Type] = syntax
		}
		c, usable := l.newBlock(b, syntax, schema)
		if c != nil {
			all = append(all, c)
		}
		if usable && !syntax.nothing {
			b.blocks = append(b.blocks, c)
		}
	}
	return all
}

func (l *loader) missing(b *block) {
	for i := range b.schema.Args {
		if s := &b.schema.Args[i]; s.Required && !b.written(s.Name) && !b.stands(s.Name) {
			l.add(diag.Error("lang/missing-argument", "Missing argument",
				fmt.Sprintf("A block of type %s needs the argument %q: %s It takes %s.", b.Type, s.Name, lowerFirst(s.Doc), s.Type), b.DeclRange))
		}
	}
}

func sortedAttrs(body *hclsyntax.Body) []*hclsyntax.Attribute {
	attrs := make([]*hclsyntax.Attribute, 0, len(body.Attributes))
	for _, a := range body.Attributes {
		attrs = append(attrs, a)
	}
	slices.SortFunc(attrs, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return attrs
}

func (l *loader) shapeArg(b *block, a *hclsyntax.Attribute) {
	schema := b.schema.arg(a.Name)
	nested := b.schema.block(a.Name)
	switch {
	case b.schema.Free || schema != nil && !schema.NotBuilt:
		if len(b.with) > 0 {
			inside := *a
			inside.Expr = scoped(a.Expr, b.with)
			a = &inside
		}
		b.attrs = append(b.attrs, a)
		b.Args[a.Name] = a.Expr.Range()
		for p, name := b, a.Name; p.parent != nil && p.parent.schema != &file; p = p.parent {
			name = p.Type + "." + name
			p.parent.Args[name] = a.Expr.Range()
		}
	case schema != nil || nested != nil && nested.NotBuilt:
		b.meant = append(b.meant, a.Name)
		l.notBuilt(fmt.Sprintf("The argument %q of a block of type %s", a.Name, b.Type), a.NameRange)
	case nested != nil:
		l.add(diag.Error("lang/unknown-argument", "Unknown argument",
			fmt.Sprintf("%s is a block here, not an argument. Write %s { … } without an equals sign.", a.Name, a.Name), a.NameRange))
	case b.schema == &file:
		detail := fmt.Sprintf("Outside of blocks there are no arguments, so %q means nothing here. Put named values into a locals block.", a.Name)
		if l.schema.block(a.Name) != nil {
			detail = fmt.Sprintf("%s is a block, not an argument. Write %s { … } without an equals sign.", a.Name, a.Name)
		}
		l.add(diag.Error("lang/unknown-argument", "Unknown argument", detail, a.NameRange))
	case l.misplaced(b, a.Name, a.NameRange):
	case l.deeper(b, a):
	case l.elsewhere(b, a):
	case l.dimensionIn(b, a):
	default:
		known := append(b.schema.argNames(), b.schema.blockNames()...)
		b.meant = append(b.meant, diag.Suggest(a.Name, known))
		l.add(diag.Error("lang/unknown-argument", "Unknown argument",
			fmt.Sprintf("A block of type %s has no argument %q.%s%s", b.Type, a.Name, diag.DidYouMean(a.Name, known), has(b.schema)), a.NameRange))
	}
}

// deeper reports an argument that belongs into a block inside this one.
func (l *loader) deeper(b *block, a *hclsyntax.Attribute) bool {
	for i := range b.schema.Blocks {
		nested := &b.schema.Blocks[i]
		if s := nested.arg(a.Name); s == nil || s.NotBuilt {
			continue
		}
		l.add(diag.Error("lang/unknown-argument", "Unknown argument",
			fmt.Sprintf("%s is an argument of the block %s. Write %s { %s = … }.", a.Name, nested.Type, nested.Type, a.Name), a.NameRange))
		return true
	}
	return false
}

// dimensionIn reports what may be a dimension, beside the conditions of a filter.
func (l *loader) dimensionIn(b *block, a *hclsyntax.Attribute) bool {
	if b.Type != "filter" || diag.Suggest(a.Name, append(b.schema.argNames(), "where", "exclude")) != "" {
		return false
	}
	l.add(diag.Error("lang/unknown-argument", "Unknown argument",
		fmt.Sprintf("A filter has no argument %q. If it is a dimension, its condition belongs into a block: where { %s = … }.", a.Name, a.Name), a.NameRange))
	return true
}

// has lists the arguments of a block for those who guess.
func has(s *BlockSchema) string {
	switch names := s.argNames(); len(names) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" Its only argument is %s.", names[0])
	default:
		return fmt.Sprintf(" Its arguments are %s.", list(names, "and"))
	}
}

// knownBlock reports a block that may not stand where it does.
func (l *loader) knownBlock(b *block, syntax *written, schema *BlockSchema) bool {
	in := "a block of type " + b.Type
	if b.schema == &file {
		in = "an analysis file"
	}
	arg := b.schema.arg(syntax.Type)
	switch {
	case schema != nil && !schema.NotBuilt:
		return true
	case schema != nil || arg != nil && arg.NotBuilt:
		l.notBuilt(fmt.Sprintf("The block %s in %s", syntax.Type, in), syntax.decl)
	case syntax.Type == dynamicType && b.schema.Free:
		l.add(diag.Error("lang/bad-dynamic", "Bad dynamic block",
			fmt.Sprintf("A block of type %s holds no blocks, so none of them can be dynamic. Write arguments, whose values may be for expressions or conditions.", b.Type), syntax.decl))
	case arg != nil || b.schema.Free:
		shape := "…"
		if arg != nil && slices.Contains(mapTypes, arg.Type) {
			shape = "{ … }"
		}
		b.meant = append(b.meant, syntax.Type)
		l.add(diag.Error("lang/unknown-block", "Unknown block",
			fmt.Sprintf("%s is an argument here, not a block. Write %s = %s with an equals sign.", syntax.Type, syntax.Type, shape), syntax.decl))
	case l.misplaced(b, syntax.Type, syntax.decl):
	default:
		known := ""
		if names := b.schema.blockNames(); len(names) > 0 {
			known = " Its blocks are " + list(names, "and") + "."
		}
		names := append(b.schema.blockNames(), b.schema.argNames()...)
		if b == l.root {
			l.spoil(diag.Suggest(syntax.Type, names), syntax.Labels)
		}
		l.add(diag.Error("lang/unknown-block", "Unknown block",
			fmt.Sprintf("In %s there is no block of type %q.%s%s", in, syntax.Type, diag.DidYouMean(syntax.Type, names), known), syntax.decl))
	}
	return false
}

// misplaced reports what only the other kind of stage, or another engine, has.
func (l *loader) misplaced(b *block, name string, rng hcl.Range) bool {
	if b.Type == "engine" {
		for _, kind := range l.schema.block("engine").Kinds {
			if kind.arg(name) != nil {
				l.add(diag.Error("lang/misplaced", "Misplaced setting",
					fmt.Sprintf("%s belongs to engine %q, not to engine %q. Move it, or remove it.", name, kind.Name, b.Name), rng))
				return true
			}
		}
	}
	other := map[string]string{"map": "reduce", "reduce": "map"}[b.Type]
	if other == "" {
		return false
	}
	schema := l.schema.block(other)
	arg, nested := schema.arg(name), schema.block(name)
	if arg == nil && nested == nil {
		return false
	}
	if arg != nil && arg.NotBuilt || nested != nil && nested.NotBuilt {
		l.notBuilt(name, rng)
		return true
	}
	why := "reduces have keys to share out, maps have not."
	if b.Type == "reduce" {
		why = "it says how files are read, and a reduce reads the results of a stage."
	}
	l.add(diag.Error("lang/misplaced", "Misplaced setting",
		fmt.Sprintf("%s belongs to a %s, not to a %s: %s Move it, or remove it.", name, other, b.Type, why), rng))
	return true
}

func (l *loader) notBuilt(what string, rng hcl.Range) {
	l.add(diag.Error("lang/not-built", "Not built yet",
		what+" is part of the language, but this version of tafc does not build it yet. Remove it for now.", rng))
}

var validName = lazy.Regexp(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// newBlock checks the labels of a block. What is not usable has a body yet in which something can be wrong; it is nil when that means nothing.
func (l *loader) newBlock(parent *block, syntax *written, schema *BlockSchema) (b *block, usable bool) {
	b = &block{
		Block:  Block{Type: syntax.Type, DeclRange: syntax.decl, Args: map[string]hcl.Range{}},
		schema: schema, body: syntax.Body, with: syntax.with,
	}
	if parent.schema != &file && !syntax.nothing {
		parent.Args[syntax.Type] = syntax.decl
	}
	b.parent = parent
	switch {
	case syntax.nothing && schema.Label != NoLabel:
		if parent == l.root {
			l.present[b.Type] = true
		}
		return b, false
	case !l.label(b, syntax):
		l.spoil(b.Type, syntax.Labels)
		b.Name = "" // still look at what is inside, but declare nothing
		return b, false
	case b.Type == "engine" && !l.engine(b, syntax):
		return nil, false
	}
	b.schema = schema.kind(b.Name)
	return b, true
}

// spoil remembers a block that is there, but cannot be used.
func (l *loader) spoil(typ string, labels []string) {
	l.present[typ] = true
	if len(labels) == 0 {
		labels = []string{""} // it could be any name
	}
	if len(labels) > 1 {
		labels = append(slices.Clone(labels), strings.Join(labels, "_"))
	}
	for _, label := range labels {
		l.broken[ref{rootOf(typ), label}] = true
		l.broken[ref{rootOf(typ), cleanName(label)}] = true
	}
}

// rootOf is what references to blocks of a type begin with.
func rootOf(typ string) string {
	if typ == "variable" {
		return "var"
	}
	return typ
}

// label checks and takes the name of a block.
func (l *loader) label(b *block, syntax *written) bool {
	fix := map[LabelRule]string{
		NoLabel: "no name", RequiredLabel: "a name", TextLabel: "a name", OptionalLabel: "at most one name",
	}[b.schema.Label]
	most := 1
	if b.schema.Label == NoLabel {
		most = 0
	}
	switch {
	case len(syntax.Labels) > most:
		l.add(diag.Error("lang/bad-label", "Superfluous block label",
			fmt.Sprintf("A block of type %s has %s. Remove the rest.", b.Type, fix), syntax.LabelRanges[most]))
		return false
	case len(syntax.Labels) == 0 && (b.schema.Label == RequiredLabel || b.schema.Label == TextLabel):
		l.add(diag.Error("lang/bad-label", "Missing block label",
			fmt.Sprintf("A block of type %s needs a name: %s \"NAME\" { … }.", b.Type, b.Type), b.DeclRange))
		return false
	case len(syntax.Labels) == 0:
		if b.schema.Label == OptionalLabel && b.schema.Many {
			b.Name = DefaultName
		}
		return true
	}
	b.Name = syntax.Labels[0]
	if b.schema.Label == TextLabel && strings.TrimSpace(b.Name) != "" {
		return true
	}
	if !validName().MatchString(b.Name) {
		l.add(diag.Error("lang/bad-name", "Bad name",
			fmt.Sprintf("%q cannot be a name. Names begin with a letter or _ and go on with letters, digits, _ and -.%s", b.Name, nameHint(b.Name)), syntax.LabelRanges[0]))
		return false
	}
	return true
}

func nameHint(name string) string {
	fixed := cleanName(name)
	if strings.Trim(fixed, "_") == "" {
		return ""
	}
	return fmt.Sprintf(" %q would do.", fixed)
}

// cleanName makes a valid name of any text.
func cleanName(name string) string {
	fixed := regexp.MustCompile(`[^A-Za-z0-9_-]+`).ReplaceAllString(name, "_")
	if !validName().MatchString(fixed) {
		fixed = "_" + fixed
	}
	return fixed
}

func (l *loader) engine(b *block, syntax *written) bool {
	if !slices.Contains(engines.words, b.Name) {
		l.spoil(b.Type, nil)
		l.add(diag.Error("lang/unknown-engine", "Unknown engine",
			fmt.Sprintf("There is no engine named %q.%s The engines are %s.", b.Name, diag.DidYouMean(b.Name, engines.words), list(quoted(engines.words), "and")), syntax.LabelRanges[0]))
		return false
	}
	return true
}

// list joins words as in a sentence: a, b and c.
func list(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + and + " " + words[last]
}

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return out
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
