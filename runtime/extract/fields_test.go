package extract_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/extract"
)

func take(t testing.TB, record string, paths ...string) (string, error) {
	t.Helper()
	f, err := extract.ParseFields(paths)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Append(nil, []byte(record))
	return string(out), err
}

func TestFields(t *testing.T) {
	tests := []struct {
		record string
		paths  string
		want   string
	}{
		{`{"a":1,"b":2}`, "a", `{"a":1}`},
		{`{"a":1,"b":2}`, "b a", `{"b":2,"a":1}`},
		{`{"a":1}`, "b", `{}`},
		{` { "a" : { "b" : 1.50E+2 , "c" : [ 1 , 2 ] } } `, "a.b a.c", `{"a":{"b":1.50E+2,"c":[ 1 , 2 ]}}`},
		{`{"a":null}`, "a", `{"a":null}`},
		{`{"a":null}`, "a.b", `{}`},
		{`{"a":"text","b":1}`, "a.b b", `{"b":1}`},
		{`{"a":1,"a":2}`, "a", `{"a":2}`},
		{`{"a":{"b":1},"a":{"c":2}}`, "a.b", `{}`},
		{`{"a":{"b":1},"a":3}`, "a", `{"a":3}`},
		{`{"\u0061":"\u0041"}`, "a", `{"a":"\u0041"}`},
		{`{"a":{"b":1,"c":2}}`, "a a.b", `{"a":{"b":1,"c":2}}`},
		{`{"a":[{"c":0},{"c":1},{"c":2}]}`, "a[1].c", `{"a":[null,{"c":1}]}`},
		{`{"a":[1,2,3]}`, "a[2] a[0]", `{"a":[1,null,3]}`},
		{`{"a":[1,2]}`, "a[2]", `{}`},
		{`{"a":[1,2]}`, "a[0] a[5]", `{"a":[1]}`},
		{`{"a":[[1,2],[3,4]]}`, "a[1][0]", `{"a":[null,[3]]}`},
		{`{"a":{"0":1}}`, "a[0]", `{}`},
		{`[1,2]`, "a", `{}`},
		{`7`, "a", `{}`},
		{`{"é\"x":{"":1,"y":2}}`, "é\"x.y", `{"é\"x":{"y":2}}`},
		{`{"n":123456789012345678901234567890}`, "n", `{"n":123456789012345678901234567890}`},
	}
	for _, tt := range tests {
		got, err := take(t, tt.record, strings.Fields(tt.paths)...)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s of %s: %v (-want +got):\n%s", tt.paths, tt.record, err, diff)
		}
	}
}

func TestFieldsOfNoJSON(t *testing.T) {
	for _, record := range []string{"", "{", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `{"a":01}`, `{"a":+1}`, `{"a":NaN}`, `{"a":1} x`, "{\"a\":\"\n\"}", `{"a":"\x"}`, `{"a":"\u12g4"}`, `[1,]`, `tru`, `"`,
		strings.Repeat("[", 10001) + strings.Repeat("]", 10001)} {
		if out, err := take(t, record, "a"); err == nil || out != "" {
			t.Errorf("%.40q: %q, %v", record, out, err)
		}
	}
}

// lookup is what a path of names means, by encoding/json.
func lookup(v any, path []string) (any, bool) {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

func FuzzFields(f *testing.F) {
	f.Add(`{"a":{"b":[1,{"c":null}]},"x":"\u0061","a":{"b":2}}`)
	f.Add(`[1e5,-0.0,"\ud83d\ude00"]`)
	f.Add(`{"a":{"b":1},"b":{"a":2},"":3}`)
	f.Fuzz(func(t *testing.T, record string) {
		paths := []string{"a.b", "b", "x.a"}
		out, err := take(t, record, paths...)
		if (err == nil) != json.Valid([]byte(record)) {
			t.Fatalf("%q: %v, but encoding/json says %v", record, err, json.Valid([]byte(record)))
		}
		if err != nil || !utf8.ValidString(record) {
			return
		}
		var whole, part any
		if json.Unmarshal([]byte(out), &part) != nil {
			t.Fatalf("%q gives %q", record, out)
		}
		if json.Unmarshal([]byte(record), &whole) != nil {
			return // such as a number out of range
		}
		for _, p := range paths {
			want, wantOK := lookup(whole, strings.Split(p, "."))
			got, ok := lookup(part, strings.Split(p, "."))
			if diff := cmp.Diff(want, got); diff != "" || ok != wantOK {
				t.Fatalf("%s of %q gives %q: %s", p, record, out, diff)
			}
		}
	})
}
