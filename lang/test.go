package lang

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
)

// Test is a test block: what a stage is given, and what must come out.
type Test struct {
	Block
	Stage addr.Stage

	// The input: exactly one of Records, Files and Pairs is not nil.
	Records []Record
	Files   []string // sample files, relative to the analysis
	Pairs   []Pair   // of the stage that the tested one reads
	File    string   // the key that the code sees instead of the test's own; empty: none
	Dims    map[string]string

	Expect         *Expect // nil: the test says nothing of it
	ExpectError    string  // a regular expression; empty: no error is expected
	ExpectBad      int     // bad records that are expected; 0: none
	FloatTolerance float64
	Laws           []string // that are checked with the pairs of this test
}

// Record is a record of a test.
type Record struct {
	ID   string // of [ID, RECORD]; empty: none is given
	Text string
	JSON bool // Text is a value that was written as JSON, not the text of the record
}

// Pair is a key and a value, both JSON; the value of a pair without one is empty.
type Pair struct{ Key, Value string }

// Expect is the result that a test wants, in any order: Lines, as the output format text writes them, or Pairs.
type Expect struct {
	Lines []string // nil: Pairs
	Pairs []Pair
}

// The laws of combine and reduce.
const (
	LawDeterministic = "deterministic" // equal values give equal results
	LawCommutative   = "commutative"   // in any order of the values
	LawAssociative   = "associative"   // whichever of them a combine has put together before
)

// Laws are all laws, in the order in which they are checked.
func Laws() []string { return slices.Clone(laws.words) }

// defaultFloatTolerance is about 4 million times what one operation of a float rounds.
const defaultFloatTolerance = 1e-9

func (l *loader) test(b *block) *Test {
	t := &Test{Block: b.Block, FloatTolerance: defaultFloatTolerance, Laws: Laws()}
	if r, _, ok := l.reference(b, "stage", "map", "reduce"); ok {
		t.Stage = stageAddr(r)
	}
	l.testInput(b, t)
	t.File, _, _ = l.filled(b, "file")
	l.testDims(b, t)
	l.testExpect(b, t)
	share, ok := l.share(b, "float_tolerance")
	set(&t.FloatTolerance, share, ok)
	laws, ok := l.testLaws(b)
	set(&t.Laws, laws, ok)
	return t
}

func (l *loader) badTest(b *block, arg, detail string, opts ...diag.Option) {
	l.badTestAt(b.Range(arg), detail, opts...)
}

func (l *loader) badTestAt(rng hcl.Range, detail string, opts ...diag.Option) {
	l.add(diag.Error("lang/bad-test", "Bad test", detail, rng, opts...))
}

// testInput reads what the stage is given.
func (l *loader) testInput(b *block, t *Test) {
	records, input := l.given(b, "records"), l.given(b, "input")
	switch {
	case records && input:
		l.badTest(b, "input", "A test gives its stage either records or input, not both. Remove one of them.", diag.WithRelated("the records", b.Range("records")))
		return
	case !records && !input:
		l.badTest(b, "", "The test gives its stage nothing to work on. Add records = [ … ]; or input = \"FILE\", a sample file; or input = [[KEY, VALUE], …], pairs for a stage that reads another one.")
		return
	case records:
		l.testRecords(b, t)
		return
	}
	v, rng, ok := l.arg(b, "input")
	if !ok {
		return
	}
	switch {
	case isText(v):
		if s, _, ok := l.filled(b, "input"); ok {
			t.Files = []string{s}
		}
		return
	case isList(v) && slices.ContainsFunc(v.AsValueSlice(), isText):
		t.Files, _, _ = l.filledTexts(b, "input")
		return
	}
	pairs, ok := l.pairs(b, "input", v)
	if !ok {
		return
	}
	t.Pairs = pairs
	if m := l.scope.blocks[ref{t.Stage.Kind, t.Stage.Name}]; m != nil && m.Type == "map" && l.readsFiles(m) {
		l.badTestAt(rng, fmt.Sprintf("%s reads files, not pairs. Give the test records = [ … ], or the name of a sample file: input = \"FILE\".", t.Stage))
	}
	for _, arg := range []string{"file", "dims"} {
		if l.given(b, arg) {
			l.badTest(b, arg, fmt.Sprintf("%s says what the code sees of a file, but the test gives pairs. Remove it.", arg), diag.WithRelated("the pairs", rng))
		}
	}
}

