package reference

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/stdlib/funcs"
)

// Pages are the pages of docs/reference by the names of their files.
func Pages() map[string]string {
	return map[string]string{
		"README.md":     index(),
		"blocks.md":     blocks(),
		"conditions.md": conditionsPage(),
		"engines.md":    engines(),
		"functions.md":  functions(),
	}
}

// generated stands at the beginning of each page.
const generated = "<!-- Generated from the tables of the code. Do not edit: TAFC_UPDATE=1 go test ./docs -run TestReference writes it anew. -->\n\n"

func index() string {
	return generated + `# Reference

What the language has, in the order of lookups: every block and argument with its type, default and words, every condition, every function. What
they mean together, with examples, is told in [language.md](../language.md).

- [Blocks](blocks.md)
- [Engines](engines.md)
- [Conditions](conditions.md)
- [Functions](functions.md)
`
}

func blocks() string {
	p := &page{}
	p.line("%s# Blocks", generated)
	p.line("\nThe blocks of an analysis, in the order of the table. [Types](../language.md#rules-for-all-blocks) and [engines](engines.md) have pages of their own.")
	for i := range lang.Schema().Blocks {
		if b := &lang.Schema().Blocks[i]; b.Kinds == nil {
			p.block(b, b.Type, 2)
		}
	}
	return p.String()
}

func engines() string {
	p := &page{}
	p.line("%s# Engines", generated)
	for i := range lang.Schema().Blocks {
		b := &lang.Schema().Blocks[i]
		for k := range b.Kinds {
			p.block(&b.Kinds[k], fmt.Sprintf("%s %q", b.Type, b.Kinds[k].Name), 2)
		}
	}
	return p.String()
}

type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// block writes a block and the blocks in it. Path is how it is called from the top of the file.
func (p *page) block(b *lang.BlockSchema, path string, level int) {
	if b.NotBuilt {
		return
	}
	p.line("\n%s %s\n", strings.Repeat("#", level), path)
	p.line("`%s`. %s%s", usage(b), b.Doc, count(b))
	if b.Free {
		p.line("Arguments may have any name.")
	}
	if rows := arguments(b); len(rows) > 0 {
		p.line("\n| argument | type | default | meaning |\n| --- | --- | --- | --- |")
		for _, row := range rows {
			p.line("%s", row)
		}
	}
	for i := range b.Blocks {
		if inner := &b.Blocks[i]; !topLevel(inner) {
			p.block(inner, path+" / "+inner.Type, level+1)
		}
	}
	if shared := sharedBlocks(b); len(shared) > 0 {
		p.line("\nBlocks in it that can also stand at the top level: %s.", strings.Join(shared, ", "))
	}
}

// topLevel tells whether a block is described by itself, because it can also stand outside of others.
func topLevel(b *lang.BlockSchema) bool {
	return slices.ContainsFunc(lang.Schema().Blocks, func(top lang.BlockSchema) bool { return top.Type == b.Type })
}

func sharedBlocks(b *lang.BlockSchema) []string {
	var out []string
	for i := range b.Blocks {
		if inner := &b.Blocks[i]; topLevel(inner) && !inner.NotBuilt {
			out = append(out, fmt.Sprintf("[%s](#%s)", inner.Type, inner.Type))
		}
	}
	return out
}

func usage(b *lang.BlockSchema) string {
	switch {
	case b.Name != "":
		return fmt.Sprintf("%s %q { … }", b.Type, b.Name)
	case b.Label == lang.RequiredLabel:
		return b.Type + ` "NAME" { … }`
	case b.Label == lang.OptionalLabel:
		return b.Type + ` ["NAME"] { … }`
	}
	return b.Type + " { … }"
}

func count(b *lang.BlockSchema) string {
	if b.Many {
		return " Any number."
	}
	return " At most one."
}

func arguments(b *lang.BlockSchema) []string {
	var rows []string
	for i := range b.Args {
		a := &b.Args[i]
		if a.NotBuilt {
			continue
		}
		fallback := a.Default
		if a.Required {
			fallback = "required"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |", a.Name, cell(argType(a)), cell(fallback), cell(a.Doc)))
	}
	return rows
}

// argType is the type of an argument in words, with what exactly it takes.
func argType(a *lang.ArgSchema) string {
	t := string(a.Type)
	switch {
	case a.References() != nil:
		var kinds []string
		for _, kind := range a.References() {
			kinds = append(kinds, "`"+kind+".NAME`")
		}
		return t + ": " + strings.Join(kinds, ", ")
	case a.Words() != nil:
		return t + ": " + code(a.Words())
	case a.Schemes() != nil:
		var schemes []string
		for _, s := range a.Schemes() {
			schemes = append(schemes, s+":")
		}
		return t + " that begins with " + code(schemes)
	}
	return t
}

func code(words []string) string { return "`" + strings.Join(words, "` `") + "`" }

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func conditionsPage() string {
	p := &page{}
	p.line("%s# Conditions", generated)
	p.line("\nWhat stands behind `dimension =` in `where` and `exclude` of a [filter](blocks.md#filter), and behind `PATH =` in the `where` of a [map](blocks.md#map). [How values are compared](../language.md#how-values-are-compared).")
	p.line("\n| condition | holds when |\n| --- | --- |")
	for _, c := range lang.Conditions() {
		params := strings.Join(c.Params, ", ")
		if c.Many {
			params += "…"
		}
		doc := c.Doc
		if c.Dates {
			doc += " For the date dimension only."
		}
		p.line("| `%s(%s)` | %s |", c.Name, params, cell(doc))
	}
	return p.String()
}

func functions() string {
	p := &page{}
	p.line("%s# Functions", generated)
	p.line("\nAny expression may call these. What they are for, in groups: [language.md](../language.md#functions).")
	table := funcs.Table(funcs.World{})
	for _, name := range slices.Sorted(maps.Keys(table)) {
		f := table[name]
		p.line("\n## %s\n", name)
		p.line("`%s`. %s", signature(name, f), sentence(f.Description()))
		gap := "\n"
		for _, param := range params(f) {
			if param.Description != "" {
				p.line("%s- `%s`: %s", gap, param.Name, sentence(param.Description))
				gap = ""
			}
		}
	}
	return p.String()
}

func params(f function.Function) []function.Parameter {
	all := slices.Clone(f.Params())
	if v := f.VarParam(); v != nil {
		all = append(all, *v)
	}
	return all
}

func signature(name string, f function.Function) string {
	var parts []string
	for _, p := range f.Params() {
		parts = append(parts, p.Name+" "+typeName(p.Type))
	}
	if v := f.VarParam(); v != nil {
		parts = append(parts, v.Name+"… "+typeName(v.Type))
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

func typeName(t cty.Type) string {
	if t == cty.DynamicPseudoType {
		return "any"
	}
	return t.FriendlyNameForConstraint()
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text != "" && !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
