package compile

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/diag"
)

// oneOf looks at each value of a list. Where all is well it costs two look-ups for each value of the index.
func (s *subject) oneOf() {
	found := make(map[string]int, len(s.Values))       // files, by what is listed
	folded := make(map[string][]string, len(s.Values)) // values of the index that are not listed, by the lower case of what is
	for _, v := range s.Values {
		found[index.Sanitize(v)] = -1
		folded[strings.ToLower(index.Sanitize(v))] = nil
	}
	others := map[string]int{} // files, by values that differ from one that is listed in case only
	for _, v := range s.values {
		key := s.key(v.Value)
		if files, listed := found[key]; listed {
			found[key] = max(files, 0) + v.Files
			continue
		}
		lower := strings.ToLower(key)
		if same, ask := folded[lower]; ask {
			if _, known := others[key]; !known {
				folded[lower] = append(same, key)
			}
			others[key] += v.Files
		}
	}
	for i, v := range s.Values {
		sane := index.Sanitize(v)
		same := folded[strings.ToLower(sane)]
		if found[sane] < 0 {
			s.missing(i, same, others)
			continue
		}
		for _, other := range same {
			s.warn("index/two-spellings", "Two spellings of a value",
				fmt.Sprintf("The index has %s %q (%s) and also %q (%s), which this condition does not match: case counts. List both to get all of them.",
					s.Dimension, sane, s.files(found[sane]), other, s.files(others[other])),
				s.at[i], diag.Instead("filter/other-spelling"))
		}
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

// missing warns of a value that no file has. Folded are values that differ from it in case only, with their files.
func (s *subject) missing(i int, folded []string, files map[string]int) {
	v := s.Values[i]
	none := fmt.Sprintf("No file of the index has %s %q", s.Dimension, v)
	if s.missingGlob(i, none) || s.missingPrefix(i, none) {
		return
	}
	if len(folded) > 0 {
		s.warn("index/other-spelling", "Value in another spelling",
			fmt.Sprintf("%s, because case counts. Did you mean %q (%s)?", none, folded[0], s.files(files[folded[0]])), s.at[i])
		return
	}
	if other := s.spelled(v); other != "" {
		s.warn("index/other-spelling", "Value in another spelling",
			fmt.Sprintf("%s. Did you mean %q (%s)?", none, other, s.files(s.filesOf(other))), s.at[i])
		return
	}
	hint := ""
	if near := s.near(v); near != "" {
		hint = fmt.Sprintf(" Did you mean %q (%s)?", near, s.files(s.filesOf(near)))
	}
	s.warn("index/unknown-value", "Value that no file has", fmt.Sprintf("%s.%s %s", none, hint, s.extent()), s.at[i])
}

// spelled is the first value of the index with the same letters and digits, or empty.
func (s *subject) spelled(v string) string {
	want := letters(v)
	if want == "" {
		return ""
	}
	for _, have := range s.values {
		if len(have.Value) >= len(want) && letters(have.Value) == want {
			return s.key(have.Value)
		}
	}
	return ""
}

// filesOf is how many files have a value.
func (s *subject) filesOf(key string) int {
	files, _ := s.count(func(value string) bool { return s.key(value) == key })
	return files
}

// near is a value that was probably meant. Among numbers, such as dates, what differs in a digit is another one, not a near one.
func (s *subject) near(v string) string {
	const most = 10_000 // values; more are no names
	if len(s.values) > most || strings.Trim(v, "0123456789._-") == "" {
		return ""
	}
	candidates := make([]string, len(s.values))
	for i, have := range s.values {
		candidates[i] = s.key(have.Value)
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
