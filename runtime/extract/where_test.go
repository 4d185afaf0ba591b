package extract_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/extract"
	"github.com/tafc/tafc/runtime/job"
)

func condition(field string, op job.Op, values ...string) job.Condition {
	c := job.Condition{Field: field, Op: op}
	for _, v := range values {
		c.Values = append(c.Values, json.RawMessage(v))
	}
	return c
}

func TestWhere(t *testing.T) {
	const record = `{"os":"Linux","n":12.50,"big":12345678901234567890,"none":null,"yes":true,"list":[{"a":"x/y"}],"info":{"v":"29.0"},"\u00e9":"\u00e9"}`
	tests := []struct {
		condition job.Condition
		want      bool
	}{
		{condition("os", job.OpOneOf, `"Linux"`), true},
		{condition("os", job.OpOneOf, `"linux"`), false},
		{condition("os", job.OpOneOf, `"Darwin"`, `"Linux"`), true},
		{condition("os", job.OpOneOf), false},
		{condition("n", job.OpOneOf, `12.5`), true},
		{condition("n", job.OpOneOf, `"12.50"`), false},
		{condition("big", job.OpOneOf, `12345678901234567890`), true},
		{condition("big", job.OpOneOf, `12345678901234567891`), false},
		{condition("none", job.OpOneOf, `null`), true},
		{condition("gone", job.OpOneOf, `null`), false},
		{condition("yes", job.OpOneOf, `true`), true},
		{condition("none", job.OpExists), true},
		{condition("gone", job.OpExists), false},
		{condition("gone", job.OpMissing), true},
		{condition("none", job.OpMissing), false},
		{condition("n", job.OpBetween, `12.5`, `13`), true},
		{condition("n", job.OpBetween, `2`, `3`), false},
		{condition("n", job.OpBetween, `"1"`, `"2"`), false},
		{condition("n", job.OpAtLeast, `12.50`), true},
		{condition("n", job.OpAtMost, `12`), false},
		{condition("os", job.OpAtLeast, `1`), false},
		{condition("info.v", job.OpBetween, `"100.0"`, `"30"`), true},
		{condition("list[0].a", job.OpGlob, `"x*"`), true},
		{condition("list[0].a", job.OpGlob, `"x"`), false},
		{condition("list[0].a", job.OpGlob, `"{x,z}?y"`), true},
		{condition("list[1].a", job.OpGlob, `"*"`), false},
		{condition("n", job.OpGlob, `"*"`), false},
		{condition("list[0].a", job.OpMatches, `"/"`), true},
		{condition("list[0].a", job.OpMatches, `"^/"`), false},
		{condition("é", job.OpOneOf, `"é"`), true},
	}
	for _, tt := range tests {
		w, err := extract.NewWhere([]job.Condition{tt.condition})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.Match([]byte(record)); got != tt.want || err != nil {
			t.Errorf("%s %s %s: %v (%v)", tt.condition.Field, tt.condition.Op, tt.condition.Values, got, err)
		}
	}
}

func TestAllConditionsMustHold(t *testing.T) {
	w, err := extract.NewWhere([]job.Condition{condition("a", job.OpExists), condition("b.c", job.OpOneOf, `1`)})
	if err != nil {
		t.Fatal(err)
	}
	var got []bool
	for _, record := range []string{`{"a":0,"b":{"c":1}}`, `{"b":{"c":1}}`, `{"a":0,"b":{"c":2}}`, `{"a":0,"b":{"c":2},"b":{"c":1.0}}`} {
		ok, err := w.Match([]byte(record))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ok)
	}
	if diff := cmp.Diff([]bool{true, false, false, true}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := w.Match([]byte(`{"a":`)); err == nil {
		t.Error("what is no JSON is not told")
	}
}

func TestConditionsThatMakeNoSense(t *testing.T) {
	for _, c := range []job.Condition{
		condition("a", "is", `1`), condition("a", job.OpBetween, `1`), condition("a", job.OpOneOf, `x`), condition("a..b", job.OpExists),
		condition("a", job.OpGlob, `"["`), condition("a", job.OpMatches, `"("`), condition("a", job.OpGlob, `1`),
	} {
		if _, err := extract.NewWhere([]job.Condition{c}); err == nil {
			t.Errorf("%+v is taken for a condition", c)
		}
	}
}

// FuzzWhere compares with what a full parser makes of the record.
func FuzzWhere(f *testing.F) {
	f.Add(`{"a":{"b":[1,{"c":2}]},"a":{"b":[0,{"c":"\u0041"}]}}`, `"A"`)
	f.Add(`{"a":{"b":[1,{"c":1.0e0}]}}`, `1`)
	f.Add(`{"a":{"b":[1,{"c":null}]}}`, `null`)
	f.Fuzz(func(t *testing.T, record, value string) {
		if !json.Valid([]byte(value)) || !validText(record) || !validText(value) {
			return
		}
		const field = "a.b[1].c"
		for _, op := range []job.Op{job.OpOneOf, job.OpAtLeast, job.OpAtMost} {
			w, err := extract.NewWhere([]job.Condition{condition(field, op, value)})
			if err != nil {
				return // such as a value that nests too deep
			}
			got, err := w.Match([]byte(record))
			if valid := json.Valid([]byte(record)); (err == nil) != valid {
				found := strings.Contains(record, "c") && valid // a value that is too deep to be compared
				if !found {
					t.Fatalf("%q: %v, but encoding/json says %v", record, err, valid)
				}
			}
			if err == nil {
				if want, sure := holds(record, value, op); sure && got != want {
					t.Fatalf("%s of %q %s %q: %v", field, record, op, value, got)
				}
			}
		}
	})
}

// validText tells whether every text in JSON is what it says: encoding/json replaces what is no UTF-8, and halves of surrogate pairs.
func validText(s string) bool {
	return !strings.ContainsRune(s, '\ufffd') && strings.ToValidUTF8(s, "") == s && !strings.Contains(strings.ToLower(s), `\ud`)
}

func holds(record, value string, op job.Op) (want, sure bool) {
	v, ok := lookupPath(parse(record))
	b := parse(value)
	if !ok {
		return false, true
	}
	if n, isNumber := v.(json.Number); isNumber {
		if m, like := b.(json.Number); like {
			x, okX := new(big.Rat).SetString(short(n))
			y, okY := new(big.Rat).SetString(short(m))
			if !okX || !okY {
				return false, false
			}
			return slices.Contains(map[job.Op][]int{job.OpOneOf: {0}, job.OpAtLeast: {0, 1}, job.OpAtMost: {0, -1}}[op], x.Cmp(y)), true
		}
		return false, true
	}
	if s, isText := v.(string); isText {
		c, like := b.(string)
		return like && slices.Contains(map[job.Op][]int{job.OpOneOf: {0}, job.OpAtLeast: {0, 1}, job.OpAtMost: {0, -1}}[op], strings.Compare(s, c)), true
	}
	return cmp.Equal(v, b), op == job.OpOneOf && (v == nil || v == true || v == false)
}

// short is a number unless its exponent would make a fraction of millions of digits.
func short(n json.Number) string {
	if _, e, ok := strings.Cut(strings.ToLower(string(n)), "e"); ok && len(e) > 4 {
		return ""
	}
	return string(n)
}

func parse(text string) (v any) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	_ = d.Decode(&v)
	return v
}

func lookupPath(v any) (any, bool) {
	v, ok := lookup(v, []string{"a", "b"})
	if list, isList := v.([]any); ok && isList && len(list) > 1 {
		return lookup(list[1], []string{"c"})
	}
	return nil, false
}
