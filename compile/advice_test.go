package compile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

// advised are keys of a bucket: 13 files, and one that fits no layout.
var advised = keys{
	"saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.a.log",
	"saved_session/Firefox/nightly/29.0a1/20140228.20140308.a.log",
	"idle_daily/Firefox/nightly/30.0a1/20140301030203.20140309.a.log",
	"idle_daily/Firefox/nightly/30.0a1/20140227030203.20140309.a.log",
	"idle_daily/Firefox/nightly/30.0a1/20140301030203.20140310.a.log",
	"saved_session/Fennec/aurora/24.0a2/20130607004018.20130701.a.log",
	"saved_session/Fennec/aurora/24.0a2/20130607050000.20130701.a.log",
	"saved_session/Fennec/aurora/24.0a2/20130606004018.20130701.a.log",
	"saved_session/Firefox/nightly_ux/22.0a1/20130226031002.20131013.a.log",
	"saved_session/OTHER/OTHER/28.0/20140401001122.20140402.a.log",
	"saved_session/other/other/28.0/20140401001122.20140402.a.log",
	"saved_session/Firefox/release/9.0/20140401001122.20140402.a.log",
	"saved_session/Firefox/release/100.0/20140401001122.20140402.a.log",
	"telemetry_schema.json",
}

type keys []string

func (k keys) String() string                           { return "dir:data" }
func (k keys) Revision(context.Context) (string, error) { return "1", nil }
func (k keys) Layout() string                           { return "" }
func (k keys) Root() string                             { return "file:///data/" }
func (k keys) Close() error                             { return nil }
func (k keys) Scan(_ context.Context, fn func(index.File) error) error {
	for _, key := range k {
		if err := fn(index.File{Key: []byte(key), Size: 1, ETag: []byte("1")}); err != nil {
			return err
		}
	}
	return nil
}

