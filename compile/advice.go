package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

// condition is a term of a filter and where it stands.
type condition struct {
	index.Term
	name hcl.Range   // of the dimension
	rng  hcl.Range   // of the whole condition
	at   []hcl.Range // of each value
	text string      // as the language writes it
}

// conditions are those of one filter.
type conditions struct {
	where, exclude []condition
	isDocument     bool // a Filter.json, which has no patterns
	exact          bool // index.Filter.AsService
}

func conditionsOf(terms []lang.Term, as []index.Term) []condition {
	out := make([]condition, len(terms))
	for i, t := range terms {
		out[i] = condition{Term: as[i], name: t.NameRange, rng: t.Range, at: t.At, text: t.Condition.String()}
	}
	return out
}

// advisor warns of conditions that probably do not mean what they say, judged by the values that the index has. It looks at distinct
// values only, however many files there are.
type advisor struct {
	*resolver
	conditions
	sel     *index.Selection
	advised map[string]bool // dimensions about which there was something to say
	passed  map[string]int  // files that pass the where condition on a dimension, whatever the others say
}

// advise looks at the conditions of a filter.
func (r *resolver) advise(f *lang.Filter, sel *index.Selection) advisor {
	a := advisor{resolver: r, conditions: r.conditions[f.Name], sel: sel, advised: map[string]bool{}, passed: map[string]int{}}
	for _, c := range a.where {
		s := a.subject(c)
		if s == nil {
			continue
		}
		if a.passed[c.Dimension] = s.matched; s.look() && s.idle() {
			s.warn("index/no-effect", "Condition without effect",
				fmt.Sprintf("All %s that fit the layout pass this condition on %s; without it the same files match. Remove it, or say what it should keep out. %s", a.files(s.total), c.Dimension, s.extent()), c.rng)
		}
	}
	hopeless := false
	for _, c := range a.exclude {
		s := a.subject(c)
		hopeless = hopeless || s == nil || !s.look() || s.matched == 0
	}
	if n := len(sel.Funnel); len(a.exclude) > 0 && !hopeless && a.sel.Unlisted == 0 && n > 0 && sel.Files.Len() == a.before(n-1) && sel.Files.Len() > 0 {
		r.diags = append(r.diags, diag.Warning("index/no-effect", "Condition without effect",
			"The exclude block leaves out none of the files that where selects: no file has all of the values that it names. A file is left out only when all conditions of the block hold.",
			hcl.RangeBetween(a.exclude[0].name, a.exclude[len(a.exclude)-1].rng)))
	}
	return a
}

// before is how many files were left before a step of the funnel.
func (a *advisor) before(step int) int {
	if step == 0 {
		return a.sel.Total - a.sel.Unparsed
	}
	return a.sel.Funnel[step-1].Left
}

// files is a number of files in words, as exact as it is known: folders that the filter refuses may not have been listed.
func (a *advisor) files(n int) string {
	switch {
	case a.sel.Unlisted == 0:
		return counted(n, "file")
	case n == 0:
		return "files not counted"
	}
	return "at least " + counted(n, "file")
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}

// subject is one condition and the values that it judges.
type subject struct {
	*advisor
	condition
	values  []index.ValueCount // of the dimension
	holds   func(value string) bool
	total   int // files
	matched int // files for whose value the condition holds
	refused int // distinct values for which it does not
}

// subject is nil when there is nothing to judge: no such dimension, or no files.
func (a *advisor) subject(c condition) *subject {
	i := slices.IndexFunc(a.sel.Dimensions, func(d index.Dimension) bool { return d.Name == c.Dimension })
	if i < 0 || c.Op == index.OpAny || len(a.sel.Dimensions[i].Values) == 0 {
		return nil
	}
	holds, err := index.CompileTerm(c.Term, a.exact)
	if err != nil {
		return nil // Select has said so
	}
	s := &subject{advisor: a, condition: c, values: a.sel.Dimensions[i].Values, holds: holds}
	for _, v := range s.values {
		s.total += v.Files
		if holds(v.Value) {
			s.matched += v.Files
		} else {
			s.refused++
		}
	}
	return s
}

