package unittest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
)

// TestContents: records become the text of files, in each format, or are refused.
func TestContents(t *testing.T) {
	object := lang.Record{Text: `{"a":1,"b":"x,y"}`, JSON: true}
	tests := []struct {
		format  string
		records []lang.Record
		want    []string // nil: an error
	}{
		{"lines", []lang.Record{{Text: "one"}, object}, []string{"one\n" + object.Text + "\n"}},
		{"jsonl", nil, []string{""}},
		{"telemetry", []lang.Record{{Text: "id\tno JSON"}, object, {ID: "mine", Text: "{}", JSON: true}},
			[]string{"id\tno JSON\n00000000-0000-4000-8000-000000000002\t" + object.Text + "\nmine\t{}\n"}},
		{"whole", []lang.Record{{Text: "a\nb"}, object}, []string{"a\nb", object.Text}},
		{"csv", []lang.Record{object, {Text: `{"a":null,"c":[true]}`, JSON: true}}, []string{"a,b,c\n1,\"x,y\",\n,,[true]\n"}},
		{"tsv", []lang.Record{{Text: "a\tb"}, {Text: "1\t2"}}, []string{"a\tb\n1\t2\n"}},
		{"csv", []lang.Record{{Text: "a,b"}, object}, nil},
		{"lines", []lang.Record{{Text: "a\nb"}}, nil},
		{"jsonl", []lang.Record{{ID: "id", Text: "{}", JSON: true}}, nil},
	}
	for _, tt := range tests {
		got, err := contents(tt.records, tt.format)
		if (err == nil) != (tt.want != nil) {
			t.Errorf("%s %v: %v", tt.format, tt.records, err)
			continue
		}
		var texts []string
		for _, b := range got {
			texts = append(texts, string(b))
		}
		if diff := cmp.Diff(tt.want, texts); diff != "" && err == nil {
			t.Errorf("%s (-want +got):\n%s", tt.format, diff)
		}
	}
}

// show is a difference as "~ "key" …".
func show(ds []Difference) []string {
	text := func(r *Row) string {
		switch {
		case r == nil:
			return ""
		case r.Line != nil:
			return *r.Line
		}
		return string(r.Key) + " " + string(r.Value)
	}
	var out []string
	for _, d := range ds {
		line := d.Change + ": " + text(d.Expected)
		if d.Change == Changed || d.Change == Unexpected {
			line += "|" + text(d.Result)
		}
		out = append(out, line)
	}
	return out
}

func TestCompare(t *testing.T) {
	got := &result{form: job.FormPairs, lines: []string{"a\t1", "a\t2", "b\tx"},
		pairs: []lang.Pair{{Key: `"a"`, Value: "1"}, {Key: `"a"`, Value: "2"}, {Key: `"b"`, Value: `"x"`}}}
	tests := []struct {
		name string
		want lang.Expect
		c    comparison
		diff []string
	}{
		{"alike in any order", lang.Expect{Pairs: []lang.Pair{{Key: `"b"`, Value: `"x"`}, {Key: `"a"`, Value: "2.0"}, {Key: `"a"`, Value: "1"}}}, comparison{},
			[]string{`same: "a" 1`, `same: "a" 2`, `same: "b" "x"`}},
		{"one more, one less, one other", lang.Expect{Pairs: []lang.Pair{{Key: `"a"`, Value: "2"}, {Key: `"a"`, Value: "7"}, {Key: `"0"`, Value: "1"}}}, comparison{},
			[]string{`missing: "0" 1`, `same: "a" 2`, `changed: "a" 7|"a" 1`, `unexpected: |"b" "x"`}},
		{"lines", lang.Expect{Lines: []string{"b\tx", "a\t2", "a\t3"}}, comparison{},
			[]string{"unexpected: |a\t1", "same: a\t2", "missing: a\t3", "same: b\tx"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.diff, show(got.compare(&tt.want, tt.c))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	text := &result{form: job.FormPairs, pairs: []lang.Pair{{Key: `"3"`, Value: `"7"`}}}
	if d := text.compare(&lang.Expect{Pairs: []lang.Pair{{Key: "3", Value: "7"}}}, comparison{texts: true}); show(d)[0] != `same: "3" "7"` {
		t.Errorf("a streaming program: %v", show(d))
	}
	lines := &result{form: job.FormLines, lines: []string{"WINNT 7"}}
	if d := lines.compare(&lang.Expect{Pairs: []lang.Pair{{Key: `"WINNT"`, Value: "7"}}}, comparison{contract: "telemetry-analysis"}); show(d)[0] != "same: WINNT 7" {
		t.Errorf("lines of telemetry-analysis: %v", show(d))
	}
}

// What Paste writes is, read again, the same result.
func TestPaste(t *testing.T) {
	line := "a \"b\" ${c}"
	for _, rows := range [][]Row{
		{},
		{pairRow(lang.Pair{Key: `"a b"`, Value: `{"x-y":[1,null,"${z}"],"e":{}}`}), pairRow(lang.Pair{Key: `"b"`, Value: "1e300"})},
		{pairRow(lang.Pair{Key: `"a"`, Value: "1"}), pairRow(lang.Pair{Key: `"a"`, Value: "2"})},
		{pairRow(lang.Pair{Key: `[1,"a"]`, Value: `"\u0001\n"`}), pairRow(lang.Pair{Key: `"no value"`})},
		{lineRow(line)},
	} {
		pasted := Paste(rows)
		if again := string(lang.Format([]byte(pasted))); again != pasted {
			t.Errorf("not in canonical form:\n%s", pasted)
		}
		src := "index {\n  source = \"dir:d\"\n}\nfilter {}\nmap \"m\" {\n  command = \"cat\"\n}\noutput \"o\" {\n  value = map.m\n}\ntest \"t\" {\n  stage   = map.m\n  records = []\n" + pasted + "}\n"
		a, diags := lang.Load("x.taf.hcl", []byte(src), lang.Options{})
		if diags.HasErrors() {
			t.Errorf("%v in\n%s", diags, pasted)
			continue
		}
		want := a.Tests[0].Expect
		got := &result{form: job.FormPairs}
		for _, r := range rows {
			if r.Line != nil {
				got.form = job.FormLines
				got.lines = append(got.lines, *r.Line)
				continue
			}
			got.pairs = append(got.pairs, lang.Pair{Key: string(r.Key), Value: string(r.Value)})
		}
		for _, d := range got.compare(want, comparison{}) {
			if d.Change != Same {
				t.Errorf("%s in\n%s", show([]Difference{d}), pasted)
			}
		}
	}
}
