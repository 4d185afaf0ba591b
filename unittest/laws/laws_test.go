package laws_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/unittest/jsonvalue"
	"github.com/tafc/tafc/unittest/laws"
)

// function is code whose combine and reduce are functions of Go over numbers. How the real code is called is tested with it,
// in package unittest and in the scripts of the command.
type function struct {
	combine, reduce func(values []float64) (float64, error)
	calls           int
}

func (f *function) Combine(_ context.Context, calls []laws.Group) ([]laws.Outcome, error) {
	return f.do(calls, f.combine)
}

func (f *function) Reduce(_ context.Context, calls []laws.Group) ([]laws.Outcome, error) {
	return f.do(calls, f.reduce)
}

func (f *function) Fresh() {}

func (f *function) do(calls []laws.Group, fn func([]float64) (float64, error)) ([]laws.Outcome, error) {
	var out []laws.Outcome
	for _, c := range calls {
		f.calls++
		var values []float64
		for _, v := range c.Values {
			x, err := strconv.ParseFloat(v, 64)
			if err != nil {
				return nil, err
			}
			values = append(values, x)
		}
		got, err := fn(values)
		if err != nil {
			out = append(out, laws.Outcome{Err: err})
			continue
		}
		out = append(out, laws.Outcome{Pairs: []laws.Pair{{Key: c.Key, Value: strconv.FormatFloat(got, 'f', -1, 64)}}})
	}
	return out, nil
}

func sum(values []float64) (float64, error) {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total, nil
}

func most(values []float64) (float64, error) { return slices.Max(values), nil }

func mean(values []float64) (float64, error) {
	total, _ := sum(values)
	return total / float64(len(values)), nil
}

func last(values []float64) (float64, error) { return values[len(values)-1], nil }

func count(values []float64) (float64, error) { return float64(len(values)), nil }

func chance([]float64) (float64, error) { return rand.Float64(), nil }

// both is code that is its own combine.
func both(fn func([]float64) (float64, error)) *function {
	return &function{combine: fn, reduce: fn}
}

var all = []string{laws.Deterministic, laws.Commutative, laws.Associative}

func check(t testing.TB, code *function, seed uint64, combine bool, groups ...laws.Group) *laws.Report {
	t.Helper()
	rep, err := laws.Check(context.Background(), code, groups, laws.Options{Laws: all, Combine: combine, Seed: seed, Tolerance: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Calls != code.calls {
		t.Errorf("%d calls were made, the report says %d", code.calls, rep.Calls)
	}
	return rep
}

// names are the laws that a report finds broken.
func names(rep *laws.Report) []string {
	out := []string{}
	for _, v := range rep.Violations {
		out = append(out, v.Law)
	}
	return out
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name    string
		code    *function
		combine bool
		values  []string
		broken  []string
	}{
		{"sum", both(sum), true, []string{"1", "2", "3"}, []string{}},
		{"sum of floats", both(sum), true, []string{"0.1", "0.2", "0.3", "1e17", "0.7"}, []string{}},
		{"most", both(most), true, []string{"3", "1", "2"}, []string{}},
		{"mean without combine", both(mean), false, []string{"1", "2"}, []string{}},
		{"mean", both(mean), true, []string{"1", "2", "4"}, []string{laws.Associative}},
		{"mean, with one value of the test's own", both(mean), true, []string{"1"}, []string{laws.Associative}},
		{"count of sums", &function{combine: sum, reduce: count}, true, []string{"1", "2"}, []string{laws.Associative}},
		{"last", both(last), false, []string{"1", "2"}, []string{laws.Commutative}},
		{"last is associative", both(last), true, []string{"1", "2"}, []string{laws.Commutative}},
		{"chance", both(chance), true, []string{"1", "2"}, []string{laws.Deterministic}},
	}
	for _, tt := range tests {
		rep := check(t, tt.code, 1, tt.combine, laws.Group{Key: `"k"`, Values: tt.values})
		if diff := cmp.Diff(tt.broken, names(rep)); diff != "" {
			t.Errorf("%s: broken laws (-want +got):\n%s", tt.name, diff)
		}
	}
}

// The counterexample for the mean is the smallest that there is, whatever the values and the seed.
func TestMeanIsShrunken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.IntRange(0, 1000), 1, 20).Draw(t, "values")
		g := laws.Group{Key: `"k"`}
		for _, v := range values {
			g.Values = append(g.Values, strconv.Itoa(v))
		}
		rep, err := laws.Check(context.Background(), both(mean), []laws.Group{g}, laws.Options{
			Laws: all, Combine: true, Seed: rapid.Uint64().Draw(t, "seed"), Tolerance: 1e-9})
		if err != nil || len(rep.Violations) != 1 {
			t.Fatalf("%v, %v", rep, err)
		}
		got := slices.Sorted(slices.Values(rep.Violations[0].Values))
		if want := []string{"0", "0", "1"}; !slices.Equal(got, want) {
			t.Errorf("shrunken to %v, want some order of %v", got, want)
		}
	})
}

