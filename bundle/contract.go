package bundle

import (
	"fmt"
	"slices"
	"strings"
)

// The contracts between the runtime and user code.
const (
	TAF               = "taf"
	TelemetryServer   = "telemetry-server"
	TelemetryAnalysis = "telemetry-analysis"
	Streaming         = "streaming"
)

// signature is a function that a contract asks for.
type signature struct {
	contract, function, params string
	arity                      int
}

var signatures = map[string][]signature{
	"map": {
		{TAF, "map", "record", 1},
		{TelemetryServer, "map", "key, dims, value, context", 4},
		{TelemetryServer, "map", "key, value, context", 3},
		{TelemetryAnalysis, "mapper", "uuid, file, json", 3},
	},
	"reduce": {
		{TAF, "reduce", "key, values", 2},
		{TelemetryAnalysis, "reduce", "key, values", 2},
		{TelemetryServer, "reduce", "key, values, context", 3},
	},
}

// Contract tells which contract the entry file follows in a stage of this kind (map or reduce), and which function it calls,
// by the names and the number of parameters of its functions. hint is the contract of the map that a reduce reads, or empty:
// reduce(key, values) is the same in two contracts.
func (b *Bundle) Contract(kind, hint string) (contract, function string, err *Problem) {
	if b.Language == Program {
		return Streaming, "", nil
	}
	var fits []signature
	var found []string
	for _, s := range signatures[kind] {
		f, ok := b.Functions[s.function]
		if !ok {
			continue
		}
		if described := describe(s.function, f); !slices.Contains(found, described) {
			found = append(found, described)
		}
		if f.takes(s.arity) {
			fits = append(fits, s)
		}
	}
	fits = b.decide(fits, hint)
	switch {
	case len(fits) == 1:
		return fits[0].contract, fits[0].function, nil
	case len(fits) > 1:
		return "", "", b.contractProblem(kind, "The contract cannot be told from the code",
			fmt.Sprintf("%s fits more than one contract (%s). Say which with contract = \"%s\".", and(found), or(fits, kind), fits[0].contract))
	case len(found) > 0:
		return "", "", b.contractProblem(kind, "A function with the wrong number of parameters",
			fmt.Sprintf("Found %s; a %s needs %s.", and(found), kind, or(signatures[kind], kind)))
	}
	return "", "", b.noFunction(kind, signatures[kind])
}

// CheckSaid looks at what the analysis itself says about the code: the contract, the function to call, or both; empty is not said.
// A function that is made in a way that cannot be seen without running the code passes.
func (b *Bundle) CheckSaid(kind, contract, entry string) *Problem {
	if b.Language == Program || contract == Streaming {
		return nil
	}
	wanted := slices.DeleteFunc(slices.Clone(signatures[kind]), func(s signature) bool { return contract != "" && s.contract != contract })
	if entry != "" {
		for i := range wanted {
			wanted[i].function = entry
		}
	}
	var found []string
	for _, s := range wanted {
		f, ok := b.Functions[s.function]
		if ok && f.takes(s.arity) || !ok && b.mentions(s.function) {
			return nil
		}
		if described := describe(s.function, f); ok && !slices.Contains(found, described) {
			found = append(found, described)
		}
	}
	if len(found) == 0 && entry != "" {
		return b.noEntry(kind, entry)
	}
	if len(found) == 0 {
		return b.noFunction(kind, wanted)
	}
	p := b.contractProblem(kind, "A function with the wrong number of parameters",
		fmt.Sprintf("Found %s; a %s needs %s. For another contract say so with the argument contract.", and(found), kind, or(wanted, kind)))
	p.Line = b.Functions[wanted[0].function].Line
	return p
}