// testDims reads the dimensions of the file of a test.
func (l *loader) testDims(b *block, t *Test) {
	t.Dims, _ = l.textMap(b, "dims")
	filter, at := "", t.Stage
	for range l.analysis.Stages { // there may be a cycle
		if at == (addr.Stage{}) {
			break
		}
		i := slices.IndexFunc(l.analysis.Stages, func(s *Stage) bool { return s.Addr() == at })
		if i < 0 {
			return
		}
		filter, at = l.analysis.Stages[i].Input.Filter, l.analysis.Stages[i].Input.Stage
	}
	if f := l.filterNamed(filter); f != nil {
		for _, name := range slices.Sorted(maps.Keys(t.Dims)) {
			l.dimension(name, f.Index, b.Range("dims"))
		}
	}
}

// readsFiles tells whether a map reads a filter.
func (l *loader) readsFiles(m *block) bool {
	for _, s := range l.analysis.Stages {
		if s.Type == m.Type && s.Name == m.Name {
			return s.Input.Stage == (addr.Stage{})
		}
	}
	return false
}

func (l *loader) testRecords(b *block, t *Test) {
	v, _, ok := l.arg(b, "records")
	if !ok {
		return
	}
	if !isList(v) {
		l.badTest(b, "records", fmt.Sprintf("records is a list, but this is %s. Write records = [ … ], with the texts of records in it, or objects, which are written as JSON.", describeType(v)))
		return
	}
	records := []Record{}
	ranges := elementRanges(b.attr("records").Expr, v.LengthInt())
	for i, e := range v.AsValueSlice() {
		r, why := newRecord(e)
		if why != "" {
			l.badTestAt(ranges[i], fmt.Sprintf("Record %d is %s. A record is its text, or an object, which is written as JSON; [ID, RECORD] gives it an id.", i+1, why))
			return
		}
		records = append(records, r)
	}
	t.Records = records
}

// newRecord reads a record: why says what it is instead.
func newRecord(v cty.Value) (r Record, why string) {
	if isList(v) && v.LengthInt() == 2 {
		parts := v.AsValueSlice()
		if isText(parts[0]) && !isList(parts[1]) {
			r, why = newRecord(parts[1])
			r.ID = parts[0].AsString()
			return r, why
		}
	}
	if isText(v) {
		return Record{Text: v.AsString()}, ""
	}
	if t := v.Type(); v.IsNull() || !t.IsObjectType() && !t.IsMapType() {
		return r, describeType(v)
	}
	text, why := valueText(v)
	return Record{Text: text, JSON: true}, why
}

// pairs reads pairs: a list of [KEY, VALUE] and [KEY], or an object of one pair for each member.
func (l *loader) pairs(b *block, arg string, v cty.Value) ([]Pair, bool) {
	pairs := []Pair{}
	if t := v.Type(); !v.IsNull() && (t.IsObjectType() || t.IsMapType()) {
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			key, _ := valueText(k)
			value, why := valueText(e)
			if why != "" {
				l.badTest(b, arg, fmt.Sprintf("The value of %s is %s. Keys and values are what JSON can write.", key, why))
				return nil, false
			}
			pairs = append(pairs, Pair{key, value})
		}
		return pairs, true
	}
	if !isList(v) {
		l.badTest(b, arg, fmt.Sprintf("%s takes pairs, but this is %s. Write %s = [[KEY, VALUE], …], or %s = { KEY = VALUE, … } when all keys are texts that differ.", arg, describeType(v), arg, arg))
		return nil, false
	}
	ranges := elementRanges(b.attr(arg).Expr, v.LengthInt())
	for i, e := range v.AsValueSlice() {
		if !isList(e) || e.LengthInt() < 1 || e.LengthInt() > 2 {
			what := describeType(e)
			if isList(e) {
				what = fmt.Sprintf("a list of %d", e.LengthInt())
			}
			l.badTestAt(ranges[i], fmt.Sprintf("Element %d of %s is %s, not a pair. Write [[KEY, VALUE], …], with brackets around each pair and around all.", i+1, arg, what))
			return nil, false
		}
		var texts [2]string
		for j, x := range e.AsValueSlice() {
			var why string
			if texts[j], why = valueText(x); why != "" {
				l.badTestAt(ranges[i], fmt.Sprintf("Element %d of %s holds %s. Keys and values are what JSON can write.", i+1, arg, why))
				return nil, false
			}
		}
		pairs = append(pairs, Pair{texts[0], texts[1]})
	}
	return pairs, true
}