// TestAdvice holds conditions that probably do not mean what they say, with what is said about them: code, place, and the part of the
// message that counts.
func TestAdvice(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       []string // code, what is underlined, a part of the message
	}{
		{"F20: case", `where { reason = ["Saved-Session", "idle-daily"] }`,
			[]string{`index/other-spelling: "Saved-Session": because case counts. Did you mean "saved_session" (10 files)?`}},
		{"typing error", `where { reason = ["saved-sesion", "idle-daily"] }`,
			[]string{`index/unknown-value: "saved-sesion": Did you mean "saved_session" (10 files)? The index has "idle_daily" (3 files), "saved_session" (10 files).`}},
		{"far from everything", `where { reason = ["main", "idle-daily"] }`,
			[]string{`index/unknown-value: "main": No file of the index has reason "main". The index has "idle_daily" (3 files), "saved_session" (10 files).`}},
		{"a date in another form", `where { submission_date = ["2014-03-08", "20140309"] }`,
			[]string{`index/other-spelling: "2014-03-08": Did you mean "20140308" (1 file)?`}},
		{"another date is not a near one", `where { submission_date = ["20140307", "20140309"] }`,
			[]string{`index/unknown-value: "20140307": No file of the index has submission_date "20140307". The index has`}},
		{"F08: both spellings are there", `where { appName = "OTHER" }`,
			[]string{`index/two-spellings: "OTHER": The index has appName "OTHER" (1 file) and also "other" (1 file), which this condition does not match`}},
		{"F08: both listed", `where { appName = ["OTHER", "other"] }`, nil},
		{"F22: a pattern as a value", `where { reason = ["saved*", "idle-daily"] }`,
			[]string{`index/pattern-as-value: "saved*": As a pattern it would match 1 value (10 files). Write glob("saved*").`}},
		{"beginning of a version", `where { appVersion = ["24", "28.0"] }`,
			[]string{`index/value-prefix: "24": it is the beginning of 1 value (3 files). Write glob("24.*").`}},
		{"a day instead of builds", `where { appBuildID = ["20130607", "20140228"] }`,
			[]string{`index/value-prefix: "20130607": it is the beginning of 2 values (2 files). Write glob("20130607*").`}},
		{"F03: a day as upper bound", `where { appBuildID = atmost("20130607") }`,
			[]string{`index/short-bound: "20130607": leaves out the 2 files of the index whose appBuildID begins so (2 values, up to "20130607050000"): a text comes before all longer ones that begin with it. Did you mean "20130607999999"?`}},
		{"F04: the idiom of the ancestors", `where { appBuildID = atmost("20130607999999") }`, nil},
		{"F03 in a range", `where { appBuildID = between("20130606", "20130607") }`,
			[]string{`index/short-bound: "20130607": Did you mean "20130607999999"?`}},
		{"a lower bound may be short", `where { appBuildID = atleast("20140228") }`, nil},
		{"a lower bound that is too long", `where { submission_date = atleast("20140308000000") }`,
			[]string{`index/long-bound: "20140308000000": leaves out the 1 file of the index with submission_date "20140308": a text comes before all longer ones that begin with it. Did you mean "20140308"?`}},
		{"a range without effect", `where { appBuildID = atleast("2013") }`,
			[]string{`index/no-effect: atleast("2013"): All 13 files that fit the layout pass this condition on appBuildID`}},
		{"a range of dates may come into effect later", `where { submission_date = atleast("2013") }`, nil},
		{"a pattern without effect", `where { reason = glob("*") }`, []string{`index/no-effect: glob("*"): All 13 files`}},
		{"a pattern that nothing fits", `where { reason = glob("Saved*") }
  allow_empty = true`, []string{`index/matches-nothing: glob("Saved*"): Case counts; without regard to it the pattern would match 10 files.`}},
		{"a pattern covers the whole value", `where { reason = glob("saved") }
  allow_empty = true`, []string{`index/matches-nothing: glob("saved"): glob("saved*") would match 10 files.`}},
		{"an expression that is written as the data are", `where { reason = matches("^saved-session$") }
  allow_empty = true`, []string{`index/matches-nothing: matches("^saved-session$"): matches("^saved_session$") would match 10 files.`}},
		{"exclude that leaves out nothing", `exclude {
    reason  = "idle-daily"
    appName = "Fennec"
  }`, []string{"index/no-effect: reason  = \"idle-daily\"\n    appName = \"Fennec\": The exclude block leaves out none of the files"}},
		{"exclude of a value that is not there", `exclude { reason = "idle-dayly" }`,
			[]string{`index/unknown-value: "idle-dayly": Did you mean "idle_daily" (3 files)?`}},
		{"F19: versions as texts", `where { appVersion = atleast("9.0") }`,
			[]string{`index/version-order: atleast("9.0"): As texts, this leaves out 12 files of versions that it should hold for, such as "100.0". As versions 13 files would match. Write version(">= 9.0").`}},
		{"F19 the other way", `where { appVersion = atmost("28.0") }`,
			[]string{`index/version-order: atmost("28.0"): As texts, this lets 1 file of versions pass that it should leave out, such as "100.0", and leaves out 2 files of versions that it should hold for, such as "28.0a1". As versions 8 files would match. Write version("<= 28.0").`}},
		{"versions in an order that texts have too", `where { appVersion = between("24.0a2", "30.0a1") }`, nil},
		{"version that nothing has", `where { appVersion = version("> 200") }
  allow_empty = true`, []string{`index/matches-nothing: version("> 200"): version("> 200") holds for no appVersion of the index. The index has "100.0" (1 file)`}},
		{"dates that nothing has", `where { submission_date = since("2015-01-01") }
  allow_empty = true`, []string{`index/matches-nothing: since("2015-01-01"): since("2015-01-01") holds for no submission_date of the index.`}},
		{"a date as a bound in another form", `where { submission_date = atmost("2014-03-08") }`,
			[]string{`index/other-spelling: "2014-03-08": The index writes dates like "20130701", and bounds are compared as texts, so "2014-03-08" does not mean that day here. Did you mean "20140308"?`}},
		{"a document", `document = "Filter.json"`, []string{
			`filter/order: "appName": Conditions go by name here`,
			`index/two-spellings: "OTHER": (1 file) and also "other" (1 file)`,
			`index/pattern-as-value: "saved*": A document cannot say so: list the values, or turn it into HCL with tafc import and write glob("saved*").`,
			`index/short-bound: "20130607": Did you mean "20130607999999"?`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := "index \"telemetry\" {\n  source = \"dir:data\"\n  layout = \"telemetry\"\n}\nfilter \"f\" {\n  " + test.body + "\n}\nmap \"m\" { command = \"cat\" }\noutput \"o\" { value = map.m }\n"
			var got []string
			diags, sources := resolve(t, text, map[string]string{"Filter.json": adviceDocument})
			for _, d := range diags {
				got = append(got, fmt.Sprintf("%s: %s: %s", diag.CodeOf(d), d.Subject.SliceBytes(sources[d.Subject.Filename]), d.Detail))
			}
			if len(got) != len(test.want) {
				t.Fatalf("%d diagnostics, want %d:\n%s", len(got), len(test.want), strings.Join(got, "\n"))
			}
			for i, want := range test.want {
				code, rest, _ := strings.Cut(want, ": ")
				if !strings.HasPrefix(got[i], code+": ") || !containsInOrder(got[i], rest) {
					t.Errorf("diagnostic %d:\n%s", i, cmp.Diff(want, got[i]))
				}
			}
		})
	}
}

