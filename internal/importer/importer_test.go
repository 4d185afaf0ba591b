package importer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/document"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/importer"
	"github.com/tafc/tafc/lang"
)

// keys is an index in memory.
type keys []string

func (k keys) String() string                           { return "dir:data" }
func (k keys) Revision(context.Context) (string, error) { return "1", nil }
func (k keys) Layout() string                           { return "" }
func (k keys) Root() string                             { return "file:///data/" }
func (k keys) Close() error                             { return nil }
func (k keys) Scan(_ context.Context, fn func(index.File) error) error {
	for _, key := range k {
		if err := fn(index.File{Key: []byte(key)}); err != nil {
			return err
		}
	}
	return nil
}

// selected are the keys that the filter of an analysis selects.
func selected(t interface{ Fatalf(string, ...any) }, analysis, doc string, k keys) []string {
	a, diags := lang.Load("a.taf.hcl", []byte(analysis), lang.Options{})
	if len(diags) > 0 {
		t.Fatalf("not valid: %v\n%s", diags, analysis)
	}
	sel, diags, _ := compile.Query(context.Background(), a, compile.World{
		FS:        fstest.MapFS{"Filter.json": {Data: []byte(doc)}},
		OpenIndex: func(*lang.Index) (index.Source, error) { return k, nil },
	}, "imported")
	if diags.HasErrors() {
		t.Fatalf("%v", diags)
	}
	out := []string{}
	for i := range sel.Files.Len() {
		out = append(out, sel.Files.Key(i))
	}
	return out
}

// compare imports a document and holds what the analysis selects against what filter { document = … } selects. It is false when the
// document is refused.
func compare(t interface{ Fatalf(string, ...any) }, doc, layout string, k keys) bool {
	filter, _ := document.Parse("Filter.json", []byte(doc), nil)
	if filter == nil {
		return false
	}
	imported := importer.Analysis(filter.Filter, importer.Options{Layout: layout})
	if again := lang.Format(imported); string(again) != string(imported) {
		t.Fatalf("not in canonical form:\n%s", cmp.Diff(string(imported), string(again)))
	}
	text := string(imported)
	start, end := strings.Index(text, "filter \"imported\""), strings.Index(text, "\nmap \"records\"")
	direct := text[:start] + "filter \"imported\" {\n  document = \"Filter.json\"\n}\n" + text[end:]
	if diff := cmp.Diff(selected(t, direct, doc, k), selected(t, text, doc, k)); diff != "" {
		t.Fatalf("%s\n%s\nselects otherwise than the document (-document +imported):\n%s", doc, text, diff)
	}
	return true
}

// TestSelectsTheSame draws documents and keys.
func TestSelectsTheSame(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(
			rapid.SampledFrom([]string{"", "_", "a", "a-b", "a_b", "A_b", "a.b", "20140308", "20140308010203", "é", "e\u0301", "a*", "${x}", "%{if}", "\"", "\\", "\n"}),
			rapid.StringOfN(rapid.SampledFrom([]rune("ab-_.0é ")), 0, 3, -1),
		)
		var k keys
		part := rapid.OneOf(rapid.SampledFrom([]string{"", "_", "a-b", "a_b", "20140308", "20140308010203", "a.b"}), rapid.StringOfN(rapid.SampledFrom([]rune("ab-_.0é ")), 0, 3, -1))
		for range rapid.IntRange(0, 12).Draw(t, "keys") {
			k = append(k, part.Draw(t, "x")+"/"+part.Draw(t, "y")+"/"+part.Draw(t, "z")+"/f")
		}
		slices.Sort(k)
		k = slices.Compact(k)
		type entry struct {
			Name    string `json:"field_name"`
			Allowed any    `json:"allowed_values"`
		}
		entries := []entry{}
		for _, name := range []string{"x", "y", "z"} {
			var allowed any
			switch rapid.IntRange(0, 6).Draw(t, "form") {
			case 0:
				continue
			case 1:
				allowed = "*"
			case 2:
				allowed = value.Draw(t, "scalar")
			case 3:
				allowed = rapid.SliceOfN(value, 1, 4).Draw(t, "list")
			case 4:
				allowed = map[string]string{"min": value.Draw(t, "min")}
			case 5:
				allowed = map[string]string{"max": value.Draw(t, "max")}
			case 6:
				allowed = map[string]string{"min": value.Draw(t, "min"), "max": value.Draw(t, "max")}
			}
			entries = append(entries, entry{name, allowed})
		}
		doc, err := json.Marshal(map[string]any{"version": 1, "dimensions": entries})
		if err != nil {
			t.Fatal(err)
		}
		if compare(t, string(doc), "{x}/{y}/{z}/{rest}", k) {
			compared++
		}
	})
	if compared < 20 {
		t.Errorf("only %d documents were not refused", compared)
	}
}

// TestAncestors imports the documents of testdata/ancestors.json: the worked examples of the ancestors, and the keys that they are about.
func TestAncestors(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("testdata", "ancestors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var examples struct {
		Keys    keys
		Filters []struct {
			Name    string
			Allowed []json.RawMessage // in the order of the dimensions
			Refused string            // the code, when it is
		}
	}
	if err := json.Unmarshal(src, &examples); err != nil {
		t.Fatal(err)
	}
	dims, err := lang.LayoutDimensions(index.Telemetry)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(examples.Keys)
	for _, f := range examples.Filters {
		t.Run(f.Name, func(t *testing.T) {
			var entries []string
			for i, allowed := range f.Allowed {
				entries = append(entries, fmt.Sprintf(`{"field_name": %q, "allowed_values": %s}`, dims[i], allowed))
			}
			doc := `{"version": 1, "dimensions": [` + strings.Join(entries, ", ") + `]}`
			refused := ""
			if !compare(t, doc, index.Telemetry, examples.Keys) {
				_, notices := document.Parse("Filter.json", []byte(doc), nil)
				refused = diag.CodeOf(compile.Notices(notices)[0])
			}
			if refused != f.Refused {
				t.Errorf("refused with %q, want %q", refused, f.Refused)
			}
		})
	}
}

// TestAnalysis shows what is written.
func TestAnalysis(t *testing.T) {
	filter, _ := document.Parse("Filter.json", []byte(`{"dimensions": [
		{"field_name": "reason", "allowed_values": ["saved-session", "idle-daily"]},
		{"field_name": "appName", "allowed_values": "Firefox"},
		{"field_name": "appVersion", "allowed_values": "*"},
		{"field_name": "appUpdateChannel", "allowed_values": "night*"},
		{"field_name": "submission_date", "allowed_values": {"min": "20140308", "max": "20140309"}}]}`), nil)
	got := string(importer.Analysis(filter.Filter, importer.Options{From: "Filter.json", Source: "sqlite:index.db", Map: "job.py", Reduce: "job.py"}))
	want := `# The filter was imported from Filter.json.

index "files" {
  source = "sqlite:index.db"
}

filter "imported" {
  # As in the index service of 2014, only the values below are rewritten (saved-session to saved_session), not those of keys.
  exact_keys = true

  where {
    reason           = ["saved-session", "idle-daily"]
    appName          = "Firefox"
    appUpdateChannel = "night_"
    submission_date  = between("20140308", "20140309")
  }
}

map "records" {
  code = "job.py"
}

reduce "total" {
  input = map.records
  code  = "job.py"
}

output "result" {
  value = reduce.total
}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
