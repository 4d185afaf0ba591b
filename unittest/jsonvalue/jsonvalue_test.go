package jsonvalue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/unittest/jsonvalue"
)

func TestEqualText(t *testing.T) {
	tests := []struct {
		a, b      string
		tolerance float64
		want      bool
	}{
		{"1", "1.0", 0, true}, {"1", "1e0", 0, true}, {"-0", "0", 0, true}, {"100000000000000000001", "100000000000000000002", 1e-9, false},
		{"0.1", "0.10000000000000001", 0, true}, {"0.3", "0.30000000000000004", 0, false}, {"0.3", "0.30000000000000004", 1e-9, true},
		{"1", "0.9999999999999999", 1e-9, true}, {"1e400", "1e400", 0, true}, {"1e400", "1e401", 0, false}, {"1", `"1"`, 0, false},
		{`{"a":1,"b":[true,null]}`, `{"b":[true,null],"a":1.0}`, 0, true}, {"[1,2]", "[2,1]", 0, false}, {"[1]", "[1,1]", 0, false},
		{"null", "false", 0, false}, {"{}", "[]", 0, false}, {`"\u0061"`, `"a"`, 0, true}, {"", "", 0, true}, {"", "null", 0, false}, {"{", "{", 0, true}, {"{", "}", 0, false},
	}
	for _, tt := range tests {
		if got := jsonvalue.EqualText(tt.a, tt.b, tt.tolerance); got != tt.want {
			t.Errorf("EqualText(%s, %s, %g) = %t", tt.a, tt.b, tt.tolerance, got)
		}
		if got := jsonvalue.EqualText(tt.b, tt.a, tt.tolerance); got != tt.want {
			t.Errorf("EqualText(%s, %s, %g) = %t", tt.b, tt.a, tt.tolerance, got)
		}
	}
}

func TestDifferences(t *testing.T) {
	got := jsonvalue.Differences(`{"a":1,"b":[1,{"c":2}],"d":0}`, `{"a":1.0,"b":[1,{"c":3}],"e":"x"}`, 0)
	want := []jsonvalue.Difference{{".b[1].c", "2", "3"}, {".d", "0", ""}, {".e", "", `"x"`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := jsonvalue.Differences("[1]", "[1,2]", 0); len(got) != 1 || got[0].Path != "" {
		t.Errorf("lists of two lengths: %v", got)
	}
}
