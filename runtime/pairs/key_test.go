package pairs_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/runtime/pairs"
)

func encode(t interface{ Fatalf(string, ...any) }, s string) []byte {
	key, err := pairs.AppendKey(nil, []byte(s))
	if err != nil {
		t.Fatalf("AppendKey(%s): %v", s, err)
	}
	return key
}

// Every line is greater than the one before; what stands in one line is equal.
var ordered = [][]string{
	{"null"}, {"false"}, {"true"},
	{"-1e400"}, {"-100000000000000000000000001"}, {"-100000000000000000000000000", "-1e26"}, {"-12"}, {"-1.5"}, {"-1", "-1.0", "-10e-1"}, {"-0.99"}, {"-1e-300"},
	{"0", "-0", "0.000", "-0e7", "0E+3"},
	{"1e-400"}, {"0.001", "1e-3", "1E-03"}, {"0.01"}, {"0.1"}, {"0.11"}, {"0.2"}, {"1", "1.0", "1e0", "100e-2"}, {"2"}, {"9"}, {"10", "1e1"}, {"11"}, {"99.5"}, {"100"},
	{"9007199254740992"}, {"9007199254740993"}, {"1e300"}, {"1e400"},
	{`""`}, {`"\u0000"`}, {`"\u0000a"`}, {`"\u0001"`}, {`"1"`}, {`"A"`, `"\u0041"`}, {`"a"`}, {`"a\u0000"`}, {`"a\u0000b"`}, {`"ab"`}, {`"é"`, `"\u00e9"`}, {`"\ud800"`}, {`"😀"`, `"\ud83d\ude00"`},
	{"[]"}, {"[null]"}, {"[1]", " [ 1.0 ] "}, {"[1,null]"}, {`[1,"a"]`}, {"[2]"}, {`["a"]`}, {`["a","b"]`}, {`["ab"]`}, {"[[]]"}, {"[[1]]"}, {"[{}]"},
	{"{}"}, {`{"a":1}`, `{"a":2,"a":1}`}, {`{"a":1,"b":2}`, `{"b":2,"a":1}`}, {`{"a":2}`}, {`{"b":null}`},
}

func TestKeyOrder(t *testing.T) {
	var last []byte
	for _, same := range ordered {
		first := encode(t, same[0])
		if bytes.Compare(last, first) >= 0 {
			t.Errorf("%s is not greater than what stands before it", same[0])
		}
		for _, s := range same[1:] {
			if !bytes.Equal(first, encode(t, s)) {
				t.Errorf("%s and %s are different keys", same[0], s)
			}
		}
		last = first
	}
}

func TestKeyText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"1.0", "1"}, {"-0", "0"}, {"1e3", "1000"}, {"123456789012345678901234567890", "123456789012345678901234567890"}, {"1e30", "1" + strings.Repeat("0", 30)},
		{"0.5", "0.5"}, {"12.50", "12.5"}, {"0.000001", "0.000001"}, {"1e-7", "1e-7"}, {"1.25E-10", "1.25e-10"}, {"-2.5e500", "-2.5e500"},
		{`"\u0041\/\n\u0001\""`, `"A/\n\u0001\""`}, {`"\ud800x"`, `"\ud800x"`}, {`"\ud83d\ude00"`, `"😀"`}, {"\"\xff\"", "\"\xff\""},
		{` { "b" : [ 1 , true ] , "a" : null } `, `{"a":null,"b":[1,true]}`},
	}
	for _, tt := range tests {
		got, err := pairs.AppendJSON(nil, encode(t, tt.in))
		if diff := cmp.Diff(tt.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.in, err, diff)
		}
	}
}

