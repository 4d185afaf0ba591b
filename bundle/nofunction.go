package bundle

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tafc/tafc/internal/diag"
)

// noEntry says that the entry file does not have the function that the analysis names.
func (b *Bundle) noEntry(kind, entry string) *Problem {
	names := slices.Sorted(maps.Keys(b.Functions))
	guess := diag.DidYouMean(entry, names)
	if guess == "" {
		guess = b.others(names)
	}
	if line := b.hidden(entry); line > 0 {
		guess, _ = b.meant(kind, []signature{{function: entry}})
	}
	p := b.contractProblem(kind, "No function to call", fmt.Sprintf("%s has no function %q %s.%s", b.Entry, entry, b.where(), guess))
	p.Line = 0
	return p
}

func (b *Bundle) where() string {
	if b.Language == JavaScript {
		return "exported from the file"
	}
	return "at the top level of the file"
}

// noFunction says that the entry file has none of the functions that are wanted, and what it probably has in their place.
func (b *Bundle) noFunction(kind string, wanted []signature) *Problem {
	p := b.contractProblem(kind, "No function to call", "")
	guess, line := b.meant(kind, wanted)
	if line > 0 {
		p.Line = line
	}
	p.Detail = fmt.Sprintf("%s A %s needs %s, %s. A program that reads standard input needs contract = \"streaming\".",
		strings.TrimSpace(guess), kind, or(wanted, kind), b.where())
	return p
}

// meant is a sentence, with a blank before it, about what stands in the place of the function, and the line where it does.
func (b *Bundle) meant(kind string, wanted []signature) (string, int) {
	names := slices.Sorted(maps.Keys(b.Functions))
	for _, s := range wanted {
		if line := b.hidden(s.function); line > 0 {
			if b.Language == JavaScript {
				return fmt.Sprintf(" %s is declared, but not exported: add exports.%s = %[1]s.", s.function, s.function), line
			}
			return fmt.Sprintf(" %s is inside of something else here; move it to the beginning of a line.", s.function), line
		}
		if name := diag.Suggest(s.function, names); name != "" {
			return fmt.Sprintf(" The file has %s. Did you mean %q?", name, s.function), b.Functions[name].Line
		}
	}
	other := map[string]string{"map": "reduce", "reduce": "map"}[kind]
	for _, s := range signatures[other] {
		if f, ok := b.Functions[s.function]; ok {
			return fmt.Sprintf(" The file has only %s, which is the code of a %s. Is it the right file?", describe(s.function, f), other), f.Line
		}
	}
	return b.others(names), 0
}

// hidden is the line where a function is declared that cannot be called from outside, 0 when there is none.
func (b *Bundle) hidden(function string) int {
	tokens := b.tokens()
	if b.Language == JavaScript {
		m := &jsModule{tokens: withoutEnds(tokens), locals: map[string]Function{}, exports: map[string]Function{}}
		m.declarations()
		return m.locals[function].Line
	}
	for i, t := range tokens {
		if t.is("def") && at(tokens, i+1).is(function) && at(tokens, i+2).is("(") {
			return t.line
		}
	}
	return 0
}

// others says which functions there are, when they are not the ones that are needed.
func (b *Bundle) others(names []string) string {
	const most = 8
	switch {
	case len(names) == 0:
		return fmt.Sprintf(" %s has no functions.", b.Entry)
	case len(names) > most:
		return fmt.Sprintf(" %s has only %s and %d more.", b.Entry, strings.Join(names[:most], ", "), len(names)-most)
	}
	return fmt.Sprintf(" %s has only %s.", b.Entry, strings.Join(names, ", "))
}
