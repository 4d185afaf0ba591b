package jsonvalue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Parse reads a JSON value: nil, bool, json.Number, string, []any or map[string]any.
func Parse(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the value in %.80q", text)
	}
	return v, nil
}

// Text is a value as compact JSON, the members of objects by name.
func Text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // what Parse returns always can be
	return strings.TrimSuffix(b.String(), "\n")
}

// EqualText tells whether two JSON texts are the same value. Absent values (empty texts) are equal to one another only.
func EqualText(a, b string, tolerance float64) bool {
	if a == b {
		return true
	}
	x, err := Parse(a)
	if err != nil {
		return false
	}
	y, err := Parse(b)
	return err == nil && Equal(x, y, tolerance)
}

// Equal compares two values. Whole numbers must be equal. Where one of two numbers has a point or an exponent, they may
// differ by tolerance times the larger one.
func Equal(a, b any, tolerance float64) bool {
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		return ok && equalNumbers(string(x), string(y), tolerance)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, func(p, q any) bool { return Equal(p, q, tolerance) })
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, func(p, q any) bool { return Equal(p, q, tolerance) })
	}
	switch b.(type) {
	case json.Number, []any, map[string]any:
		return false
	}
	return a == b
}

func equalNumbers(a, b string, tolerance float64) bool {
	if a == b {
		return true
	}
	if whole(a) && whole(b) {
		x, okX := new(big.Int).SetString(a, 10)
		y, okY := new(big.Int).SetString(b, 10)
		return okX && okY && x.Cmp(y) == 0
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil { // larger than a float can be
		return false
	}
	return x == y || math.Abs(x-y) <= tolerance*max(math.Abs(x), math.Abs(y))
}

func whole(number string) bool { return !strings.ContainsAny(number, ".eE") }

// Difference is a place where two values differ; an absent side is empty.
type Difference struct {
	Path string // .views, [2].name; empty: the values as a whole
	A, B string // JSON
}

// Differences lists where two JSON texts differ.
func Differences(a, b string, tolerance float64) []Difference {
	x, errX := Parse(a)
	y, errY := Parse(b)
	if errX != nil || errY != nil {
		if a == b {
			return nil
		}
		return []Difference{{A: a, B: b}}
	}
	return differences(nil, "", x, y, tolerance)
}

func differences(out []Difference, path string, a, b any, tolerance float64) []Difference {
	if Equal(a, b, tolerance) {
		return out
	}
	switch x := a.(type) {
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				out = differences(out, fmt.Sprintf("%s[%d]", path, i), x[i], y[i], tolerance)
			}
			return out
		}
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			return memberDifferences(out, path, x, y, tolerance)
		}
	}
	return append(out, Difference{path, Text(a), Text(b)})
}

func memberDifferences(out []Difference, path string, x, y map[string]any, tolerance float64) []Difference {
	names := slices.Sorted(maps.Keys(x))
	for name := range y {
		if _, both := x[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p, inX := x[name]
		q, inY := y[name]
		at := path + "." + name
		switch {
		case !inY:
			out = append(out, Difference{at, Text(p), ""})
		case !inX:
			out = append(out, Difference{at, "", Text(q)})
		default:
			out = differences(out, at, p, q, tolerance)
		}
	}
	return out
}
