package lang

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/tafc/tafc/internal/diag"
)

// block is a block of the file whose shape is known to be what the schema says; what is not was reported and left out.
type block struct {
	Block
	schema *BlockSchema
	parent *block                 // nil: the file
	attrs  []*hclsyntax.Attribute // in the order of the file
	blocks []*block               // in the order of the file
	meant  []string               // arguments that are not there, but that something misspelt or refused stands for
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

// shape compares a body with its schema.
func (l *loader) shape(b *block, body *hclsyntax.Body) {
	for _, a := range sortedAttrs(body) {
		l.shapeArg(b, a)
	}
	first := map[string]*hclsyntax.Block{}
	for _, syntax := range body.Blocks {
		schema := b.schema.block(syntax.Type)
		if b == l.root {
			l.present[syntax.Type] = true
		}
		if !l.knownBlock(b, syntax, schema) {
			continue
		}
		if prior := first[syntax.Type]; prior != nil && !schema.Many {
			l.add(diag.Error("lang/duplicate-block", "Duplicate block",
				fmt.Sprintf("There can be only one %s block here. Put the arguments of both into one.", syntax.Type),
				syntax.DefRange(), diag.WithRelated("first declared here", prior.DefRange())))
			continue
		}
		first[syntax.Type] = syntax
		if c := l.newBlock(b, syntax, schema); c != nil {
			b.blocks = append(b.blocks, c)
		}
	}
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
	if b.Type == "filter" && diag.Suggest(a.Name, append(b.schema.argNames(), "where", "exclude")) == "" {
		l.add(diag.Error("lang/unknown-argument", "Unknown argument",
			fmt.Sprintf("A filter has no argument %q. If it is a dimension, its condition belongs into a block: where { %s = … }.", a.Name, a.Name), a.NameRange))
		return true
	}
	return false
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
func (l *loader) knownBlock(b *block, syntax *hclsyntax.Block, schema *BlockSchema) bool {
	in := "a block of type " + b.Type
	if b.schema == &file {
		in = "an analysis file"
	}
	arg := b.schema.arg(syntax.Type)
	switch {
	case schema != nil && !schema.NotBuilt:
		return true
	case schema != nil || syntax.Type == laterBlock || arg != nil && arg.NotBuilt:
		l.notBuilt(fmt.Sprintf("The block %s in %s", syntax.Type, in), syntax.DefRange())
	case arg != nil || b.schema.Free:
		b.meant = append(b.meant, syntax.Type)
		l.add(diag.Error("lang/unknown-block", "Unknown block",
			fmt.Sprintf("%s is an argument here, not a block. Write %s = … with an equals sign.", syntax.Type, syntax.Type), syntax.DefRange()))
	case l.misplaced(b, syntax.Type, syntax.DefRange()):
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
			fmt.Sprintf("In %s there is no block of type %q.%s%s", in, syntax.Type, diag.DidYouMean(syntax.Type, names), known), syntax.DefRange()))
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

var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// newBlock checks the labels and then the shape of a block. It is nil when nothing of the block can be used.
func (l *loader) newBlock(parent *block, syntax *hclsyntax.Block, schema *BlockSchema) *block {
	b := &block{
		Block:  Block{Type: syntax.Type, DeclRange: syntax.DefRange(), Args: map[string]hcl.Range{}},
		schema: schema,
	}
	if parent.schema != &file {
		parent.Args[syntax.Type] = syntax.DefRange()
	}
	b.parent = parent
	if !l.label(b, syntax) {
		l.spoil(b.Type, syntax.Labels)
		b.Name = "" // still look at what is inside, but declare nothing
		l.shape(b, syntax.Body)
		return nil
	}
	if b.Type == "engine" && !l.engine(b, syntax) {
		return nil
	}
	b.schema = schema.kind(b.Name)
	l.shape(b, syntax.Body)
	return b
}

// spoil remembers a block that is there, but cannot be used.
func (l *loader) spoil(typ string, labels []string) {
	l.present[typ] = true
	if len(labels) == 0 {
		labels = []string{""} // it could be any name
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
func (l *loader) label(b *block, syntax *hclsyntax.Block) bool {
	fix := map[LabelRule]string{
		NoLabel: "no name", RequiredLabel: "a name", OptionalLabel: "at most one name",
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
	case len(syntax.Labels) == 0 && b.schema.Label == RequiredLabel:
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
	if !validName.MatchString(b.Name) {
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
	if !validName.MatchString(fixed) {
		fixed = "_" + fixed
	}
	return fixed
}

func (l *loader) engine(b *block, syntax *hclsyntax.Block) bool {
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
