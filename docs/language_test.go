package docs_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/stdlib/funcs"
)

// shortTypes are the types of arguments as the tables of language.md call them.
var shortTypes = map[lang.ArgType]string{
	lang.TString: "text", lang.TBool: "true/false", lang.TCount: "whole number", lang.TStrings: "list of texts",
	lang.TOneOrMore: "text or list", lang.TTexts: "map of texts", lang.TSize: "size", lang.TDuration: "duration",
	lang.TLimit: "limit", lang.TShare: "share", lang.TReference: "reference", lang.TType: "type", lang.TAny: "any",
	lang.TSettings: "settings", lang.TConditions: "conditions",
	lang.TElements: "elements", lang.TName: "name", lang.TNames: "names",
}

// TestArguments compares the tables of language.md with the schema: names, types and defaults.
func TestArguments(t *testing.T) {
	p := read(t, "language.md")
	shared := rows(p.section(t, "Arguments of every stage"))
	var blocks []lang.BlockSchema
	for _, block := range lang.Schema().Blocks {
		if blocks = append(blocks, block); len(block.Kinds) > 0 {
			blocks = append(blocks[:len(blocks)-1], block.Kinds...)
		}
	}
	for _, block := range blocks {
		if block.NotBuilt || block.Free {
			continue
		}
		heading := block.Type
		if block.Name != "" {
			heading += ` "` + block.Name + `"`
		}
		table := rows(p.section(t, heading))
		if block.Type == "map" || block.Type == "reduce" {
			table = append(table, shared...)
		}
		got := map[string]string{}
		for _, row := range table {
			got[strings.Trim(row[0], "`")] = row[1] + ", " + row[2]
		}
		if diff := cmp.Diff(arguments(&block), got); diff != "" {
			t.Errorf("arguments of %s (-schema +page):\n%s", block.Type, diff)
		}
	}
}

// arguments are type and default of the arguments of a block and of the blocks in it that have no section of their own.
func arguments(block *lang.BlockSchema) map[string]string {
	out := map[string]string{}
	for _, a := range block.Args {
		if a.NotBuilt {
			continue
		}
		fallback := a.Default
		if a.Required {
			fallback = "required"
		}
		out[a.Name] = shortTypes[a.Type] + ", " + fallback
	}
	for _, nested := range block.Blocks {
		own := slices.ContainsFunc(lang.Schema().Blocks, func(b lang.BlockSchema) bool { return b.Type == nested.Type })
		if own || nested.NotBuilt || nested.Free {
			continue
		}
		for name, about := range arguments(&nested) {
			out[nested.Type+"."+name] = about
		}
	}
	return out
}

// TestNotBuilt makes sure that everything that the schema refuses is said to be refused.
func TestNotBuilt(t *testing.T) {
	listed := codeIn(read(t, "language.md").section(t, "What is not built yet"))
	want := func(name string, notBuilt bool) {
		if notBuilt && !slices.Contains(listed, name) {
			t.Errorf("language.md does not say that %s is not built", name)
		}
	}
	var walk func(b *lang.BlockSchema)
	walk = func(b *lang.BlockSchema) {
		want(b.Type, b.NotBuilt)
		for _, a := range b.Args {
			want(a.Name, a.NotBuilt)
		}
		for i := range b.Blocks {
			walk(&b.Blocks[i])
		}
	}
	walk(lang.Schema())
}

func TestFunctions(t *testing.T) {
	var got []string
	for _, row := range rows(read(t, "language.md").section(t, "Functions")) {
		got = append(got, codeIn(row[0])...)
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(funcs.Table(funcs.World{}))), got); diff != "" {
		t.Errorf("functions (-code +page):\n%s", diff)
	}
}
