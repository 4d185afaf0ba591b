package document_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/dir"
	"github.com/tafc/tafc/index/document"
)

const suffix = ".v2.log.0ab8723b6fb3455bb34b04d97482fda2.lzma"

// ancestorKeys are the keys K01 to K19, in order.
var ancestorKeys = []string{
	"saved_session/Firefox/nightly/28.0a1/20131029030201.20131029" + suffix,
	"saved_session/Firefox/nightly/29.0a1/20140228.20140308" + suffix,
	"idle_daily/Firefox/nightly/30.0a1/20140301030203.20140309" + suffix,
	"idle_daily/Firefox/nightly/30.0a1/20140227030203.20140309" + suffix,
	"idle_daily/Firefox/nightly/30.0a1/20140301030203.20140310" + suffix,
	"saved_session/Fennec/aurora/24.0a2/20130607004018.20130701" + suffix,
	"saved_session/Fennec/aurora/24.0a2/20130606004018.20130701" + suffix,
	"saved_session/Firefox/nightly_ux/22.0a1/20130226031002.20131013" + suffix,
	"saved_session/OTHER/OTHER/28.0/20140401001122.20140402" + suffix,
	"saved_session/other/other/28.0/20140401001122.20140402" + suffix,
	"saved_session/Firefox/release/28.0/unknown.20140402" + suffix,
	"saved_session/Firefox/beta/_/20140401001122.20140402" + suffix,
	"saved_session/Firefox/beta/28.0/.20140402" + suffix,
	"saved-session/Firefox/beta/28.0/20140401001122.20140402" + suffix,
	"saved_session/Firefox/beta/28.0/20140401001122.20140403",
	"saved_session/Firefox/beta/28.0/20140401001122",
	"saved_session/Firefox/beta/20140401001122.20140402" + suffix,
	"saved_session/Firefox/beta/28.0/extra/20140401001122.20140402" + suffix,
	"telemetry_schema.json",
}

var ancestorDimensions = []string{"reason", "appName", "appUpdateChannel", "appVersion", "appBuildID", "submission_date"}