// threshold fails to be order-independent from a number of values and a size of one of them on.
func threshold(n int, size float64) *function {
	fn := func(values []float64) (float64, error) {
		if len(values) >= n && slices.Max(values) >= size {
			return values[0], nil
		}
		return 0, nil
	}
	return both(fn)
}

// Whatever the code, a counterexample breaks the law when it is evaluated again, and neither with a value less nor with a
// smaller one: shrinking ends at a minimum.
func TestShrunkenIsMinimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "n")
		size := rapid.IntRange(1, 50).Draw(t, "size")
		values := rapid.SliceOfN(rapid.IntRange(size, 1000), n+1, 12).Draw(t, "values")
		slices.Sort(values)
		if values[0] == values[len(values)-1] {
			t.Skip("all equal")
		}
		g := laws.Group{Key: `"k"`}
		for _, v := range values {
			g.Values = append(g.Values, strconv.Itoa(v))
		}
		code := threshold(n, float64(size))
		rep, err := laws.Check(context.Background(), code, []laws.Group{g}, laws.Options{
			Laws: []string{laws.Commutative}, Seed: rapid.Uint64().Draw(t, "seed")})
		if err != nil || len(rep.Violations) != 1 {
			t.Fatalf("%v, %v", rep, err)
		}
		v := rep.Violations[0]
		if len(v.Values) != n {
			t.Errorf("%d values, want %d: %v", len(v.Values), n, v.Values)
		}
		total := 0.0
		for _, text := range v.Values {
			x, _ := strconv.ParseFloat(text, 64)
			total += x
		}
		if total != float64(size) {
			t.Errorf("the values %v add up to %g, and %d would do", v.Values, total, size)
		}
		if jsonvalue.EqualText(v.First.Outcome.Pairs[0].Value, v.Second.Outcome.Pairs[0].Value, 0) {
			t.Errorf("%s and %s have the same result", v.First.Expression, v.Second.Expression)
		}
	})
}

// Equal seeds give equal checks.
func TestSeed(t *testing.T) {
	g := laws.Group{Key: `"k"`, Values: []string{"5", "8", "13"}}
	a, b := check(t, both(mean), 7, true, g), check(t, both(mean), 7, true, g)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("two checks with one seed:\n%s", diff)
	}
}

// Values that the code fails on as they are say nothing; a way that fails where the values as they are do not breaks the law.
func TestFailures(t *testing.T) {
	small := func(values []float64) (float64, error) {
		if slices.Max(values) > 20 {
			return 0, errors.New("too large")
		}
		return sum(values)
	}
	if rep := check(t, &function{combine: sum, reduce: small}, 1, false, laws.Group{Key: `"k"`, Values: []string{"30", "1"}}); len(rep.Violations) > 0 {
		t.Errorf("violations %v", rep.Violations)
	}
	rep := check(t, &function{combine: sum, reduce: small}, 1, true, laws.Group{Key: `"k"`, Values: []string{"19", "15", "3"}})
	if diff := cmp.Diff([]string{laws.Associative}, names(rep)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	v := rep.Violations[0]
	if v.Second.Outcome.Err == nil || len(v.Values) != 2 || !strings.HasPrefix(v.Second.Expression, `reduce("k", [combine("k", [`) {
		t.Errorf("violation %+v", v)
	}
}

// Differences by rounding are known as such.
func TestRounding(t *testing.T) {
	rep, err := laws.Check(context.Background(), both(sum), []laws.Group{{Key: `"k"`, Values: []string{"0.1", "0.2", "0.3"}}},
		laws.Options{Laws: all, Combine: true, Seed: 1})
	if err != nil || len(rep.Violations) == 0 {
		t.Fatalf("%v, %v", rep, err)
	}
	if !rep.Violations[0].Rounding() {
		t.Errorf("%+v", rep.Violations[0])
	}
	if rep = check(t, both(mean), 1, true, laws.Group{Key: `"k"`, Values: []string{"1", "2"}}); rep.Violations[0].Rounding() {
		t.Errorf("%+v", rep.Violations[0])
	}
}

func Example() {
	code := both(mean)
	rep, err := laws.Check(context.Background(), code, []laws.Group{{Key: `"k"`, Values: []string{"12", "7", "31", "4"}}},
		laws.Options{Laws: all, Combine: true, Seed: 1})
	if err != nil {
		panic(err)
	}
	for _, v := range rep.Violations {
		fmt.Println(v.First.Expression, "=", v.First.Outcome.Pairs[0].Value)
		fmt.Println(v.Second.Expression, "=", v.Second.Outcome.Pairs[0].Value)
	}
	// Output:
	// reduce("k", [0, 0, 1]) = 0.3333333333333333
	// reduce("k", [combine("k", [0, 0]), 1]) = 0.5
}
