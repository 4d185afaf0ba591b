package compile

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/diag"
)

// oneOf looks at each value of a list.
func (s *subject) oneOf() {
	files := map[string]int{}      // by value
	alike := map[string][]string{} // the values that have the same letters and digits, apart from case
	for _, v := range s.Values {
		alike[letters(v)] = nil
	}
	for _, v := range s.values {
		key := s.key(v.Value)
		if _, known := files[key]; !known {
			if same, ask := alike[letters(key)]; ask {
				alike[letters(key)] = append(same, key)
			}
		}
		files[key] += v.Files
	}
	listed := map[string]bool{}
	for _, v := range s.Values {
		listed[index.Sanitize(v)] = true
	}
	for i, v := range s.Values {
		var others []string
		if letters(v) != "" {
			for _, same := range alike[letters(v)] {
				if !listed[index.Sanitize(same)] {
					others = append(others, same)
				}
			}
		}
		if _, found := files[index.Sanitize(v)]; found {
			s.secondSpelling(i, others, files)
			continue
		}
		s.missing(i, others, files)
	}
}

// letters are the letters and digits of a value, in lower case.
func letters(value string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, value)
}

// secondSpelling warns of a value that is in the index, but under another spelling as well, such as OTHER and other.
func (s *subject) secondSpelling(i int, others []string, files map[string]int) {
	for _, other := range others {
		if !strings.EqualFold(other, index.Sanitize(s.Values[i])) {
			continue
		}
		s.warn("index/two-spellings", "Two spellings of a value",
			fmt.Sprintf("The index has %s %q (%s) and also %q (%s), which this condition does not match: case counts. List both to get all of them.",
				s.Dimension, index.Sanitize(s.Values[i]), s.files(files[index.Sanitize(s.Values[i])]), other, s.files(files[other])),
			s.at[i], diag.Instead("filter/other-spelling"))
	}
}

// missing warns of a value that no file has.
func (s *subject) missing(i int, others []string, files map[string]int) {
	v := s.Values[i]
	none := fmt.Sprintf("No file of the index has %s %q", s.Dimension, v)
	switch {
	case s.missingGlob(i, none) || s.missingPrefix(i, none):
	case len(others) > 0 && strings.EqualFold(others[0], index.Sanitize(v)):
		s.warn("index/other-spelling", "Value in another spelling",
			fmt.Sprintf("%s, because case counts. Did you mean %q (%s)?", none, others[0], s.files(files[others[0]])), s.at[i])
	case len(others) > 0:
		s.warn("index/other-spelling", "Value in another spelling",
			fmt.Sprintf("%s. Did you mean %q (%s)?", none, others[0], s.files(files[others[0]])), s.at[i])
	default:
		hint := ""
		if near := s.near(v, files); near != "" {
			hint = fmt.Sprintf(" Did you mean %q (%s)?", near, s.files(files[near]))
		}
		s.warn("index/unknown-value", "Value that no file has", fmt.Sprintf("%s.%s %s", none, hint, s.extent()), s.at[i])
	}
}

// near is a value that was probably meant. Among numbers, such as dates, what differs in a digit is another one, not a near one.
func (s *subject) near(v string, files map[string]int) string {
	const most = 10_000 // values; more are no names
	if len(files) > most || strings.Trim(v, "0123456789._-") == "" {
		return ""
	}
	candidates := make([]string, 0, len(files))
	for key := range files {
		candidates = append(candidates, key)
	}
	return diag.Suggest(index.Sanitize(v), candidates)
}

// missingGlob warns of a pattern that stands where a value belongs.
func (s *subject) missingGlob(i int, none string) bool {
	v := s.Values[i]
	if !strings.ContainsAny(v, "*?[{") || !doublestar.ValidatePattern(v) {
		return false
	}
	holds, err := index.CompileTerm(index.Term{Dimension: s.Dimension, Op: index.OpGlob, Values: []string{v}}, s.exact)
	if err != nil {
		return false
	}
	files, values := s.count(holds)
	if files == 0 {
		return false
	}
	s.warn("index/pattern-as-value", "Pattern as a value",
		fmt.Sprintf("%s: a value is compared letter by letter, also * and ?. As a pattern it would match %s (%s). %s",
			none, counted(values, "value"), s.files(files), s.instead(glob(v))),
		s.at[i], diag.Instead("lang/literal-star"), diag.Instead("filter/glob-literal"))
	return true
}

// missingPrefix warns of a value that is only the beginning of values, such as the day of a build.
func (s *subject) missingPrefix(i int, none string) bool {
	v := index.Sanitize(s.Values[i])
	if len(v) < 2 {
		return false
	}
	dotted := true
	files, values := s.count(func(value string) bool {
		rest, found := strings.CutPrefix(s.key(value), v)
		dotted = dotted && (!found || strings.HasPrefix(rest, "."))
		return found
	})
	if files == 0 {
		return false
	}
	pattern := s.Values[i] + "*"
	if dotted {
		pattern = s.Values[i] + ".*"
	}
	s.warn("index/value-prefix", "Beginning of values",
		fmt.Sprintf("%s, but it is the beginning of %s (%s). %s", none, counted(values, "value"), s.files(files), s.instead(glob(pattern))), s.at[i])
	return true
}
