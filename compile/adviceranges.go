package compile

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/order"
)

// bounds looks at the bounds of a range.
func (s *subject) bounds() {
	if s.dateForm() || s.versions() {
		return
	}
	if s.Op != index.OpAtMost {
		s.lowerBound()
	}
	if s.Op != index.OpAtLeast {
		s.upperBound(len(s.Values) - 1)
	}
	if s.matched == 0 && !s.advised[s.Dimension] {
		s.nothing("")
	}
}

// dateForm warns of a date as a bound that is written otherwise than the dates of the index, with which it is compared as a text.
func (s *subject) dateForm() bool {
	value := ""
	for _, v := range s.values {
		if _, ok := order.ParseDate(v.Value); ok {
			value = v.Value
			break
		}
	}
	warned := false
	for i, bound := range s.Values {
		date, ok := order.ParseDate(bound)
		if !ok || value == "" || len(bound) == len(value) {
			continue
		}
		written := date.Format("20060102")
		if len(value) > len(written) {
			written = date.Format("2006" + value[4:5] + "01" + value[7:8] + "02")
		}
		s.warn("index/other-spelling", "Date in another spelling",
			fmt.Sprintf("The index writes dates like %q, and bounds are compared as texts, so %q does not mean that day here. Did you mean %q?", value, bound, written), s.at[i])
		warned = true
	}
	return warned
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
	which := fmt.Sprintf("%q", last)
	if values > 1 {
		which = fmt.Sprintf("%s, up to %q", counted(values, "value"), last)
	}
	s.warn("index/short-bound", "Upper bound shorter than the values",
		fmt.Sprintf("%q leaves out the %s of the index whose %s begins so (%s): a text comes before all longer ones that begin with it. Did you mean %q?",
			s.Values[i], s.files(files), s.Dimension, which, suggestion), s.at[i])
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
		fmt.Sprintf("%s holds for no %s of the index.%s %s", s.describe(), s.Dimension, hint, s.extent()), s.rng)
}

// describe is the condition as the language writes it.
func (s *subject) describe() string {
	if s.text != "" {
		return s.text
	}
	quoted := make([]string, len(s.Values))
	for i, v := range s.Values {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	return string(s.Op) + "(" + strings.Join(quoted, ", ") + ")"
}

// versions warns of a range over versions for which the order of texts is another than that of versions. It leaves aside whether
// pre-releases come before their release: who writes atleast("28.0") may well want 28.0a1.
func (s *subject) versions() bool {
	var bounds []order.Version
	for _, v := range s.Values {
		bound, ok := order.ParseVersion(v)
		if !ok || len(v) >= len("20140308") {
			return false
		}
		bounds = append(bounds, bound)
	}
	lower, upper := s.Op != index.OpAtMost, s.Op != index.OpAtLeast
	should := func(v order.Version) bool {
		return !(lower && v.Compare(bounds[0]) < 0) && !(upper && v.Compare(bounds[len(bounds)-1]) > 0)
	}
	var lost, extra difference
	for _, v := range s.values {
		version, ok := order.ParseVersion(v.Value)
		if !ok {
			continue
		}
		if !strings.Contains(v.Value, ".") && len(v.Value) > 4 {
			return false // rather dates or numbers of builds
		}
		holds, base, exact := s.holds(v.Value), should(version.Base()), should(version)
		switch {
		case !holds && base && exact:
			lost.add(v)
		case holds && !base && !exact:
			extra.add(v)
		}
	}
	if lost.files+extra.files == 0 {
		return false
	}
	constraint := s.constraint(lower, upper)
	matched := 0
	if holds, err := index.CompileTerm(index.Term{Dimension: s.Dimension, Op: index.OpVersion, Values: []string{constraint}}, s.exact); err == nil {
		matched, _ = s.count(holds)
	}
	var effects []string
	if extra.files > 0 {
		effects = append(effects, fmt.Sprintf("lets %s of versions pass that it should leave out, such as %q", s.files(extra.files), extra.example))
	}
	if lost.files > 0 {
		effects = append(effects, fmt.Sprintf("leaves out %s of versions that it should hold for, such as %q", s.files(lost.files), lost.example))
	}
	s.warn("index/version-order", "Versions compared as texts",
		fmt.Sprintf("As texts, this %s. As versions %s would match. %s", strings.Join(effects, ", and "), s.files(matched), s.instead(fmt.Sprintf("version(%q)", constraint))), s.rng)
	return true
}

// constraint is the range as a comparison of versions.
func (s *subject) constraint(lower, upper bool) string {
	var parts []string
	if lower {
		parts = append(parts, ">= "+s.Values[0])
	}
	if upper {
		parts = append(parts, "<= "+s.Values[len(s.Values)-1])
	}
	return strings.Join(parts, ", ")
}

// difference is what one way of comparing matches and another does not.
type difference struct {
	files   int
	example string
}

func (d *difference) add(v index.ValueCount) {
	if d.files == 0 {
		d.example = v.Value
	}
	d.files += v.Files
}