// bucket makes a folder that holds the keys as empty files.
func bucket(t *testing.T, keys []string) *dir.Source {
	t.Helper()
	root := t.TempDir()
	for _, key := range keys {
		path := filepath.Join(root, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	src, err := dir.Open("dir:bucket", root)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// filterJSON is a document with these allowed values, in the order of the dimensions. A dot stands for "*".
func filterJSON(values ...string) string {
	var entries []string
	for i, v := range values {
		if v == "." {
			v = `"*"`
		}
		entries = append(entries, fmt.Sprintf(`{"field_name":%q,"allowed_values":%s}`, ancestorDimensions[i], v))
	}
	return `{"version":1,"dimensions":[` + strings.Join(entries, ",") + `]}`
}

// TestAncestorFilters holds the worked examples F01 to F23 of the ancestors, as their index service would answer them. Where the
// ancestors silently matched everything or nothing, the code of the error stands instead.
func TestAncestorFilters(t *testing.T) {
	saved := `["saved-session"]`
	for _, test := range []struct {
		name   string
		filter string
		want   string // ids of the matching keys
		codes  string // of the notices
	}{
		{"F01 everything well-formed", filterJSON(".", ".", ".", ".", ".", "."), "01 02 03 04 05 06 07 08 09 10 11 12 13 14", ""},
		{"F02 the ancestors' own filter", filterJSON(`["saved-session","idle-daily"]`, `["Firefox"]`, `["nightly"]`, ".", `{"min":"20140228"}`, `{"min":"20140308","max":"20140309"}`), "02 03", ""},
		{"F03 a day as max leaves out its builds", filterJSON(saved, `["Firefox","Fennec"]`, `["nightly","aurora"]`, ".", `{"max":"20130607"}`, "."), "07", ""},
		{"F04 the idiom for a whole day", filterJSON(saved, `["Firefox","Fennec"]`, `["nightly","aurora"]`, ".", `{"max":"20130607999999"}`, "."), "06 07", ""},
		{"F05 a bare string is sanitised", filterJSON(`"saved-session"`, ".", ".", ".", ".", "."), "01 02 06 07 08 09 10 11 12 13", "filter/scalar-sanitised"},
		{"F06 a bare string", filterJSON(`"saved_session"`, ".", ".", ".", ".", "."), "01 02 06 07 08 09 10 11 12 13", ""},
		{"F07 star in a list", filterJSON(".", ".", ".", `["*"]`, ".", "."), "", "filter/star-in-list"},
		{"F07 what it meant", filterJSON(".", ".", ".", `["_"]`, ".", "."), "12", ""},
		{"F08 OTHER", filterJSON(".", `["OTHER"]`, ".", ".", ".", "."), "09", "filter/other-spelling"},
		{"F08 both spellings", filterJSON(".", `["OTHER","other"]`, ".", ".", ".", "."), "09 10", ""},
		{"F09 hyphens in a list", filterJSON(`["saved_session"]`, ".", `["nightly-ux"]`, ".", ".", `["20131013"]`), "08", ""},
		{"F10 number as min", filterJSON(".", ".", ".", ".", `{"min":20140228}`, "."), "", "filter/numeric-bound"},
		{"F11 number as max", filterJSON(".", ".", ".", ".", `{"max":20140309}`, "."), "", "filter/numeric-bound"},
		{"F12 empty object", filterJSON(".", ".", ".", ".", `{}`, "."), "", "filter/empty-range"},
		{"F13 unknown key", filterJSON(".", ".", ".", ".", `{"minimum":"20140228"}`, "."), "", "filter/unknown-range-key"},
		{"F14 empty list", filterJSON(".", ".", ".", ".", ".", `[]`), "", "filter/empty-list"},
		{"F15 empty string", filterJSON(".", ".", ".", ".", `""`, "."), "13", ""},
		{"F16 null", filterJSON(".", ".", ".", ".", ".", `null`), "", "filter/null-value"},
		{"F17 inverted range", filterJSON(".", ".", ".", ".", ".", `{"min":"20140310","max":"20140308"}`), "", "filter/inverted-range"},
		{"F18 number", filterJSON(".", ".", ".", ".", ".", `20140402`), "", "filter/number-value"},
		{"F19 versions are strings", filterJSON(".", ".", ".", `{"min":"28.0","max":"100.0"}`, ".", "."), "", "filter/inverted-range"},
		{"F20 case", filterJSON(`["Saved-Session"]`, ".", ".", ".", ".", "."), "", ""},
		{"F21 bounds are sanitised", filterJSON(`{"min":"saved-session","max":"saved-session"}`, ".", ".", ".", ".", "."), "01 02 06 07 08 09 10 11 12 13", "filter/bound-sanitised filter/bound-sanitised"},
		{"F22 no wildcards", filterJSON(`"saved*"`, ".", ".", ".", ".", "."), "", "filter/glob-literal"},
		{"F23 three dimensions", filterJSON(".", `["Firefox"]`, `["nightly"]`), "01 02 03 04 05", ""},
		{"any order, any subset", `{"dimensions":[{"field_name":"submission_date","allowed_values":["20131013"]},{"field_name":"reason","allowed_values":"*"}]}`, "08", "filter/order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			filter, notices := document.Parse("Filter.json", []byte(test.filter), ancestorDimensions)
			if diff := cmp.Diff(test.codes, codes(notices)); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			if got := matching(t, filter); got != test.want {
				t.Errorf("matching keys %q, want %q", got, test.want)
			}
		})
	}
}

// TestLanguageFilters holds the same keys against conditions of the language, which sanitise both sides: K14, whose key was never
// sanitised, is found under both spellings.
func TestLanguageFilters(t *testing.T) {
	for _, test := range []struct {
		name string
		term index.Term
		want string
	}{
		{"equal, hyphen", index.Term{Dimension: "reason", Op: index.OpOneOf, Values: []string{"saved-session"}}, "01 02 06 07 08 09 10 11 12 13 14"},
		{"equal, underscore", index.Term{Dimension: "reason", Op: index.OpOneOf, Values: []string{"saved_session"}}, "01 02 06 07 08 09 10 11 12 13 14"},
		{"range", index.Term{Dimension: "reason", Op: index.OpBetween, Values: []string{"saved-session", "saved-session"}}, "01 02 06 07 08 09 10 11 12 13 14"},
		{"glob, hyphen", index.Term{Dimension: "reason", Op: index.OpGlob, Values: []string{"saved-*"}}, "01 02 06 07 08 09 10 11 12 13 14"},
		{"glob, alternatives", index.Term{Dimension: "appVersion", Op: index.OpGlob, Values: []string{"{22,24}.0a[12]"}}, "06 07 08"},
		{"expression", index.Term{Dimension: "reason", Op: index.OpMatches, Values: []string{"^saved-"}}, "14"},
		{"empty value", index.Term{Dimension: "appBuildID", Op: index.OpOneOf, Values: []string{""}}, "13"},
		{"no values", index.Term{Dimension: "appBuildID", Op: index.OpOneOf}, ""},
		{"at least", index.Term{Dimension: "submission_date", Op: index.OpAtLeast, Values: []string{"20140310"}}, "05 09 10 11 12 13 14"},
		{"at most", index.Term{Dimension: "submission_date", Op: index.OpAtMost, Values: []string{"20130701"}}, "06 07"},
		{"any", index.Term{Dimension: "submission_date", Op: index.OpAny}, "01 02 03 04 05 06 07 08 09 10 11 12 13 14"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := matching(t, &document.Filter{Filter: index.Filter{Where: []index.Term{test.term}}}); got != test.want {
				t.Errorf("matching keys %q, want %q", got, test.want)
			}
		})
	}
}

// TestExactKeys holds them against conditions that sanitise only their own side, as a document does.
func TestExactKeys(t *testing.T) {
	for _, test := range []struct {
		name string
		term index.Term
		want string
	}{
		{"equal", index.Term{Dimension: "reason", Op: index.OpOneOf, Values: []string{"saved-session"}}, "01 02 06 07 08 09 10 11 12 13"},
		{"range", index.Term{Dimension: "reason", Op: index.OpBetween, Values: []string{"saved-session", "saved-session"}}, "01 02 06 07 08 09 10 11 12 13"},
		{"glob", index.Term{Dimension: "reason", Op: index.OpGlob, Values: []string{"saved-*"}}, "01 02 06 07 08 09 10 11 12 13"},
		{"expression", index.Term{Dimension: "reason", Op: index.OpMatches, Values: []string{"^saved-"}}, "14"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := matching(t, &document.Filter{Filter: index.Filter{Where: []index.Term{test.term}, AsService: true}}); got != test.want {
				t.Errorf("matching keys %q, want %q", got, test.want)
			}
		})
	}
}

