package compile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tafc/tafc/index"
)

// bounds looks at the bounds of a range.
func (s *subject) bounds() {
	if s.Op != index.OpAtMost {
		s.lowerBound()
	}
	if s.Op != index.OpAtLeast {
		s.upperBound(len(s.Values) - 1)
	}
	if s.matched == 0 && !s.advised {
		s.nothing("")
	}
}

// upperBound warns of a bound that is the beginning of values, all of which come after it: "20130607" leaves out the builds of that day.
func (s *subject) upperBound(i int) {
	bound := index.Sanitize(s.Values[i])
	if bound == "" {
		return
	}
	width, last := 0, ""
	files, values := s.count(func(value string) bool {
		key := s.key(value)
		if len(key) <= len(bound) || !strings.HasPrefix(key, bound) || s.holds(value) {
			return false
		}
		width, last = max(width, len(key)), max(last, key)
		return true
	})
	if files == 0 {
		return
	}
	suggestion := last
	if digits(last) {
		suggestion = bound + strings.Repeat("9", width-len(bound))
	}
	s.warn("index/short-bound", "Upper bound shorter than the values",
		fmt.Sprintf("%q leaves out the %s of the index whose %s begins so (%s, up to %q): a text comes before all longer ones that begin with it. Did you mean %q?",
			s.Values[i], s.files(files), s.Dimension, counted(values, "value"), last, suggestion), s.at[i])
}

// lowerBound warns of a bound that goes on where values end: "20140308000000" leaves out the day 20140308.
func (s *subject) lowerBound() {
	bound := index.Sanitize(s.Values[0])
	same, short := 0, ""
	files, _ := s.count(func(value string) bool {
		key := s.key(value)
		if len(key) == len(bound) {
			same++
		}
		if key == "" || len(key) >= len(bound) || !strings.HasPrefix(bound, key) || s.holds(value) {
			return false
		}
		short = max(short, key)
		return true
	})
	if files == 0 || same > 0 {
		return
	}
	s.warn("index/long-bound", "Lower bound longer than the values",
		fmt.Sprintf("%q leaves out the %s of the index with %s %q: a text comes before all longer ones that begin with it. Did you mean %q?",
			s.Values[0], s.files(files), s.Dimension, short, short), s.at[0])
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// pattern looks at a glob or a regular expression that matches nothing.
func (s *subject) pattern() {
	if s.matched > 0 {
		return
	}
	written := s.Values[0]
	if s.Op == index.OpGlob {
		lower := strings.ToLower(written)
		files, _ := s.count(func(value string) bool { return doublestar.MatchUnvalidated(lower, strings.ToLower(value)) })
		if files == 0 && !strings.ContainsAny(written, "*?[{") {
			files, _ = s.count(func(value string) bool { return strings.HasPrefix(s.key(value), index.Sanitize(written)) })
			if files > 0 {
				s.nothing(fmt.Sprintf(" A pattern covers the whole value; glob(%q) would match %s.", written+"*", s.files(files)))
				return
			}
		}
		if files > 0 {
			s.nothing(fmt.Sprintf(" Case counts; without regard to it the pattern would match %s.", s.files(files)))
			return
		}
	}
	if s.Op == index.OpMatches {
		for _, try := range []struct{ expression, why string }{
			{"(?i)" + written, " Case counts; matches(%q) would match %s."},
			{strings.ReplaceAll(written, "-", "_"), " The keys have _ where the data have - and the like; matches(%q) would match %s."},
		} {
			expression, err := regexp.Compile(try.expression)
			if err != nil {
				continue
			}
			if files, _ := s.count(expression.MatchString); files > 0 {
				s.nothing(fmt.Sprintf(try.why, try.expression, s.files(files)))
				return
			}
		}
	}
	s.nothing("")
}

// nothing warns of a condition for which no value holds.
func (s *subject) nothing(hint string) {
	s.warn("index/matches-nothing", "Condition that nothing passes",
		fmt.Sprintf("No file of the index has a %s for which %s holds.%s %s", s.Dimension, s.describe(), hint, s.extent()), s.rng)
}

// describe is the condition as the language writes it.
func (s *subject) describe() string {
	quoted := make([]string, len(s.Values))
	for i, v := range s.Values {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	return string(s.Op) + "(" + strings.Join(slices.Clip(quoted), ", ") + ")"
}
