package scope_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/taskcluster/scope"
)

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		held, required string
		want           bool
	}{
		{"a:b", "a:b", true},
		{"a:b", "a:bc", false},
		{"a:*", "a:b", true},
		{"a:*", "a:", true},
		{"a:*", "a", false},
		{"*", "anything", true},
		{"a:*", "a:*", true},
		{"a:b*", "a:*", false}, // a required star is all that it stands for
		{"a:*", "a:b*", true},
		{"a*b", "axb", false}, // a star inside means itself
		{"a*b", "a*b", true},
		{"", "a", false},
	} {
		if got := scope.Match(tt.held, tt.required); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.held, tt.required, got)
		}
	}
}

func TestMissing(t *testing.T) {
	held := []string{"queue:scheduler-id:taf", "queue:create-task:highest:proj/*"}
	got := scope.Missing(held, "queue:route:b", "queue:scheduler-id:taf", "queue:create-task:highest:proj/ci", "secrets:get:x", "queue:route:b", "queue:route:*")
	if diff := cmp.Diff([]string{"queue:route:*", "secrets:get:x"}, got); diff != "" {
		t.Error(diff)
	}
	if got := scope.Missing(held, held...); got != nil {
		t.Errorf("missing of itself: %v", got)
	}
}

func TestValid(t *testing.T) {
	for s, want := range map[string]bool{"a:b c~": true, "a:*": true, "a:**": false, "ä": false, "a\n": false, "": true} {
		if scope.Valid(s) != want {
			t.Errorf("Valid(%q) = %v", s, !want)
		}
	}
}

// few draws scopes that are often related.
func few() *rapid.Generator[string] { return rapid.StringMatching(`[ab]{0,3}\*?`) }

func TestNormalizeKeepsTheMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scopes := rapid.SliceOfN(few(), 0, 6).Draw(t, "scopes")
		normal := scope.Normalize(scopes)
		for _, s := range scopes {
			if !scope.Satisfied(normal, s) {
				t.Fatalf("%q is lost in %q", s, normal)
			}
		}
		for _, s := range normal {
			if !scope.Satisfied(scopes, s) {
				t.Fatalf("%q came from nowhere", s)
			}
		}
		if diff := cmp.Diff(normal, scope.Normalize(normal)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func expressions() *rapid.Generator[scope.Expression] {
	leaf := rapid.Custom(func(t *rapid.T) scope.Expression { return scope.Expression{Scope: "s" + few().Draw(t, "scope")} })
	level := leaf
	for range 2 {
		below := level
		level = rapid.Custom(func(t *rapid.T) scope.Expression {
			list := rapid.SliceOfN(below, 1, 3).Draw(t, "list")
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				return scope.Expression{AllOf: list}
			case 1:
				return scope.Expression{AnyOf: list}
			}
			return list[0]
		})
	}
	return level
}

// Who gets what is missing has enough, and who has enough misses nothing.
func TestMissingOfExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := expressions().Draw(t, "expression")
		held := rapid.SliceOfN(rapid.Map(few(), func(s string) string { return "s" + s }), 0, 3).Draw(t, "held")
		missing := e.Missing(held)
		if e.SatisfiedBy(held) != missing.IsZero() {
			t.Fatalf("satisfied %v, missing %v", e.SatisfiedBy(held), missing)
		}
		if all := append(held, missing.Scopes()...); !e.SatisfiedBy(all) {
			t.Fatalf("%v is not enough for %v", all, e)
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back scope.Expression
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, back); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestExpressionText(t *testing.T) {
	for text, want := range map[string]string{
		`"a"`:                   "a",
		`{"AllOf": ["a", "b"]}`: "a and b",
		`{"AnyOf": ["a", "b"]}`: "a or b",
		`{"AllOf": ["a", {"AnyOf": ["b", {"AllOf": ["c", "d"]}]}, {"AnyOf": ["e"]}]}`: "a and (b or (c and d)) and e",
		`{"AllOf": []}`: "",
	} {
		var e scope.Expression
		if err := json.Unmarshal([]byte(text), &e); err != nil || e.String() != want {
			t.Errorf("%s: %q, %v", text, e, err)
		}
	}
	if e := (scope.Expression{AllOf: []scope.Expression{scope.Any("a", "b"), scope.All("c")}}); e.String() != "(a or b) and c" || !e.Valid() || scope.Any("\n").Valid() {
		t.Error(e)
	}
	for _, text := range []string{`{}`, `1`, `{"AllOf": ["a"], "AnyOf": ["b"]}`, `{"Some": []}`, `null`} {
		var e scope.Expression
		if err := json.Unmarshal([]byte(text), &e); err == nil && text != "null" {
			t.Errorf("%s is no expression, but was read as %v", text, e)
		}
	}
}
