package lang

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
)

// Operation is a ready-made operation in the place of code. A reduce that merges has that of the map that it reads.
type Operation struct {
	Kind    string    // count_by, sum, histogram, distinct, top, quantiles, select
	Fields  []string  // paths of what is measured; of count_by and select those that are counted by or selected
	By      []string  // paths of what records are grouped by
	Buckets []float64 // histogram: lower bounds, ascending
	Width   float64   // histogram: of equal buckets, instead of bounds
	N       int       // top
	At      []float64 // quantiles
}

// setting is a member of an operation that is written as a map.
type setting struct {
	name string
	doc  string
	read func(o *Operation, v cty.Value) bool // false: a value of the wrong kind
}

var (
	fieldSetting  = setting{"field", "the path of a field, such as \"info.memsize\"", func(o *Operation, v cty.Value) bool { return onePath(v, &o.Fields) }}
	fieldsSetting = setting{"fields", "a list of paths", func(o *Operation, v cty.Value) bool { return paths(v, &o.Fields) }}
	bySetting     = setting{"by", "the path of a field to group by, or a list of them", func(o *Operation, v cty.Value) bool { return onePath(v, &o.By) || paths(v, &o.By) }}
)

// operationSettings are the settings of each operation, the required ones first.
var operationSettings = map[string]struct {
	required, optional []setting
	example            string
}{
	"sum": {nil, []setting{fieldSetting, fieldsSetting, bySetting}, `{ field = "simpleMeasurements.uptime", by = "info.OS" }`},
	"histogram": {[]setting{fieldSetting, {"buckets", "an ascending list of the lower bounds of buckets, or the width of equal buckets", readBuckets}},
		[]setting{bySetting}, `{ field = "info.memsize", buckets = [0, 1024, 4096] }`},
	"distinct":  {[]setting{fieldSetting}, []setting{bySetting}, `"info.adapterDescription"`},
	"top":       {[]setting{fieldSetting, {"n", "how many values, a whole number from 1 to 1000000", readN}}, []setting{bySetting}, `{ field = "info.locale", n = 10 }`},
	"quantiles": {[]setting{fieldSetting, {"at", "a list of numbers from 0 to 1, such as [0.5, 0.99]", readAt}}, []setting{bySetting}, `{ field = "simpleMeasurements.main", at = [0.5, 0.99] }`},
}

func onePath(v cty.Value, to *[]string) bool {
	if !isText(v) || v.AsString() == "" {
		return false
	}
	*to = []string{v.AsString()}
	return true
}

func paths(v cty.Value, to *[]string) bool {
	if !isList(v) || v.LengthInt() == 0 {
		return false
	}
	var out []string
	for _, e := range v.AsValueSlice() {
		if !isText(e) || e.AsString() == "" {
			return false
		}
		out = append(out, e.AsString())
	}
	*to = out
	return true
}

func asNumber(v cty.Value) (float64, bool) {
	if v.IsNull() || v.Type() != cty.Number {
		return 0, false
	}
	f, _ := v.AsBigFloat().Float64()
	return f, !math.IsInf(f, 0)
}

