package index

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tafc/tafc/internal/order"
)

// ConditionError says what is wrong with a term.
type ConditionError struct {
	Term Term
	Err  error
}

func (e *ConditionError) Error() string {
	return fmt.Sprintf("condition %s on dimension %q: %v", e.Term.Op, e.Term.Dimension, e.Err)
}

func (e *ConditionError) Unwrap() error { return e.Err }

// CheckTerm tells what is wrong with a term when one need not look at an index for it: its operator, the number of its values,
// its pattern. What is wrong is a *ConditionError.
func CheckTerm(t Term) error {
	_, err := compileTerm(t, false)
	return err
}

// CompileTerm makes a test for values, as keys have them, of a term of a filter. What is wrong is a *ConditionError.
func CompileTerm(t Term, asService bool) (func(value string) bool, error) {
	return compileTerm(t, asService)
}

// Test is the term as a function of a dimension's value, for a source that evaluates a filter elsewhere. AsService is that of the
// filter. What is wrong with the term is a *ConditionError.
func (t Term) Test(asService bool) (func(value string) bool, error) { return compileTerm(t, asService) }

// compileTerm makes a test of a term. The test gets a value as the key has it. It need not be fast: it sees each value once.
func compileTerm(t Term, asService bool) (func(value string) bool, error) {
	want, known := map[Op]int{OpAny: 0, OpOneOf: len(t.Values), OpBetween: 2, OpAtLeast: 1, OpAtMost: 1, OpGlob: 1, OpMatches: 1, OpDates: 2, OpVersion: 1}[t.Op]
	if !known {
		return nil, &ConditionError{t, errors.New("there is no such operator")}
	}
	if len(t.Values) != want {
		return nil, &ConditionError{t, fmt.Errorf("it takes %d values, not %d", want, len(t.Values))}
	}
	values := make([]string, len(t.Values))
	for i, v := range t.Values {
		values[i] = Sanitize(v)
	}
	side := Sanitize
	if asService {
		side = func(value string) string { return value }
	}
	switch t.Op {
	case OpOneOf:
		return func(v string) bool { return slices.Contains(values, side(v)) }, nil
	case OpBetween:
		return func(v string) bool { v = side(v); return values[0] <= v && v <= values[1] }, nil
	case OpAtLeast:
		return func(v string) bool { return values[0] <= side(v) }, nil
	case OpAtMost:
		return func(v string) bool { return side(v) <= values[0] }, nil
	case OpGlob:
		return compileGlob(t, asService)
	case OpMatches:
		expression, err := regexp.Compile(t.Values[0])
		if err != nil {
			return nil, &ConditionError{t, err}
		}
		return expression.MatchString, nil
	case OpDates:
		return compileDates(t)
	case OpVersion:
		constraint, err := order.ParseConstraint(t.Values[0])
		if err != nil {
			return nil, &ConditionError{t, err}
		}
		return constraint.Holds, nil
	}
	return func(string) bool { return true }, nil // OpAny
}

func compileGlob(t Term, asService bool) (func(value string) bool, error) {
	pattern, sane := t.Values[0], sanitizeGlob(t.Values[0])
	if !doublestar.ValidatePattern(pattern) || !doublestar.ValidatePattern(sane) {
		return nil, &ConditionError{t, fmt.Errorf("the pattern %q has a [ or { that is not closed, or a \\ at its end", pattern)}
	}
	if asService {
		return func(v string) bool { return doublestar.MatchUnvalidated(sane, v) }, nil
	}
	return func(v string) bool {
		return doublestar.MatchUnvalidated(pattern, v) || doublestar.MatchUnvalidated(sane, Sanitize(v))
	}, nil
}

// compileDates makes a test of dates, however the key writes them. What is no date is in no range.
func compileDates(t Term) (func(value string) bool, error) {
	var bounds [2]time.Time
	for i, text := range t.Values {
		date, ok := order.ParseDate(text)
		if !ok && text != "" {
			return nil, &ConditionError{t, fmt.Errorf("%q is not a date", text)}
		}
		bounds[i] = date
	}
	return func(v string) bool {
		date, ok := order.ParseDate(v)
		return ok && !date.Before(bounds[0]) && (t.Values[1] == "" || !date.After(bounds[1]))
	}, nil
}
