package lang

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/order"
)

// RecordCondition is a test of one field of each record.
type RecordCondition struct {
	Field  string
	Op     Op
	Values []string // JSON
	Range  hcl.Range
}

// opMissing is a condition on records only: the record has no such field.
const opMissing Op = "missing"

// String is the condition as the language writes it.
func (c RecordCondition) String() string {
	args := strings.Join(c.Values, ", ")
	if c.Op == OpOneOf {
		args = "[" + args + "]"
	} else {
		args = string(c.Op) + "(" + args + ")"
	}
	return fmt.Sprintf("%q = %s", c.Field, args)
}

// where reads which records a map means, ordered by field.
func (l *loader) where(b *block) []RecordCondition {
	v, rng, ok := l.arg(b, "where")
	if !ok {
		return nil
	}
	if t := v.Type(); !t.IsObjectType() && !t.IsMapType() {
		l.add(diag.Error("lang/wrong-type", "Wrong type of value",
			fmt.Sprintf("where takes a map of fields and conditions, but this is %s. Write where = { \"info.OS\" = \"Linux\" }.", describeType(v)), rng))
		return nil
	}
	places := memberRanges(b.attr("where").Expr)
	var out []RecordCondition
	given := v.AsValueMap()
	for _, field := range slices.Sorted(maps.Keys(given)) {
		place, ok := places[field]
		if !ok {
			place = rng
		}
		c := RecordCondition{Field: field, Range: place}
		if l.recordCondition(&c, given[field]) {
			out = append(out, c)
		}
	}
	return out
}

// recordCondition reads the condition on one field.
func (l *loader) recordCondition(c *RecordCondition, v cty.Value) bool {
	c.Op = OpOneOf
	args := []cty.Value{v}
	switch made := asCall(v); {
	case made != nil && made.dated():
		l.recordError(c, fmt.Sprintf("%s is for dimensions that are dates. For the text or number of a field write between(…), atleast(…) or atmost(…).", made.op))
		return false
	case made != nil:
		c.Op, args = made.op, made.args
		if c.Op == OpOneOf && len(args) == 1 && isList(args[0]) {
			args = args[0].AsValueSlice()
		}
	case isList(v):
		args = v.AsValueSlice()
	}
	if c.Op == OpOneOf && len(args) == 0 {
		l.add(diag.Error("lang/empty-list", "Empty list of values",
			fmt.Sprintf("An empty list for %s matches nothing. List the values that are wanted, or write any() for all of them.", c.Field), c.Range))
		return false
	}
	for _, arg := range args {
		if !l.recordValue(c, arg) {
			return false
		}
	}
	if c.Op == OpBetween && args[0].Type() != args[1].Type() {
		l.recordError(c, "The bounds of a range must both be texts or both be numbers.")
		return false
	}
	if c.Op == OpBetween && inverted(args[0], args[1]) {
		l.add(diag.Error("lang/inverted-range", "Inverted range",
			fmt.Sprintf("between(%s, %s) matches nothing: the first bound comes after the second. Write between(%[2]s, %[1]s).", c.Values[0], c.Values[1]), c.Range))
		return false
	}
	return true
}

// inverted tells whether the first of two bounds comes after the second. Numbers compare by value, texts byte by byte.
func inverted(least, most cty.Value) bool {
	if least.Type() == cty.Number {
		return least.GreaterThan(most).True()
	}
	return least.AsString() > most.AsString()
}

// recordValue reads one value of a condition: what JSON has besides lists and maps.
func (l *loader) recordValue(c *RecordCondition, v cty.Value) bool {
	t := v.Type()
	simple := v.IsNull() || t == cty.String || t == cty.Number || t == cty.Bool
	switch text := isText(v); {
	case !simple:
		l.recordError(c, fmt.Sprintf("A field is compared with a text, a number, true, false or null, but this is %s.", describeType(v)))
		return false
	case c.Op == OpGlob || c.Op == OpMatches || c.Op == OpVersion:
		if !text {
			l.recordError(c, fmt.Sprintf("%s takes a text.", c.Op))
			return false
		}
		if problem := badPattern(c.Op, v.AsString()); problem != nil {
			l.add(diag.Error(problem.code, problem.summary, problem.detail, c.Range))
			return false
		}
	case c.Op != OpOneOf && !text && (v.IsNull() || t != cty.Number):
		l.recordError(c, fmt.Sprintf("%s takes texts or numbers.", c.Op))
		return false
	}
	data, err := ctyjson.Marshal(v, v.Type())
	if v.IsNull() {
		data, err = []byte("null"), nil
	}
	if err != nil || !json.Valid(data) {
		l.recordError(c, "This value cannot be compared with a field.")
		return false
	}
	c.Values = append(c.Values, string(data))
	return true
}

func (l *loader) recordError(c *RecordCondition, detail string) {
	l.add(diag.Error("lang/condition-type", "Bad condition on a field", detail, c.Range))
}

type patternProblem struct{ code, summary, detail string }

// badPattern says what is wrong with the argument of glob, matches or version.
func badPattern(op Op, s string) *patternProblem {
	switch op {
	case OpGlob:
		if !doublestar.ValidatePattern(s) {
			return &patternProblem{"lang/bad-glob", "Bad pattern", fmt.Sprintf("%q is no pattern: a bracket or brace is not closed, or the pattern ends in a backslash. A pattern has *, ?, [a-z] and {a,b}; a backslash takes the meaning from the next character.", s)}
		}
	case OpMatches:
		if _, err := regexp.Compile(s); err != nil {
			return &patternProblem{"lang/bad-regexp", "Bad regular expression", fmt.Sprintf("%q is no regular expression: %s. Write it in the syntax of RE2, with two backslashes for one.", s, strings.TrimPrefix(err.Error(), "error parsing regexp: "))}
		}
	case OpVersion:
		if _, err := order.ParseConstraint(s); err != nil {
			return &patternProblem{"lang/bad-version", "Bad comparison of versions", sentence(err.Error())}
		}
	}
	return nil
}
