package extract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tafc/tafc/internal/order"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
)

// Where decides which records are meant: those for which all conditions hold. It is not safe for concurrent use.
type Where struct {
	values     *Values
	found      [][]byte
	conditions []condition
	buf        []byte
}

// condition is a condition with what it needs at hand. Values are compared by their encoding as keys, which keeps types apart
// and has the order of numbers, and of texts by code points.
type condition struct {
	job.Condition
	bounds [][]byte
	text   func(text string) bool // of an operator on texts
}

// NewWhere prepares conditions. An error is about one of them.
func NewWhere(conditions []job.Condition) (*Where, error) {
	w := &Where{found: make([][]byte, len(conditions))}
	var paths []string
	for _, given := range conditions {
		c := condition{Condition: given}
		if err := c.prepare(); err != nil {
			return nil, fmt.Errorf("condition on %s: %w", c.Field, err)
		}
		w.conditions = append(w.conditions, c)
		paths = append(paths, c.Field)
	}
	var err error
	w.values, err = ParseValues(paths)
	return w, err
}

// operands are how many values an operator has, -1 for any number.
var operands = map[job.Op]int{
	job.OpOneOf: -1, job.OpExists: 0, job.OpMissing: 0, job.OpBetween: 2, job.OpAtLeast: 1, job.OpAtMost: 1, job.OpGlob: 1, job.OpMatches: 1, job.OpVersion: 1,
}

func (c *condition) prepare() error {
	n, ok := operands[c.Op]
	if !ok || n >= 0 && n != len(c.Values) {
		return fmt.Errorf("unknown operator %q with %d values", c.Op, len(c.Values))
	}
	for _, v := range c.Values {
		b, err := pairs.AppendKey(nil, v)
		if err != nil {
			return err
		}
		c.bounds = append(c.bounds, b)
	}
	if c.Op != job.OpGlob && c.Op != job.OpMatches && c.Op != job.OpVersion {
		return nil
	}
	var pattern string
	if err := json.Unmarshal(c.Values[0], &pattern); err != nil {
		return err
	}
	return c.prepareText(pattern)
}

func (c *condition) prepareText(pattern string) error {
	switch c.Op {
	case job.OpGlob:
		pattern = noSlash.Replace(pattern)
		if !doublestar.ValidatePattern(pattern) {
			return fmt.Errorf("%q is no pattern", pattern)
		}
		c.text = func(text string) bool { return doublestar.MatchUnvalidated(pattern, noSlash.Replace(text)) }
	case job.OpMatches:
		expression, err := regexp.Compile(pattern)
		if err != nil {
			return err
		}
		c.text = expression.MatchString
	case job.OpVersion:
		versions, err := order.ParseConstraint(pattern)
		if err != nil {
			return err
		}
		c.text = versions.Holds
	}
	return nil
}

// In a text of a record, unlike in a path, a slash is like any other character for a pattern.
var noSlash = strings.NewReplacer("/", "\x00")

// Match tells whether all conditions hold for a record. An error says why the record is not JSON.
func (w *Where) Match(record []byte) (bool, error) {
	if err := w.values.Find(record, w.found); err != nil {
		return false, err
	}
	for i := range w.conditions {
		if ok, err := w.holds(&w.conditions[i], w.found[i]); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (w *Where) holds(c *condition, value []byte) (bool, error) {
	switch {
	case c.Op == job.OpMissing:
		return value == nil, nil
	case value == nil:
		return false, nil
	case c.Op == job.OpExists:
		return true, nil
	case c.text != nil:
		return c.matches(value)
	}
	var err error
	if w.buf, err = pairs.AppendKey(w.buf[:0], value); err != nil {
		return false, err
	}
	switch c.Op {
	case job.OpBetween:
		return sameType(w.buf, c.bounds[0]) && bytes.Compare(c.bounds[0], w.buf) <= 0 && bytes.Compare(w.buf, c.bounds[1]) <= 0, nil
	case job.OpAtLeast:
		return sameType(w.buf, c.bounds[0]) && bytes.Compare(c.bounds[0], w.buf) <= 0, nil
	case job.OpAtMost:
		return sameType(w.buf, c.bounds[0]) && bytes.Compare(w.buf, c.bounds[0]) <= 0, nil
	}
	for _, b := range c.bounds {
		if bytes.Equal(b, w.buf) {
			return true, nil
		}
	}
	return false, nil
}

func sameType(a, b []byte) bool { return a[0] == b[0] }

// matches compares a text with a pattern. What is no text never matches.
func (c *condition) matches(value []byte) (bool, error) {
	if value[0] != '"' {
		return false, nil
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return false, err
	}
	return c.text(text), nil
}
