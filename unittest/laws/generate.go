package laws

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/tafc/tafc/unittest/jsonvalue"
)

// How many groups are tried, and how large they are.
const (
	maxGroups  = 10 // of tests
	maxValues  = 12 // of a group
	madeGroups = 8  // for each group of a test
	madeValues = 6  // of a made-up group, at most
)

// pool holds the values of each key, which others are made of.
type pool map[string][]any

func newPool(groups []Group) pool {
	p := pool{}
	for _, g := range groups {
		for _, text := range g.Values {
			v, err := jsonvalue.Parse(text)
			if err != nil {
				continue // an absent value, or text that is not UTF-8
			}
			p[g.Key] = append(p[g.Key], v)
		}
	}
	return p
}

// samples are groups of tests, the largest first, and made-up ones behind them.
func (c *checker) samples(groups []Group) []sample {
	groups = slices.Clone(groups)
	slices.SortStableFunc(groups, func(a, b Group) int {
		if n := len(b.Values) - len(a.Values); n != 0 {
			return n
		}
		return strings.Compare(a.Key, b.Key)
	})
	most, made := maxGroups, madeGroups
	if c.o.Slow {
		most, made = 2, 1
	}
	var own, up []sample
	for _, g := range groups[:min(most, len(groups))] {
		if len(g.Values) == 0 {
			continue
		}
		own = append(own, sample{Group: Group{g.Key, g.Values[:min(maxValues, len(g.Values))]}})
		for range made {
			if values := c.makeUp(g.Key); values != nil {
				up = append(up, sample{Group: Group{g.Key, values}, madeUp: true})
			}
		}
	}
	return append(own, up...)
}

// makeUp makes values for a key: those that it has, with other numbers in them.
func (c *checker) makeUp(key string) []string {
	from := c.pool[key]
	if len(from) == 0 {
		return nil
	}
	values := make([]string, 2+c.rng.IntN(madeValues-1))
	for i := range values {
		values[i] = jsonvalue.Text(vary(from[c.rng.IntN(len(from))], c.rng))
	}
	return values
}

// vary makes a value of the same structure with other numbers.
func vary(v any, rng *rand.Rand) any {
	switch x := v.(type) {
	case json.Number:
		return json.Number(varyNumber(string(x), rng))
	case string:
		head, number := trailingNumber(x)
		if number == "" {
			return x
		}
		return head + varyNumber(number, rng)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = vary(x[i], rng)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		// In the order of the names, so that all follows from the seed.
		for _, name := range sortedNames(x) {
			out[name] = vary(x[name], rng)
		}
		return out
	}
	return v
}

// varyNumber keeps what a number is: negative ones come only from negative ones, fractions only from fractions. Made-up fractions
// are quarters, whose sums are exact.
func varyNumber(text string, rng *rand.Rand) string {
	if rng.IntN(4) == 0 {
		return text
	}
	n := rng.IntN(10)
	sign := ""
	if strings.HasPrefix(text, "-") && rng.IntN(2) == 0 {
		sign = "-"
	}
	if !strings.ContainsAny(text, ".eE") {
		return sign + strconv.Itoa(n)
	}
	return fmt.Sprintf("%s%d.%s", sign, n, []string{"0", "25", "5", "75"}[rng.IntN(4)])
}

// trailingNumber cuts a text that is a number, or ends in a word that is one, such as the lines of telemetry-analysis.
func trailingNumber(text string) (head, number string) {
	number = text[strings.LastIndexByte(text, ' ')+1:]
	head = text[:len(text)-len(number)]
	if v, err := jsonvalue.Parse(number); err == nil {
		if _, ok := v.(json.Number); ok {
			return head, number
		}
	}
	return text, ""
}

// simpler are values of the same structure that are smaller in one place, the smallest first.
func simpler(v any) []any {
	var out []any
	switch x := v.(type) {
	case json.Number:
		for _, n := range simplerNumbers(string(x)) {
			out = append(out, json.Number(n))
		}
	case string:
		if head, number := trailingNumber(x); number != "" {
			for _, n := range simplerNumbers(number) {
				out = append(out, head+n)
			}
		} else if r := []rune(x); len(r) > 1 {
			out = append(out, string(r[:1]))
		}
	case []any:
		for i := range x {
			for _, e := range simpler(x[i]) {
				changed := slices.Clone(x)
				changed[i] = e
				out = append(out, changed)
			}
		}
	case map[string]any:
		for _, name := range sortedNames(x) {
			for _, e := range simpler(x[name]) {
				changed := map[string]any{}
				for n, m := range x {
					changed[n] = m
				}
				changed[name] = e
				out = append(out, changed)
			}
		}
	}
	return out
}

// simplerNumbers are numbers nearer to zero, or without sign or fraction.
func simplerNumbers(text string) []string {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return []string{"0"}
	}
	var out []string
	fraction := strings.ContainsAny(text, ".eE")
	add := func(x float64) {
		s := strconv.FormatFloat(x, 'f', -1, 64)
		if fraction && x == math.Trunc(x) {
			s += ".0" // what had a point keeps one: code may look at the type
		}
		if weight(json.Number(s)) < weight(json.Number(text)) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, x := range []float64{0, 1, 2, math.Abs(f), math.Trunc(f), math.Trunc(f / 2), f - math.Copysign(1, f)} {
		add(x)
	}
	return out
}

// weight is how much there is to look at in a value: less after each step of shrinking.
func weight(v any) float64 {
	switch x := v.(type) {
	case json.Number:
		f, err := strconv.ParseFloat(string(x), 64)
		if err != nil {
			return math.MaxFloat64
		}
		w := math.Abs(f)
		if f < 0 {
			w += 0.5
		}
		if f != math.Trunc(f) {
			w += 2 + float64(len(x))
		}
		return w
	case string:
		if head, number := trailingNumber(x); number != "" {
			return float64(len(head)) + weight(json.Number(number))
		}
		return float64(len(x))
	case []any:
		w := 0.0
		for _, e := range x {
			w += weight(e)
		}
		return w
	case map[string]any:
		w := 0.0
		for _, e := range x {
			w += weight(e)
		}
		return w
	}
	return 0
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