func numbers(v cty.Value) ([]float64, bool) {
	if !isList(v) || v.LengthInt() == 0 {
		return nil, false
	}
	var out []float64
	for _, e := range v.AsValueSlice() {
		n, ok := asNumber(e)
		if !ok {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

func readBuckets(o *Operation, v cty.Value) bool {
	var ok bool
	if o.Width, ok = asNumber(v); ok {
		return o.Width > 0
	}
	o.Buckets, ok = numbers(v)
	return ok && slices.IsSorted(o.Buckets) && len(slices.Compact(slices.Clone(o.Buckets))) == len(o.Buckets)
}

func readN(o *Operation, v cty.Value) bool {
	n, ok := asNumber(v)
	o.N = int(n)
	return ok && n >= 1 && n == math.Trunc(n) && n <= 1_000_000
}

func readAt(o *Operation, v cty.Value) bool {
	var ok bool
	o.At, ok = numbers(v)
	return ok && slices.Min(o.At) >= 0 && slices.Max(o.At) <= 1
}

// mapOperation reads the operation of a map, nil when it has none.
func (l *loader) mapOperation(b *block) *Operation {
	var found *Operation
	var first string
	for _, schema := range operations {
		if !l.given(b, schema.Name) {
			continue
		}
		if first != "" {
			l.add(diag.Error("lang/code-or-command", "Two operations",
				fmt.Sprintf("A stage carries out one operation, but here are %s and %s. Make a map for each: both can read the same filter.", first, schema.Name),
				b.Range(schema.Name), diag.WithRelated("the other operation", b.Range(first))))
			continue
		}
		first = schema.Name
		found = l.operation(b, schema.Name)
	}
	if first != "" {
		for _, name := range []string{"fields", "entry", "contract"} {
			if b.written(name) {
				l.add(diag.Error("lang/misplaced", "Misplaced setting",
					fmt.Sprintf("%s is for code, but this stage carries out %s, which names its fields itself. Remove it.", name, first), b.Range(name), diag.WithRelated("the operation", b.Range(first))))
			}
		}
	}
	return found
}

// operation reads an operation that is written; what is broken was reported, and the rest is returned.
func (l *loader) operation(b *block, kind string) *Operation {
	o := &Operation{Kind: kind}
	if kind == "count_by" || kind == "select" {
		o.Fields, _, _ = l.filledTexts(b, kind)
		return o
	}
	v, rng, ok := l.arg(b, kind)
	settings := operationSettings[kind]
	switch {
	case !ok:
	case isText(v) && kind == "distinct":
		o.Fields = []string{v.AsString()}
	case !v.Type().IsObjectType() && !v.Type().IsMapType():
		l.add(diag.Error("lang/wrong-type", "Wrong type of value",
			fmt.Sprintf("%s takes a map of settings, but this is %s. Write %s = %s.", kind, describeType(v), kind, settings.example), rng))
	default:
		l.settings(b, kind, v, o)
	}
	return o
}

// settings reads an operation that is a map.
func (l *loader) settings(b *block, kind string, v cty.Value, o *Operation) {
	s := operationSettings[kind]
	all := slices.Concat(s.required, s.optional)
	var names []string
	for _, x := range all {
		names = append(names, x.name)
	}
	places, whole := memberRanges(b.attr(kind).Expr), b.Range(kind)
	place := func(name string) hcl.Range {
		if rng, ok := places[name]; ok {
			return rng
		}
		return whole
	}
	given, meant, before := v.AsValueMap(), map[string]bool{}, len(l.diags)
	defer func() {
		if len(l.diags) > before {
			o.Fields = nil // nobody looks further into what is broken
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.Index(names, name)
		if i < 0 {
			meant[diag.Suggest(name, names)] = true
			l.add(diag.Error("lang/unknown-argument", "Unknown setting",
				fmt.Sprintf("%s has no setting %q.%s It has %s.", kind, name, diag.DidYouMean(name, names), list(names, "and")), place(name)))
			continue
		}
		if e := given[name]; !e.IsNull() && !all[i].read(o, e) {
			l.add(diag.Error("lang/wrong-type", "Wrong type of value",
				fmt.Sprintf("The setting %q of %s takes %s. Write %s = %s.", name, kind, all[i].doc, kind, s.example), place(name)))
		}
	}
	for _, x := range s.required {
		if e, ok := given[x.name]; (!ok || e.IsNull()) && !meant[x.name] {
			l.add(diag.Error("lang/missing-argument", "Missing setting",
				fmt.Sprintf("%s needs the setting %q: %s. Write %s = %s.", kind, x.name, x.doc, kind, s.example), whole))
		}
	}
	if _, one := given["field"]; kind == "sum" && !meant["field"] && !meant["fields"] {
		if _, several := given["fields"]; one == several {
			l.add(diag.Error("lang/missing-argument", "Missing setting",
				fmt.Sprintf("sum needs either the setting \"field\", or \"fields\" for several sums at once. Write sum = %s.", s.example), whole))
		}
	}
}

// memberRanges are the ranges of the values of a map that the file spells out.
func memberRanges(expr hcl.Expression) map[string]hcl.Range {
	out := map[string]hcl.Range{}
	expr, _ = unscoped(expr)
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() {
		return out
	}
	for _, p := range pairs {
		key, diags := p.Key.Value(nil)
		if diags.HasErrors() || key.IsNull() || !key.IsKnown() {
			continue
		}
		if text, err := convert.Convert(key, cty.String); err == nil {
			out[text.AsString()] = p.Value.Range()
		}
	}
	return out
}

// merges gives the reduces that merge the operation of their map.
func (l *loader) merges(all []*Stage) {
	for _, s := range all {
		b := l.scope.blocks[ref{string(s.Kind), s.Name}]
		if s.Kind != Reduce || b == nil {
			continue
		}
		op := operationOf(stageAt(all, s.Input.Stage))
		code := l.given(b, "code") || l.given(b, "command")
		merge := l.given(b, "merge") && l.flag(b, "merge")
		switch {
		case merge && code:
			l.add(diag.Error("lang/code-or-command", "Code and an operation",
				"A stage runs code or merges the results of an operation, not both. Remove one of them.", b.Range("merge")))
		case merge && op == nil:
			l.add(diag.Error("lang/merge", "Nothing to merge",
				fmt.Sprintf("merge puts together the results of an operation, such as count_by, but %s has none. Give this stage code instead.", s.Input.Stage), b.Range("merge")))
		case code:
		case op == nil && !merge && !b.stands("code") && !b.stands("command") && !b.stands("merge") && !hasOperation(b) && stageAt(all, s.Input.Stage) != nil:
			l.add(diag.Error("lang/code-or-command", "Nothing to run",
				"The reduce says nothing to run. Give it code = \"FILE\", or command = \"PROGRAM\" for a program that reads lines and writes lines. Only a reduce over the operation of a map needs neither.", b.DeclRange))
		case op != nil && s.Partitions > 1 && op.Kind == "top":
			l.add(diag.Error("lang/misplaced", "Misplaced setting",
				"The most frequent values can only be told when one task sees them all. Remove partitions.", b.Range("partitions")))
		}
		if !code {
			s.Operation = op
		}
	}
}

// hasOperation tells whether an operation is written where none may stand.
func hasOperation(b *block) bool {
	return slices.ContainsFunc(operations, func(o ArgSchema) bool { return b.body.Attributes[o.Name] != nil })
}

// operationOf is the operation of the map that a reduce reads, nil when there is none to merge.
func operationOf(input *Stage) *Operation {
	if input == nil || input.Kind != Map || input.Operation == nil || input.Operation.Kind == "select" {
		return nil
	}
	return input.Operation
}

// stageAt is the stage of an address, nil when there is none.
func stageAt(all []*Stage, at addr.Stage) *Stage {
	for _, s := range all {
		if s.Addr() == at {
			return s
		}
	}
	return nil
}

// wantsPartial reports an output of what each task of an operation made of its files alone.
func (l *loader) wantsPartial(o *Output) {
	s := stageAt(l.analysis.Stages, o.Value)
	if s == nil || operationOf(s) == nil {
		return
	}
	l.add(diag.Error("lang/partial-result", "Output of partial results",
		fmt.Sprintf("Each task of %s makes a result of its own files alone, and a reduce puts them together. Write reduce \"%s\" { input = %s } and value = reduce.%s.", s.Addr(), s.Name, s.Addr(), s.Name),
		o.Range("value"), diag.WithRelated("the map", s.DeclRange)))
}

// String says the operation in one line.
func (o *Operation) String() string {
	parts := []string{o.Kind, strings.Join(o.Fields, ", ")}
	if len(o.By) > 0 {
		parts = append(parts, "by "+strings.Join(o.By, ", "))
	}
	switch o.Kind {
	case "histogram":
		parts = append(parts, fmt.Sprintf("buckets %v%v", o.Buckets, o.Width))
	case "top":
		parts = append(parts, fmt.Sprint("n ", o.N))
	case "quantiles":
		parts = append(parts, fmt.Sprint("at ", o.At))
	}
	return strings.Join(parts, "; ")
}
