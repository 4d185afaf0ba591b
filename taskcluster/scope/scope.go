package scope

import (
	"slices"
	"strings"
)

// Match says whether the scope held satisfies the scope required.
func Match(held, required string) bool {
	prefix, star := strings.CutSuffix(held, "*")
	return held == required || star && strings.HasPrefix(required, prefix)
}

// Satisfied says whether one of the scopes held satisfies the scope required.
func Satisfied(held []string, required string) bool {
	return slices.ContainsFunc(held, func(h string) bool { return Match(h, required) })
}

// Missing lists which of the scopes required are satisfied by none of those held: sorted, each once, and without those that
// another missing one satisfies. It is nil when there are none.
func Missing(held []string, required ...string) []string {
	var missing []string
	for _, r := range required {
		if !Satisfied(held, r) {
			missing = append(missing, r)
		}
	}
	return Normalize(missing)
}

// Normalize sorts scopes and leaves out those that another one satisfies.
func Normalize(scopes []string) []string {
	sorted := slices.Compact(slices.Sorted(slices.Values(scopes)))
	var kept []string
	for i, s := range sorted {
		other := slices.Concat(sorted[:i], sorted[i+1:])
		if !Satisfied(other, s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// Valid says whether s can be a scope: printable ASCII, and at most one star at the end. The queue refuses others in task.scopes.
func Valid(s string) bool {
	return !strings.HasSuffix(s, "**") && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
