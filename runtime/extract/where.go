package extract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

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
	glob   string
	regexp *regexp.Regexp
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
	job.OpOneOf: -1, job.OpExists: 0, job.OpMissing: 0, job.OpBetween: 2, job.OpAtLeast: 1, job.OpAtMost: 1, job.OpGlob: 1, job.OpMatches: 1,
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
	if c.Op != job.OpGlob && c.Op != job.OpMatches {
		return nil
	}
	var pattern string
	if err := json.Unmarshal(c.Values[0], &pattern); err != nil {
		return err
	}
	if c.Op == job.OpGlob {
		c.glob = pattern
		if !doublestar.ValidatePattern(noSlash.Replace(pattern)) {
			return fmt.Errorf("%q is no pattern", pattern)
		}
		return nil
	}
	var err error
	c.regexp, err = regexp.Compile(pattern)
	return err
}

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
	case c.glob != "" || c.regexp != nil || c.Op == job.OpGlob:
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
	if c.regexp != nil {
		return c.regexp.MatchString(text), nil
	}
	return matchGlob(c.glob, text), nil
}

// matchGlob compares a whole text with a pattern. In a text of a record, unlike in a path, a slash is like any other character.
func matchGlob(pattern, text string) bool {
	return doublestar.MatchUnvalidated(noSlash.Replace(pattern), noSlash.Replace(text))
}

var noSlash = strings.NewReplacer("/", "\x00")
