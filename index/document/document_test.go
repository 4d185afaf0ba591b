package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/document"
)

// TestNotices shows each notice with its place: the text of the source that it is about.
func TestNotices(t *testing.T) {
	reason := func(values string) string {
		return `{"version":1,"dimensions":[{"field_name":"reason","allowed_values":` + values + `}]}`
	}
	for _, test := range []struct {
		src  string
		want []string // severity code line:column source text
	}{
		{``, []string{`error filter/syntax 1:1 `}},
		{"{\"version\": 1,\n  \"dimensions\": [}\n", []string{`error filter/syntax 2:18 }`}},
		{`{"version":1,"dimensions":[]} x`, []string{`error filter/syntax 1:31 x`}},
		{`{"dimensions":[`, []string{`error filter/syntax 1:16 `}},
		{"{\"a\xff\":1}", []string{"error filter/syntax 1:4 \xff"}},
		{"\ufeff{}", []string{"error filter/syntax 1:1 \xef"}},
		{`[]`, []string{`error filter/shape 1:1 []`}},
		{`{}`, []string{`error filter/missing-dimensions 1:1 {}`}},
		{`{"dimensions":{}}`, []string{`error filter/shape 1:15 {}`}},
		{`{"dimensions":[]}`, []string{`warning filter/no-conditions 1:15 []`}},
		{`{"version":"1","dimensions":[7]}`, []string{`warning filter/version 1:12 "1"`, `error filter/shape 1:30 7`}},
		{`{"dimensions":[{}]}`, []string{`error filter/missing-field-name 1:16 {}`, `error filter/missing-values 1:16 {}`}},
		{`{"dimensions":[{"field_name":3,"allowed_value":"*"}]}`, []string{
			`error filter/missing-values 1:16 {"field_name":3,"allowed_value":"*"}`, `error filter/shape 1:30 3`, `warning filter/ignored-key 1:32 "allowed_value"`}},
		{"{\"dimensions\":[\n {\"field_name\":\"reason\",\"allowed_values\":\"*\"},\n {\"field_name\":\"reason\",\"allowed_values\":\"*\"}]}", []string{
			`error filter/duplicate-dimension 3:16 "reason"`}},
		{`{"dimensions":[{"field_name":"appBuildId","allowed_values":"*"}]}`, []string{`error filter/unknown-dimension 1:30 "appBuildId"`}},
		{`{"dimensions":[{"field_name":"appName","allowed_values":"*"}]}`, []string{`warning filter/order 1:30 "appName"`}},
		{`{"dimensions":[],"dimensions":[]}`, []string{`warning filter/no-conditions 1:15 []`, `error filter/duplicate-key 1:18 "dimensions"`}},
		{reason(`[]`), []string{`error filter/empty-list 1:68 []`}},
		{reason(`["a", "*"]`), []string{`error filter/star-in-list 1:74 "*"`}},
		{reason(`["a", 1, null, ["b"]]`), []string{`error filter/list-element 1:74 1`, `error filter/list-element 1:77 null`, `error filter/list-element 1:83 ["b"]`}},
		{reason(`["é", "sav?d"]`), []string{`warning filter/glob-literal 1:74 "sav?d"`}},
		{reason(`null`), []string{`error filter/null-value 1:68 null`}},
		{reason(`true`), []string{`error filter/boolean-value 1:68 true`}},
		{reason(`1.50`), []string{`error filter/number-value 1:68 1.50`}},
		{reason(`{}`), []string{`error filter/empty-range 1:68 {}`}},
		{reason(`{"min":""}`), []string{`error filter/empty-range 1:68 {"min":""}`}},
		{reason(`{"min":"","max":"x"}`), []string{`warning filter/empty-bound 1:75 ""`}},
		{reason(`{"minimum":"a","max":"x"}`), []string{`error filter/unknown-range-key 1:69 "minimum"`}},
		{reason(`{"min":1}`), []string{`error filter/numeric-bound 1:75 1`}},
		{reason(`{"max":null}`), []string{`error filter/bound 1:75 null`}},
		{reason(`{"min":"b","max":"a"}`), []string{`error filter/inverted-range 1:68 {"min":"b","max":"a"}`}},
		{reason(`{"min":"a","min":"b"}`), []string{`error filter/duplicate-key 1:79 "min"`}},
		{reason(`{"min":"a-b"}`), []string{`warning filter/bound-sanitised 1:75 "a-b"`}},
		{reason(`"a-b"`), []string{`warning filter/scalar-sanitised 1:68 "a-b"`}},
		{reason(`"saved*"`), []string{`warning filter/glob-literal 1:68 "saved*"`}},
		{reason(`"other"`), []string{`warning filter/other-spelling 1:68 "other"`}},
	} {
		t.Run(test.src, func(t *testing.T) {
			filter, notices := document.Parse("Filter.json", []byte(test.src), ancestorDimensions)
			var got []string
			failed := false
			for _, n := range notices {
				severity := "error"
				if n.Warning {
					severity = "warning"
				}
				failed = failed || !n.Warning
				got = append(got, fmt.Sprintf("%s %s %d:%d %s", severity, n.Code, n.Line, n.Column, test.src[n.Byte:n.EndByte]))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			if failed != (filter == nil) {
				t.Errorf("filter %v although there are errors: %t", filter, failed)
			}
		})
	}
}

func TestColumnsCountGraphemes(t *testing.T) {
	src := "{\"dimensions\":[{\"field_name\":\"e\u0301👩‍👩‍👧\",\"allowed_values\":\n[]}]}"
	_, notices := document.Parse("Filter.json", []byte(src), []string{"reason"})
	if len(notices) != 2 {
		t.Fatalf("notices %+v", notices)
	}
	name, list := notices[0], notices[1]
	if name.Line != 1 || name.Column != 30 || name.EndColumn != 34 {
		t.Errorf("the name is at %d:%d to column %d, want 1:30 to 34", name.Line, name.Column, name.EndColumn)
	}
	if list.Line != 2 || list.Column != 1 || list.EndLine != 2 || list.EndColumn != 3 {
		t.Errorf("the list is at %d:%d to %d:%d, want 2:1 to 2:3", list.Line, list.Column, list.EndLine, list.EndColumn)
	}
}

func TestSuggestions(t *testing.T) {
	for src, want := range map[string]string{
		`{"dimensions":[{"field_name":"appBuildId","allowed_values":"*"}]}`:         `Did you mean "appBuildID"?`,
		`{"dimensions":[{"field_name":"reason","allowed_values":{"minimum":"a"}}]}`: `Did you mean "min"?`,
		`{"dimensions":[{"field_name":"reason","allowed_values":{"maximun":"a"}}]}`: `Did you mean "max"?`,
		`{"dimensions":[{"field_name":"reason","allowed_value":"*"}]}`:              `Did you mean "allowed_values"?`,
		`{"filter":{"dimensions":[]}}`:                                              `what its key "filter" holds`,
	} {
		_, notices := document.Parse("Filter.json", []byte(src), ancestorDimensions)
		var details []string
		for _, n := range notices {
			details = append(details, n.Detail)
		}
		if !strings.Contains(strings.Join(details, "\n"), want) {
			t.Errorf("%s: details %q, want %q in there", src, details, want)
		}
	}
}

func TestParseTerms(t *testing.T) {
	src := `{"version":1,"dimensions":[
		{"field_name":"reason","allowed_values":["saved-session","idle-daily"]},
		{"field_name":"appName","allowed_values":"Firefox"},
		{"field_name":"appUpdateChannel","allowed_values":"*"},
		{"field_name":"appVersion","allowed_values":{"max":"29"}},
		{"field_name":"appBuildID","allowed_values":{"min":"20140228"}},
		{"field_name":"submission_date","allowed_values":{"min":"20140308","max":"20140309"}}]}`
	filter, notices := document.Parse("Filter.json", []byte(src), nil)
	want := &index.Filter{AsService: true, Where: []index.Term{
		{Dimension: "reason", Op: index.OpOneOf, Values: []string{"saved-session", "idle-daily"}},
		{Dimension: "appName", Op: index.OpOneOf, Values: []string{"Firefox"}},
		{Dimension: "appUpdateChannel", Op: index.OpAny},
		{Dimension: "appVersion", Op: index.OpAtMost, Values: []string{"29"}},
		{Dimension: "appBuildID", Op: index.OpAtLeast, Values: []string{"20140228"}},
		{Dimension: "submission_date", Op: index.OpBetween, Values: []string{"20140308", "20140309"}},
	}}
	if diff := cmp.Diff(want, &filter.Filter); diff != "" || len(notices) > 0 {
		t.Errorf("notices %v, filter (-want +got):\n%s", notices, diff)
	}
	var places []string
	for _, p := range filter.Places {
		places = append(places, src[p.Byte:p.EndByte])
		for _, v := range p.Values {
			places = append(places, src[v.Byte:v.EndByte])
		}
	}
	wantPlaces := []string{
		`["saved-session","idle-daily"]`, `"saved-session"`, `"idle-daily"`, `"Firefox"`, `"Firefox"`, `"*"`,
		`{"max":"29"}`, `"29"`, `{"min":"20140228"}`, `"20140228"`, `{"min":"20140308","max":"20140309"}`, `"20140308"`, `"20140309"`,
	}
	if diff := cmp.Diff(wantPlaces, places); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(filterJSON(`["saved-session"]`, ".", `{"min":"a","max":"b"}`)))
	f.Add([]byte(`{"dimensions":[{"field_name":"reason","allowed_values":{"minimum":20}}, 3]}`))
	f.Add([]byte("{\"version\": \"1\",\n\"dimensions\": [\xff"))
	f.Fuzz(func(t *testing.T, src []byte) {
		filter, notices := document.Parse("f", src, ancestorDimensions)
		failed := false
		for _, n := range notices {
			failed = failed || !n.Warning
			if n.Byte < 0 || n.EndByte < n.Byte || n.EndByte > len(src) || n.Line < 1 || n.Column < 1 {
				t.Errorf("impossible place %+v", n)
			}
		}
		if failed == (filter != nil) {
			t.Errorf("errors %t, filter %v", failed, filter)
		}
		if filter == nil {
			return
		}
		for i, term := range filter.Where {
			if len(filter.Places) != len(filter.Where) || len(filter.Places[i].Values) != len(term.Values) {
				t.Errorf("%v has the places %v", term, filter.Places)
			}
			if err := index.CheckTerm(term); err != nil {
				t.Error(err)
			}
		}
	})
}