// mentions tells whether a name may be bound in the entry file in a way that only running it shows.
func (b *Bundle) mentions(function string) bool {
	tokens := b.tokens()
	for i, t := range tokens {
		before, after := at(tokens, i-1), at(tokens, i+1)
		switch {
		case t.kind == text && t.text == function, t.is("import") && after.is("*"), t.is("globals"), t.is("setattr"):
			return true
		case b.Language == JavaScript:
			if t.is(function) && !before.is(".") || t.is("export") && after.is("*") || t.is("exports") && after.is("=") && !at(tokens, i+2).is("{") {
				return true
			}
		case t.is(function): // Python has functions map and reduce of its own, so that a use means nothing
			if before.is("def") || before.is("as") || before.is("import") || after.is("=") && !at(tokens, i+2).is("=") ||
				before.is(",") && at(tokens, lineStart(tokens, i)).is("from") {
				return true
			}
		}
	}
	return false
}

// lineStart is the index of the first token of the logical line of token i.
func lineStart(tokens []token, i int) int {
	for i > 0 && tokens[i-1].kind != end {
		i--
	}
	return i
}

func (b *Bundle) tokens() []token {
	for _, f := range b.Files {
		switch {
		case f.Path != b.Entry:
		case b.Language == Python:
			return lexPython(f.Data)
		case b.Language == JavaScript:
			return lexJS(f.Data)
		}
	}
	return nil
}

// HasCombine tells whether the entry file declares combine, so that values of a key may be put together before the reduce.
func (b *Bundle) HasCombine() bool { return anyOf(b.Functions, "combine") }

// takes tells whether the function can be called with n arguments.
func (f Function) takes(n int) bool {
	return n >= f.Params-f.Optional && (n <= f.Params || f.Variadic)
}

// decide leaves one of several signatures that fit, where there is a reason to prefer it.
func (b *Bundle) decide(fits []signature, hint string) []signature {
	if len(fits) < 2 {
		return fits
	}
	// Declared parameters count before those that a default allows to leave out.
	exact := slices.DeleteFunc(slices.Clone(fits), func(s signature) bool {
		f := b.Functions[s.function]
		return f.Variadic || f.Params != s.arity
	})
	if len(exact) > 0 {
		fits = exact
	}
	contract := hint
	if !slices.ContainsFunc(fits, func(s signature) bool { return s.contract == hint }) {
		contract = TAF
		if mapper, ok := b.Functions["mapper"]; ok && mapper.takes(3) {
			contract = TelemetryAnalysis
		}
	}
	// Only reduce(key, values) is told by its surroundings; two different functions of one file are not.
	if fits[0].function == "reduce" && !b.Functions["reduce"].Variadic {
		for _, s := range fits {
			if s.contract == contract {
				return []signature{s}
			}
		}
	}
	for _, s := range fits[1:] {
		if s.contract != fits[0].contract || s.function != fits[0].function {
			return fits
		}
	}
	return fits[:1]
}

func (b *Bundle) contractProblem(kind, summary, detail string) *Problem {
	p := &Problem{Code: "bundle/contract", Path: b.Entry, Summary: summary, Detail: detail}
	for _, s := range signatures[kind] {
		if f, ok := b.Functions[s.function]; ok {
			p.Line = f.Line
			break
		}
	}
	return p
}

func describe(name string, f Function) string {
	switch {
	case f.Variadic && f.Params == 0:
		return fmt.Sprintf("%s with any number of parameters (line %d)", name, f.Line)
	case f.Variadic:
		return fmt.Sprintf("%s with %d or more parameters (line %d)", name, f.Params-f.Optional, f.Line)
	case f.Optional > 0:
		return fmt.Sprintf("%s with %d to %d parameters (line %d)", name, f.Params-f.Optional, f.Params, f.Line)
	case f.Params == 1:
		return fmt.Sprintf("%s with 1 parameter (line %d)", name, f.Line)
	}
	return fmt.Sprintf("%s with %d parameters (line %d)", name, f.Params, f.Line)
}

func and(parts []string) string { return strings.Join(parts, " and ") }

// or lists signatures: map(record) for taf, map(key, dims, value, context) for telemetry-server, …
func or(all []signature, kind string) string {
	var parts []string
	for _, s := range all {
		if kind == "reduce" && s.contract == TelemetryAnalysis {
			continue // the same as taf
		}
		parts = append(parts, fmt.Sprintf("%s(%s) for %s", s.function, s.params, s.contract))
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " or " + parts[len(parts)-1]
}
