package diag

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// Suggest is the candidate that was probably meant, or empty. Case does not count. Names under 3 letters are too short to
// guess, and at most half of a name (and at most 2 letters) may differ. The answer does not depend on the order of the candidates.
func Suggest(given string, candidates []string) string {
	length := utf8.RuneCountInString(given)
	if length < 3 {
		return ""
	}
	best, distance := "", min(2, length/2)+1
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if c == given || utf8.RuneCountInString(c) < 3 {
			continue
		}
		if d := levenshtein.Distance(strings.ToLower(given), strings.ToLower(c), nil); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// DidYouMean is a sentence with a leading space that offers what Suggest finds, or empty.
func DidYouMean(given string, candidates []string) string {
	if s := Suggest(given, candidates); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}