// TestDocumentCounts holds what the ancestors took silently for everything or nothing: the error says how many files would match what
// one can write instead.
func TestDocumentCounts(t *testing.T) {
	for _, test := range []struct {
		name, dimension, values string
		want                    string // code, and the end of the message
	}{
		{"F07", "appVersion", `["*"]`, `filter/star-in-list: Of the 13 files in the index, "*" would match 13 files, ["_"] would match 0 files.`},
		{"F10", "appBuildID", `{"min": 20140228}`, `filter/numeric-bound: Of the 13 files in the index, {"min": "20140228"} would match 7 files.`},
		{"F11", "appBuildID", `{"max": 20140228}`, `filter/numeric-bound: Of the 13 files in the index, {"max": "20140228"} would match 7 files.`},
		{"F12", "appBuildID", `{}`, `filter/empty-range: Of the 13 files in the index, "*" would match 13 files.`},
		{"F13", "appBuildID", `{"minimum": "20140228"}`, `filter/unknown-range-key: Of the 13 files in the index, {"min": "20140228"} would match 7 files.`},
		{"F14", "reason", `[]`, `filter/empty-list: Of the 13 files in the index, "*" would match 13 files.`},
		{"F16", "reason", `null`, `filter/null-value: Of the 13 files in the index, "*" would match 13 files.`},
		{"F17", "submission_date", `{"min": "20140310", "max": "20140308"}`, `filter/inverted-range: Of the 13 files in the index, {"min": "20140308", "max": "20140310"} would match 4 files.`},
		{"F18", "submission_date", `20140402`, `filter/number-value: Of the 13 files in the index, "20140402" would match 4 files.`},
		{"F19", "appVersion", `{"min": "28.0", "max": "100.0"}`, `filter/inverted-range: Of the 13 files in the index, version(">= 28.0, <= 100.0") would match 7 files.`},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := "index \"telemetry\" { source = \"dir:data\" }\nfilter \"f\" { document = \"Filter.json\" }\nmap \"m\" { command = \"cat\" }\noutput \"o\" { value = map.m }\n"
			diags, _ := resolve(t, text, map[string]string{
				"Filter.json": fmt.Sprintf(`{"dimensions": [{"field_name": %q, "allowed_values": %s}]}`, test.dimension, test.values),
			})
			code, want, _ := strings.Cut(test.want, ": ")
			if len(diags) != 1 || diag.CodeOf(diags[0]) != code || !strings.HasSuffix(diags[0].Detail, " "+want) {
				t.Errorf("got %v, want %s: … %s", diags, code, want)
			}
		})
	}
}

// containsInOrder tells whether text has the place and the part of the message that want names: PLACE: PART.
func containsInOrder(text, want string) bool {
	for at := 0; ; {
		i := strings.Index(want[at:], ": ")
		if i < 0 {
			return false
		}
		at += i + 2
		if _, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(rest, want[:at]) && strings.Contains(rest[at:], want[at:]) {
			return true
		}
	}
}

const adviceDocument = `{"version": 1, "dimensions": [
  {"field_name": "appName", "allowed_values": ["OTHER", "Firefox", "Fennec"]},
  {"field_name": "reason", "allowed_values": ["saved*", "saved-session"]},
  {"field_name": "appUpdateChannel", "allowed_values": "*"},
  {"field_name": "appVersion", "allowed_values": "*"},
  {"field_name": "appBuildID", "allowed_values": {"max":"20130607"}}
]}`

// resolve reports everything about an analysis, as a plan does.
func resolve(t *testing.T, text string, files map[string]string) (hcl.Diagnostics, map[string][]byte) {
	t.Helper()
	world := fstest.MapFS{}
	for name, content := range files {
		world[name] = &fstest.MapFile{Data: []byte(content)}
	}
	a, diags := lang.Load("a.taf.hcl", []byte(text), lang.Options{ReadFile: world.ReadFile})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	_, more, sources := compile.Resolve(t.Context(), a, compile.World{FS: world, OpenIndex: func(*lang.Index) (index.Source, error) { return advised, nil }})
	sources["a.taf.hcl"] = []byte(text)
	return diag.Sort(append(diags, more...)), sources
}
