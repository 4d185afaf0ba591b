package order

import (
	"cmp"
	"fmt"
	"strings"
)

// Version is a version as Mozilla's products number theirs: 28.0, 28.0.1, 29.0a1, 28.0b3, 24.5.0esr.
//
// The order is that of Mozilla's toolkit: parts between dots are compared one by one, a missing part is 0, and a part with
// letters comes before the same without. So 29.0a1 < 29.0a2 < 29.0b1 < 29.0 = 29 < 29.0.1 < 100.0.
type Version struct{ parts []part }

// part is what stands between two dots: number, letters, number, rest.
type part struct {
	number, extra string // digits, without leading zeros
	word, rest    string
}

// ParseVersion reads a version. It begins with a digit, or with v and a digit; ok is false for every other text.
func ParseVersion(s string) (v Version, ok bool) {
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') {
		s = s[1:]
	}
	if s == "" || !isDigit(s[0]) {
		return Version{}, false
	}
	for _, text := range strings.Split(s, ".") {
		var p part
		p.number, text = digits(text)
		end := strings.IndexFunc(text, func(r rune) bool { return r >= '0' && r <= '9' })
		if end < 0 {
			end = len(text)
		}
		p.word, text = text[:end], text[end:]
		p.extra, p.rest = digits(text)
		v.parts = append(v.parts, p)
	}
	return v, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// digits cuts the number off the beginning of a text.
func digits(s string) (number, rest string) {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	return strings.TrimLeft(s[:end], "0"), s[end:]
}

// Compare is negative when v comes before w, 0 when they are equal, else positive.
func (v Version) Compare(w Version) int {
	for i := range max(len(v.parts), len(w.parts)) {
		if c := v.part(i).compare(w.part(i)); c != 0 {
			return c
		}
	}
	return 0
}

func (v Version) part(i int) part {
	if i < len(v.parts) {
		return v.parts[i]
	}
	return part{}
}

func (p part) compare(q part) int {
	return cmp.Or(compareNumbers(p.number, q.number), compareWords(p.word, q.word), compareNumbers(p.extra, q.extra), compareWords(p.rest, q.rest))
}

func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// compareWords puts no letters after all letters.
func compareWords(a, b string) int {
	if (a == "") != (b == "") {
		return -cmp.Compare(len(a), len(b))
	}
	return strings.Compare(a, b)
}

// VersionsAscend tells whether two texts look like versions, of which at least one has a dot, and the first is not the later one.
func VersionsAscend(first, second string) bool {
	v, ok := ParseVersion(first)
	w, also := ParseVersion(second)
	return ok && also && strings.Contains(first+second, ".") && v.Compare(w) <= 0
}

// Base is the version without what makes it a pre-release: 28.0 of 28.0a1.
func (v Version) Base() Version {
	parts := make([]part, len(v.parts))
	for i, p := range v.parts {
		parts[i] = part{number: p.number}
	}
	return Version{parts}
}

// Constraint is a condition on versions: comparisons that must all hold.
type Constraint []comparison

type comparison struct {
	holds func(order int) bool
	bound Version
}

var comparisons = map[string]func(int) bool{
	"=": func(c int) bool { return c == 0 }, "!=": func(c int) bool { return c != 0 },
	">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 },
	"<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
}

// ParseConstraint reads comparisons with commas between: ">= 28.0, < 100". The operators are = != > >= < <= and ~>, which holds for what has
// all but the last part in common and is not earlier: ~> 28.1 is >= 28.1 and before any 29. A bare version is the same as = and the version.
func ParseConstraint(text string) (Constraint, error) {
	var c Constraint
	for _, item := range strings.Split(text, ",") {
		item = strings.TrimSpace(item)
		end := strings.IndexFunc(item, func(r rune) bool { return !strings.ContainsRune("=!<>~^", r) })
		if end < 0 {
			return nil, fmt.Errorf("%q has no version behind its operator", item)
		}
		op, number := item[:end], strings.TrimSpace(item[end:])
		if item == "" {
			return nil, fmt.Errorf("a comparison is missing; write an operator and a version, such as \">= 28.0\"")
		}
		v, ok := ParseVersion(number)
		if !ok || strings.ContainsAny(number, " \t*") {
			return nil, fmt.Errorf("%q is not a version; a version begins with a digit, such as 28.0 or 29.0a1, and commas stand between several comparisons", number)
		}
		switch {
		case op == "":
			op = "="
		case op == "==":
			op = "="
		}
		if op == "~>" {
			c = append(c, comparison{comparisons[">="], v}, comparison{comparisons["<"], v.next()})
			continue
		}
		holds := comparisons[op]
		if holds == nil {
			return nil, fmt.Errorf("there is no operator %q; the operators are = != > >= < <= ~>", op)
		}
		c = append(c, comparison{holds, v})
	}
	return c, nil
}

// next is the bound of ~>: all but the last part, with 1 more at its end. The pre-releases of that are not before the bound, because no
// word comes before its own.
func (v Version) next() Version {
	n := max(len(v.parts)-1, 1)
	parts := append([]part{}, v.parts[:n]...)
	parts[n-1] = part{number: increment(parts[n-1].number), word: "\x00"}
	return Version{parts}
}

// increment adds 1 to a number without leading zeros.
func increment(number string) string {
	b := []byte("0" + number)
	for i := len(b) - 1; ; i-- {
		if b[i]++; b[i] <= '9' {
			break
		}
		b[i] = '0'
	}
	return strings.TrimLeft(string(b), "0")
}

// Holds tells whether a value is a version and all comparisons hold for it.
func (c Constraint) Holds(value string) bool {
	v, ok := ParseVersion(value)
	if !ok {
		return false
	}
	for _, x := range c {
		if !x.holds(v.Compare(x.bound)) {
			return false
		}
	}
	return true
}