// TestSubmissionDateRange holds the facts of telemetry-server's unit test about ranges.
func TestSubmissionDateRange(t *testing.T) {
	var keys []string
	for _, date := range []string{"20130908", "20130909", "20140101", "20140401", "20130907", "20000000", "20140402", "99999999"} {
		keys = append(keys, "r/a/c/v/b."+date+suffix)
	}
	filter, _ := document.Parse("Filter.json", []byte(filterJSON(".", ".", ".", ".", ".", `{"min":"20130908","max":"20140401"}`)), nil)
	selection, err := index.Select(context.Background(), bucket(t, keys), nil, "", filter.Filter)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range selection.Files.Len() {
		got = append(got, selection.Files.Dim(i, 5))
	}
	if diff := cmp.Diff([]string{"20130908", "20130909", "20140101", "20140401"}, got); diff != "" {
		t.Errorf("dates (-want +got):\n%s", diff)
	}
}

// matching is the ids of the ancestors' keys that the filter selects, without the K. A nil filter selects nothing.
func matching(t *testing.T, filter *document.Filter) string {
	t.Helper()
	if filter == nil {
		return ""
	}
	selection, err := index.Select(context.Background(), bucket(t, ancestorKeys), nil, "", filter.Filter)
	if err != nil {
		t.Fatal(err)
	}
	if selection.Layout.String() != index.Telemetry {
		t.Fatalf("layout %s", selection.Layout)
	}
	if selection.Total != 19 || selection.Unparsed != 5 || len(selection.UnparsedSample) != 5 {
		t.Errorf("%d files, %d unparsed %q, want 19 and K15 to K19", selection.Total, selection.Unparsed, selection.UnparsedSample)
	}
	var ids []string
	for i, key := range ancestorKeys {
		if selection.Files.Find(key) >= 0 {
			ids = append(ids, fmt.Sprintf("%02d", i+1))
		}
	}
	if len(ids) != selection.Files.Len() {
		t.Errorf("%d files selected, %d of them known", selection.Files.Len(), len(ids))
	}
	return strings.Join(ids, " ")
}

func codes(notices []document.Notice) string {
	var out []string
	for _, n := range notices {
		out = append(out, n.Code)
	}
	return strings.Join(out, " ")
}