// look warns of what is wrong with the condition by itself. It is false when the condition matches nothing.
func (s *subject) look() bool {
	switch s.Op {
	case index.OpOneOf:
		s.oneOf()
	case index.OpBetween, index.OpAtLeast, index.OpAtMost:
		s.bounds()
	case index.OpGlob, index.OpMatches:
		s.pattern()
	default:
		if s.matched == 0 {
			s.nothing("")
		}
	}
	return s.matched > 0
}

// idle tells whether a range or a pattern lets every value pass. A list of values is not idle: who lists values means them. Nor is a range
// of dates: later files may be outside of it.
func (s *subject) idle() bool {
	if s.refused > 0 || len(s.values) < 2 || s.sel.Unlisted != 0 {
		return false
	}
	switch s.Op {
	case index.OpGlob, index.OpMatches, index.OpVersion:
		return true
	case index.OpBetween, index.OpAtLeast, index.OpAtMost:
		return s.Dimension != s.sel.Layout.DateDimension()
	}
	return false
}

func (s *subject) warn(code, summary, detail string, rng hcl.Range, opts ...diag.Option) {
	s.advised[s.Dimension] = true
	s.diags = append(s.diags, diag.Warning(code, summary, detail, rng, opts...))
}

// key is a value as conditions see it.
func (s *subject) key(value string) string {
	if s.exact {
		return value
	}
	return index.Sanitize(value)
}

// count is how many files have a value for which test holds, and how many such values there are.
func (s *subject) count(test func(value string) bool) (files, values int) {
	for _, v := range s.values {
		if test(v.Value) {
			files += v.Files
			values++
		}
	}
	return files, values
}

// extent is a sentence about the values that the dimension has: all of a few, else the first and the last.
func (s *subject) extent() string {
	const most = 8
	if len(s.values) > most {
		return fmt.Sprintf("The %s of %s go from %q to %q.", counted(len(s.values), "value"), s.Dimension, s.values[0].Value, s.values[len(s.values)-1].Value)
	}
	names := make([]string, len(s.values))
	for i, v := range s.values {
		names[i] = fmt.Sprintf("%q (%s)", v.Value, s.files(v.Files))
	}
	return fmt.Sprintf("The index has %s.", strings.Join(names, ", "))
}

// instead says which condition of the language to write: a document has neither patterns nor versions.
func (s *subject) instead(condition string) string {
	if s.isDocument {
		return fmt.Sprintf("A document cannot say so: list the values, or turn it into HCL with tafc import and write %s.", condition)
	}
	return fmt.Sprintf("Write %s.", condition)
}

// glob is a pattern as a condition.
func glob(pattern string) string { return fmt.Sprintf("glob(%q)", pattern) }

// emptied is the sentence about the condition after which nothing is left. What is said at the condition itself is not said again.
func (a *advisor) emptied(left int) string {
	unlisted := a.sel.Unlisted
	if unlisted < 0 {
		return "" // the source applied the conditions
	}
	for i, step := range a.sel.Funnel {
		before := fmt.Sprintf("%d are", left)
		if unlisted != 0 {
			before = "Some are"
		}
		// Folders that a later condition refused passed this one.
		if unlisted -= step.Unlisted; step.Left == 0 && (unlisted <= 0 || i == len(a.sel.Funnel)-1) {
			why := ""
			switch passed := a.passed[step.Dimension]; {
			case passed > 0:
				why = fmt.Sprintf(" By itself that condition matches %s, but none that passed the others.", a.files(passed))
			case !a.advised[step.Dimension]:
				why = values(a.sel, step.Dimension)
			}
			return fmt.Sprintf("%s left before the condition on %s, and none after it.%s ", before, step.Dimension, why)
		}
		left = step.Left
	}
	return ""
}