func TestKeyErrors(t *testing.T) {
	for _, s := range []string{"", " ", "nul", "NaN", "Infinity", "01", "1.", ".5", "-", "1e", "1e99999999999999999999", `"`, `"\x"`, `"\u12"`, "\"\n\"",
		"[", "[1", "[1,", "[1,]", "{", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{1:2}`, "1 2", strings.Repeat("[", 600) + strings.Repeat("]", 600)} {
		if _, err := pairs.AppendKey(nil, []byte(s)); err == nil {
			t.Errorf("AppendKey(%q) succeeds", s)
		}
	}
}

func genJSON(depth int) *rapid.Generator[string] {
	scalars := []*rapid.Generator[string]{
		rapid.SampledFrom([]string{"null", "true", "false", "0", "-0.0", "1e3", "1000", `""`}),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,12})?([eE][-+]?[0-9]{1,3})?`),
		rapid.Custom(func(t *rapid.T) string { b, _ := json.Marshal(rapid.String().Draw(t, "s")); return string(b) }),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	return rapid.OneOf(append(scalars,
		rapid.Custom(func(t *rapid.T) string {
			return "[" + strings.Join(rapid.SliceOfN(genJSON(depth-1), 0, 3).Draw(t, "a"), ",") + "]"
		}),
		rapid.Custom(func(t *rapid.T) string {
			var members []string
			for _, v := range rapid.SliceOfN(genJSON(depth-1), 0, 3).Draw(t, "o") {
				name, _ := json.Marshal(rapid.SampledFrom([]string{"", "a", "b", "a\x00"}).Draw(t, "n"))
				members = append(members, string(name)+":"+v)
			}
			return "{" + strings.Join(members, ",") + "}"
		}))...)
}

// compareValues compares by the definition of the order, not by the encoding.
func compareValues(a, b any) int {
	rank := func(v any) int {
		switch v := v.(type) {
		case nil:
			return 0
		case bool:
			if v {
				return 2
			}
			return 1
		case json.Number:
			return 3
		case string:
			return 4
		case []any:
			return 5
		}
		return 6
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	switch a := a.(type) {
	case json.Number:
		x, _ := new(big.Rat).SetString(string(a))
		y, _ := new(big.Rat).SetString(string(b.(json.Number)))
		return x.Cmp(y)
	case string:
		return strings.Compare(a, b.(string))
	case []any:
		return slices.CompareFunc(a, b.([]any), compareValues)
	case map[string]any:
		flat := func(m map[string]any) (l []any) {
			var names []string
			for n := range m {
				names = append(names, n)
			}
			slices.Sort(names)
			for _, n := range names {
				l = append(l, n, m[n])
			}
			return l
		}
		return slices.CompareFunc(flat(a), flat(b.(map[string]any)), compareValues)
	}
	return 0
}

func parse(s string) (v any) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	_ = d.Decode(&v)
	return v
}

func TestKeyOrderIsValueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genJSON(2).Draw(t, "a"), genJSON(2).Draw(t, "b")
		got, want := bytes.Compare(encode(t, a), encode(t, b)), compareValues(parse(a), parse(b))
		if got != max(-1, min(1, want)) {
			t.Fatalf("%s against %s: %d, want %d", a, b, got, want)
		}
	})
}

func TestKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := genJSON(3).Draw(t, "a")
		key := encode(t, a)
		text, err := pairs.AppendJSON(nil, key)
		if err != nil || !json.Valid(text) {
			t.Fatalf("%s: text %s, %v", a, text, err)
		}
		if compareValues(parse(a), parse(string(text))) != 0 || !bytes.Equal(key, encode(t, string(text))) {
			t.Fatalf("%s came back as %s", a, text)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, same := range ordered {
		for _, s := range same {
			f.Add([]byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		key, err := pairs.AppendKey(nil, in)
		if _, bad := pairs.AppendJSON(nil, in); bad == nil && len(in) > 0 && in[0] > 7 {
			t.Error("decoded what has no tag")
		}
		if err != nil {
			if json.Valid(in) && !strings.Contains(err.Error(), "exponent") && !strings.Contains(err.Error(), "nested") {
				t.Errorf("%q is JSON: %v", in, err)
			}
			return
		}
		if utf8.Valid(in) && !json.Valid(in) {
			t.Errorf("%q is not JSON", in)
		}
		text, err := pairs.AppendJSON(nil, key)
		if err != nil {
			t.Fatal(err)
		}
		again, err := pairs.AppendKey(nil, text)
		if err != nil || !bytes.Equal(key, again) {
			t.Errorf("%q came back as %q: %v", in, text, err)
		}
	})
}
