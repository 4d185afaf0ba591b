package index

import "strings"

// Sanitize writes a value the way the ancestors' keys do: each code point outside A-Z a-z 0-9 _ / . becomes one underscore.
func Sanitize(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = plain(rune(s[i]))
	}
	if clean {
		return s
	}
	return strings.Map(sanitizeRune, s)
}

func sanitizeRune(r rune) rune {
	if plain(r) {
		return r
	}
	return '_'
}

// plain tells whether a character survives Sanitize.
func plain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '/' || r == '.'
}

// sanitizeGlob sanitises the literal characters of a glob pattern and leaves the others alone: * and ?, classes in
// brackets, braces and the commas between their alternatives. An escaped character is a literal.
func sanitizeGlob(pattern string) string {
	var out strings.Builder
	braces, class, escaped := 0, false, false
	for _, r := range pattern {
		switch {
		case escaped:
			escaped = false
			r = sanitizeRune(r)
		case r == '\\':
			escaped = true
			continue
		case class:
			class = r != ']'
		case r == '[':
			class = true
		case r == '{':
			braces++
		case r == '}':
			braces--
		case r == '*' || r == '?' || r == ',' && braces > 0:
		default:
			r = sanitizeRune(r)
		}
		out.WriteRune(r)
	}
	return out.String()
}