// testExpect reads what must come out.
func (l *loader) testExpect(b *block, t *Test) {
	if v, _, ok := l.arg(b, "expect"); ok {
		t.Expect = l.expect(b, v)
	}
	n, ok := l.count(b, "expect_bad_records", 1)
	set(&t.ExpectBad, n, ok)
	if s, rng, ok := l.filled(b, "expect_error"); ok {
		if _, err := regexp.Compile(s); err != nil {
			l.add(diag.Error("lang/bad-regexp", "Bad regular expression",
				fmt.Sprintf("%q is no regular expression: %s. Write it in the syntax of RE2, with two backslashes for one.", s, strings.TrimPrefix(err.Error(), "error parsing regexp: ")), rng))
		}
		t.ExpectError = s
	}
	switch {
	case l.given(b, "expect_error") && l.given(b, "expect") && !l.given(b, "expect_bad_records"):
		l.badTest(b, "expect", "Nothing comes out of code that fails, so there can be no expect beside expect_error. Remove one of them; or, when bad records are to be set aside and the others count, say how many with expect_bad_records.",
			diag.WithRelated("the error", b.Range("expect_error")))
	case t.ExpectBad > 0 && t.Pairs != nil && t.Stage.Kind == string(Reduce):
		l.badTest(b, "expect_bad_records", "A reduce has no bad records that could be set aside: it fails as a whole. Write expect_error = \"REGEX\" for that.")
	}
}

func (l *loader) expect(b *block, v cty.Value) *Expect {
	texts := isText(v)
	lines := []string{}
	if texts {
		for line := range strings.Lines(v.AsString()) {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
	} else if isList(v) {
		for _, e := range v.AsValueSlice() {
			if isText(e) {
				lines = append(lines, e.AsString())
			}
		}
		texts = len(lines) > 0 && len(lines) == v.LengthInt()
		if len(lines) > 0 && !texts {
			hint := ""
			if v.LengthInt() == 2 {
				hint = " One pair is written with two pairs of brackets: [[KEY, VALUE]]."
			}
			l.badTest(b, "expect", "expect is either a list of texts, the lines of the result, or a list of pairs [KEY, VALUE]; this has some of both."+hint)
			return nil
		}
	}
	if texts {
		return &Expect{Lines: lines}
	}
	pairs, ok := l.pairs(b, "expect", v)
	if !ok {
		return nil
	}
	return &Expect{Pairs: pairs}
}

// testLaws reads true, false, or a list of laws.
func (l *loader) testLaws(b *block) ([]string, bool) {
	v, _, ok := l.arg(b, "laws")
	if !ok {
		return nil, false
	}
	if v.Type() == cty.Bool {
		if v.True() {
			return nil, false
		}
		return []string{}, true
	}
	if !isList(v) {
		l.badTest(b, "laws", fmt.Sprintf("laws is false for no checks, or a list of %s; this is %s.", list(quoted(laws.words), "and"), describeType(v)))
		return nil, false
	}
	words, ranges, ok := l.texts(b, "laws")
	for i, w := range words {
		if !slices.Contains(laws.words, w) {
			l.badTestAt(ranges[i], fmt.Sprintf("There is no law %q.%s The laws are %s.", w, diag.DidYouMean(w, laws.words), list(quoted(laws.words), "and")))
			ok = false
		}
	}
	return words, ok
}
