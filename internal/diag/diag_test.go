package diag_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/internal/diag"
)

const source = `index "telemetry" {
  source = "dir:data"
}
map "by_os" {
  input = filter.nightli
	tabbed = "日本" + oops
}
`

// at is the range of a part of the source.
func at(t *testing.T, part string) hcl.Range {
	t.Helper()
	start := strings.Index(source, part)
	if start < 0 {
		t.Fatalf("%q is not in the source", part)
	}
	pos := func(b int) hcl.Pos {
		before := source[:b]
		lineStart := strings.LastIndex(before, "\n") + 1
		return hcl.Pos{Line: strings.Count(before, "\n") + 1, Column: len([]rune(before[lineStart:])) + 1, Byte: b}
	}
	return hcl.Range{Filename: "os-count.taf.hcl", Start: pos(start), End: pos(start + len(part))}
}

func TestReportText(t *testing.T) {
	unknown := func(t *testing.T) *hcl.Diagnostic {
		return diag.Error("lang/unknown-reference", "Unknown filter", `There is no filter named "nightli". Did you mean "nightly"?`,
			at(t, "filter.nightli"), diag.WithRelated("first declared here", at(t, `index "telemetry"`)))
	}
	tests := []struct {
		name    string
		diag    func(t *testing.T) *hcl.Diagnostic
		columns int
		color   bool
		want    string
	}{
		{"place, line, mark, detail, related, code", unknown, 0, false, `Error: Unknown filter
  on os-count.taf.hcl line 5, in map "by_os":
  5:   input = filter.nightli
               ^^^^^^^^^^^^^^
There is no filter named "nightli". Did you mean "nightly"?
  first declared here: os-count.taf.hcl line 1
[lang/unknown-reference]
`},
		{"wrapped", unknown, 40, false, `Error: Unknown filter
  on os-count.taf.hcl line 5, in map "by_os":
  5:   input = filter.nightli
               ^^^^^^^^^^^^^^
There is no filter named "nightli". Did
you mean "nightly"?
  first declared here: os-count.taf.hcl line 1
[lang/unknown-reference]
`},
		{"colours", func(t *testing.T) *hcl.Diagnostic {
			return diag.Warning("x/y", "Odd", "", at(t, "oops"))
		}, 0, true, "\x1b[1;33mWarning: \x1b[0m\x1b[1mOdd\x1b[0m\n" + `  on os-count.taf.hcl line 6, in map "by_os":
  6: ` + "\t" + `tabbed = "日本" + oops
     ` + "\t" + "                  \x1b[1;33m^^^^\x1b[0m\n\x1b[2m[x/y]\x1b[0m\n"},
		{"over several lines", func(t *testing.T) *hcl.Diagnostic {
			return diag.Error("x/y", "Bad block", "Detail.", at(t, "{\n  source = \"dir:data\"\n}"))
		}, 0, false, `Error: Bad block
  on os-count.taf.hcl line 1, in index "telemetry":
  1: index "telemetry" {
                       ^
Detail.
[x/y]
`},
		{"file without source", func(t *testing.T) *hcl.Diagnostic {
			r := at(t, "filter.nightli")
			r.Filename = "Filter.json"
			return diag.Error("filter/trap", "Number as bound", "Bounds are texts.", r)
		}, 0, false, `Error: Number as bound
  on Filter.json line 5
Bounds are texts.
[filter/trap]
`},
		{"no place, and a stack that is not wrapped or obeyed", func(t *testing.T) *hcl.Diagnostic {
			return diag.Error("code/exception", "Exception", "The mapper raised:\n  File \"mapper.py\", line 3, in mapper that goes on and on\n  \x1b[2Jboom", hcl.Range{})
		}, 40, false, "Error: Exception\nThe mapper raised:\n  File \"mapper.py\", line 3, in mapper that goes on and on\n  \uFFFD[2Jboom\n[code/exception]\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report := diag.NewReport(hcl.Diagnostics{tt.diag(t)}, map[string][]byte{"os-count.taf.hcl": []byte(source)})
			var got strings.Builder
			if err := report.WriteText(&got, tt.columns, tt.color); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReportTextCutsLongLines(t *testing.T) {
	line := strings.Repeat("a", 500) + "HERE" + strings.Repeat("b", 500)
	r := hcl.Range{Filename: "Filter.json", Start: hcl.Pos{Line: 1, Column: 501, Byte: 500}, End: hcl.Pos{Line: 1, Column: 505, Byte: 504}}
	report := diag.NewReport(hcl.Diagnostics{diag.Error("x/y", "Long", "", r)}, map[string][]byte{"Filter.json": []byte(line)})
	var text strings.Builder
	if err := report.WriteText(&text, 50, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	start := strings.Index(lines[3], "^")
	if shown := []rune(lines[2]); len(shown) > 50 || start+4 > len(shown) || string(shown[start:start+4]) != "HERE" {
		t.Errorf("the mark does not stand below HERE within 50 columns:\n%s", text.String())
	}
}

func TestReportJSON(t *testing.T) {
	diags := hcl.Diagnostics{
		diag.Warning("x/z", "Without a place", "It is everywhere.", hcl.Range{}),
		diag.Error("lang/unknown-reference", "Unknown filter", "Detail <b>.", at(t, "filter.nightli"), diag.WithRelated("here", at(t, "map"))),
	}
	var got bytes.Buffer
	if err := diag.NewReport(diags, map[string][]byte{"os-count.taf.hcl": []byte(source)}).WriteJSON(&got); err != nil {
		t.Fatal(err)
	}
	const want = `{
  "format_version": "1",
  "valid": false,
  "error_count": 1,
  "warning_count": 1,
  "diagnostics": [
    {
      "severity": "warning",
      "code": "x/z",
      "summary": "Without a place",
      "detail": "It is everywhere.",
      "related": []
    },
    {
      "severity": "error",
      "code": "lang/unknown-reference",
      "summary": "Unknown filter",
      "detail": "Detail <b>.",
      "range": {
        "filename": "os-count.taf.hcl",
        "start": {
          "line": 5,
          "column": 11,
          "byte": 68
        },
        "end": {
          "line": 5,
          "column": 25,
          "byte": 82
        }
      },
      "related": [
        {
          "message": "here",
          "range": {
            "filename": "os-count.taf.hcl",
            "start": {
              "line": 4,
              "column": 1,
              "byte": 44
            },
            "end": {
              "line": 4,
              "column": 4,
              "byte": 47
            }
          }
        }
      ],
      "snippet": {
        "context": "map \"by_os\"",
        "code": "  input = filter.nightli",
        "start_line": 5
      }
    }
  ]
}
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	got.Reset()
	if err := diag.NewReport(nil, nil).WriteJSON(&got); err != nil {
		t.Fatal(err)
	}
	var empty map[string]any
	if err := json.Unmarshal(got.Bytes(), &empty); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"format_version": "1", "valid": true, "error_count": 0.0, "warning_count": 0.0, "diagnostics": []any{}}, empty); diff != "" {
		t.Errorf("without diagnostics (-want +got):\n%s", diff)
	}
}

func TestSort(t *testing.T) {
	place := func(file string, b int) hcl.Range {
		p := hcl.Pos{Line: 1, Column: b + 1, Byte: b}
		return hcl.Range{Filename: file, Start: p, End: p}
	}
	diags := hcl.Diagnostics{
		diag.Error("x/c", "C", "", place("b", 1)),
		diag.Error("x/b", "B", "", place("a", 7)),
		diag.Warning("x/w", "W", "", place("a", 3)),
		diag.Error("x/a", "A", "", place("a", 3)),
		diag.Error("x/b", "B", "", place("a", 7)),
		diag.Error("x/0", "0", "", hcl.Range{}),
	}
	var got []string
	for _, d := range diag.Sort(diags) {
		got = append(got, diag.CodeOf(d))
	}
	if diff := cmp.Diff([]string{"x/0", "x/a", "x/w", "x/b", "x/c"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestSuggest(t *testing.T) {
	tests := []struct {
		given      string
		candidates []string
		want       string
	}{
		{"nightli", []string{"aurora", "nightly"}, "nightly"},
		{"appname", []string{"appName", "appNames"}, "appName"},
		{"APPNAME", []string{"appName"}, "appName"},
		{"nightly", []string{"nightly"}, ""}, // there already
		{"ab", []string{"abc", "ab_"}, ""},   // too short to guess
		{"map", []string{"sum", "max"}, "max"},
		{"abc", []string{"xyc"}, ""}, // two of three letters
		{"bat", []string{"cat", "bar", "hat"}, "bar"},
		{"something", []string{"else"}, ""},
		{"cvs", []string{"text", "csv", "tsv"}, "csv"}, // two letters in the wrong order
		{"x", nil, ""},
	}
	for _, tt := range tests {
		if got := diag.Suggest(tt.given, tt.candidates); got != tt.want {
			t.Errorf("Suggest(%q, %q) = %q, want %q", tt.given, tt.candidates, got, tt.want)
		}
	}
	if got := diag.DidYouMean("nightli", []string{"nightly"}); got != ` Did you mean "nightly"?` {
		t.Errorf("DidYouMean = %q", got)
	}
}

// The answer does not depend on the order of the candidates, and is one of them.
func TestSuggestIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[ab]{3,6}`)
		given := name.Draw(t, "given")
		candidates := rapid.SliceOf(name).Draw(t, "candidates")
		got := diag.Suggest(given, candidates)
		if again := diag.Suggest(given, rapid.Permutation(candidates).Draw(t, "shuffled")); again != got {
			t.Errorf("in another order %q instead of %q", again, got)
		}
	})
}

func TestCodes(t *testing.T) {
	plain := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unclosed brace"}
	if got := diag.CodeOf(plain); got != diag.SyntaxCode {
		t.Errorf("a diagnostic of the parser has the code %q", got)
	}
	coded := diag.WithCode("x/y", hcl.Diagnostics{plain, diag.Error("a/b", "B", "", hcl.Range{})})
	if a, b := diag.CodeOf(coded[0]), diag.CodeOf(coded[1]); a != "x/y" || b != "a/b" {
		t.Errorf("WithCode gives %q and %q", a, b)
	}
}

func TestErr(t *testing.T) {
	if err := diag.Err(hcl.Diagnostics{diag.Warning("x/y", "Odd", "", hcl.Range{})}); err != nil {
		t.Errorf("a warning is the error %v", err)
	}
	err := diag.Err(hcl.Diagnostics{diag.Error("x/y", "Bad", "Why.", hcl.Range{})})
	if err == nil || errors.Unwrap(err) != nil || !strings.Contains(err.Error(), "Bad; Why.") {
		t.Errorf("the error is %v", err)
	}
}

// What says the same at the same place, and more, takes the place of the other.
func TestInstead(t *testing.T) {
	at := func(byte int) hcl.Range {
		return hcl.Range{Filename: "f", Start: hcl.Pos{Byte: byte}, End: hcl.Pos{Byte: byte + 1}}
	}
	got := diag.Sort(hcl.Diagnostics{
		diag.Warning("lang/literal-star", "less", "", at(1)),
		diag.Warning("lang/literal-star", "elsewhere", "", at(2)),
		diag.Warning("index/pattern-as-value", "more", "", at(1), diag.Instead("lang/literal-star")),
	})
	var summaries []string
	for _, d := range got {
		summaries = append(summaries, d.Summary)
	}
	if want := []string{"more", "elsewhere"}; !slices.Equal(summaries, want) {
		t.Errorf("%q, want %q", summaries, want)
	}
}
