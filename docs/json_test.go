package docs_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/unittest"
)

// explanations is what tafc why -json prints.
type explanations struct {
	FormatVersion string             `json:"format_version"`
	Analysis      string             `json:"analysis"`
	Tasks         []plan.Explanation `json:"tasks"`
}

// TestJSON compares the tables of json.md with the types that are printed, field by field.
func TestJSON(t *testing.T) {
	p := read(t, "json.md")
	for heading, v := range map[string]any{
		"Plan": plan.Document{}, "Run": view.RunDocument{}, "Ledger": job.Ledger{}, "Explanation": explanations{},
		"Diagnostics": diag.Report{}, "Index": view.IndexDocument{}, "Query": view.QueryDocument{}, "Tests": unittest.Document{}, "Images": view.ImagesDocument{},
	} {
		section := p.section(t, heading)
		if heading == "Run" {
			section, _, _ = strings.Cut(section, "\n### ")
		}
		got := tableFields(t, section)
		want := map[string]bool{}
		fields(reflect.TypeOf(v), "", heading != "Ledger", want)
		if heading != "Diagnostics" {
			maps.DeleteFunc(want, func(path string, _ bool) bool { return strings.HasPrefix(path, "diagnostics[]") })
		}
		// Described once, with the first of several that are alike.
		maps.DeleteFunc(want, func(path string, _ bool) bool {
			for _, like := range []string{"index.", "diagnostics[].range.end.", "diagnostics[].related[].range.", "tasks[].quarantine.groups[].example.",
				"tests[].difference[].expected.", "tests[].difference[].result.", "laws[].violations[].first.result[].", "laws[].violations[].second."} {
				if strings.HasPrefix(path, like) {
					return true
				}
			}
			return false
		})
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s (-code +page):\n%s", heading, diff)
		}
		for path, optional := range want {
			if about, ok := got[path]; ok && strings.Contains(about, "optional") != optional {
				t.Errorf("%s: %s is optional: %t, the page says %q", heading, path, optional, about)
			}
		}
	}
}

func tableFields(t *testing.T, section string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, row := range rows(section) {
		name := strings.Trim(row[0], "`")
		if _, twice := out[name]; twice {
			t.Errorf("%s stands in its table twice", name)
		}
		out[name] = row[1]
	}
	return out
}

// fields puts the paths of a type's JSON into out, and whether each is left out when it is empty. Objects whose members are
// always there have no row of their own.
func fields(t reflect.Type, prefix string, ledgersApart bool, out map[string]bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			fields(f.Type, prefix, ledgersApart, out)
			continue
		}
		if name == "-" || name == "" {
			continue
		}
		path, inner := prefix+name, f.Type
		out[path] = option == "omitempty"
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		next := path + "."
		if inner.Kind() == reflect.Slice {
			inner, next = inner.Elem(), path+"[]."
		}
		if inner.Kind() != reflect.Struct || inner == reflect.TypeFor[time.Time]() || ledgersApart && inner == reflect.TypeFor[job.Ledger]() {
			continue
		}
		if inner == f.Type && transparent[path] {
			delete(out, path)
		}
		fields(inner, next, ledgersApart, out)
	}
}

// transparent are objects that the tables do not list apart from what is in them.
var transparent = map[string]bool{"summary": true, "run": true, "files": true, "records": true, "bytes": true}

// TestJSONOfCommands compares the other tables with what the commands print.
func TestJSONOfCommands(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("data/a.txt", "one\n")
	write("words.taf.hcl", "index \"d\" {\n  source = \"dir:data\"\n}\nfilter \"all\" {}\nmap \"m\" {\n  command = \"cat\"\n}\noutput \"o\" {\n  value = map.m\n}\n")
	output(t, dir, "plan")
	output(t, dir, "run")
	p := read(t, "json.md")
	for heading, args := range map[string][]string{
		"tafc blame -json":       {"blame", "-json", "map.m", "one"},
		"tafc version -json":     {"version", "-json"},
		"tafc gc -json":          {"gc", "-json"},
		"tafc head -json":        {"head", "-json", "a.txt", "words.taf.hcl"},
		"tafc index build -json": {"index", "build", "dir:data", "-o", "index.db", "-json"},
	} {
		got := decode(t, output(t, dir, args...))
		want := tableFields(t, p.section(t, heading))
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s (-page +printed):\n%s", heading, diff)
		}
		if got["format_version"] != "1" {
			t.Errorf("%s: version %v", heading, got["format_version"])
		}
	}
}
