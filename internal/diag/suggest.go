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
		if d := typos(strings.ToLower(given), strings.ToLower(c)); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// typos is how far two names are apart. Two letters in the wrong order are one slip.
func typos(given, meant string) int {
	a, b := []rune(given), []rune(meant)
	if len(a) == len(b) {
		for i := range len(a) - 1 {
			if a[i] == b[i+1] && a[i+1] == b[i] && a[i] != b[i] && string(a[:i]) == string(b[:i]) && string(a[i+2:]) == string(b[i+2:]) {
				return 1
			}
		}
	}
	return levenshtein.Distance(given, meant, nil)
}

// DidYouMean is a sentence with a leading space that offers what Suggest finds, or empty.
func DidYouMean(given string, candidates []string) string {
	if s := Suggest(given, candidates); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}
