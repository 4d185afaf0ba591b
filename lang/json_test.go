package lang_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/taftest"
	"github.com/tafc/tafc/lang"
)

// analyses are the analyses of the repository with the files that they can read, by the path of their archive or their own.
func analyses(t *testing.T) map[string]world {
	t.Helper()
	out := map[string]world{}
	for _, pattern := range []string{"testdata/describe/*.txtar", "../testdata/pipeline/*.txtar", "../cmd/tafc/testdata/script/*.txtar", "../examples/*.taf.hcl"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files: %v", pattern, err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(file) != ".txtar" {
				out[file] = world{file: string(src)}
				continue
			}
			all := world{}
			for _, f := range txtar.Parse(src).Files {
				all[f.Name] = string(f.Data)
			}
			for name := range all {
				if strings.HasSuffix(name, ".taf.hcl") {
					w := maps.Clone(all)
					w["analysis"] = all[name]
					out[file+"/"+name] = w
				}
			}
		}
	}
	return out
}

// TestJSONTwin loads every analysis of the repository in both syntaxes: what Load makes of them must be equal but for ranges, or have
// the same problems.
func TestJSONTwin(t *testing.T) {
	valid := 0
	for name, w := range analyses(t) {
		src, ok := w["analysis"]
		if !ok {
			src = w[name]
		}
		twin, err := taftest.JSON([]byte(src))
		if err != nil {
			continue // it does not parse, on purpose
		}
		native, nativeDiags := lang.Load("x.taf.hcl", []byte(src), w.options())
		inJSON, jsonDiags := lang.Load("x.taf.json", twin, w.options())
		if diff := cmp.Diff(problems(nativeDiags), problems(jsonDiags)); diff != "" {
			t.Errorf("%s: problems (-native +JSON):\n%s\n%s", name, diff, twin)
			continue
		}
		if nativeDiags.HasErrors() {
			continue
		}
		valid++
		ranges := cmp.FilterPath(func(p cmp.Path) bool {
			return slices.ContainsFunc(p, func(s cmp.PathStep) bool { return strings.HasSuffix(s.String(), "Filename") })
		}, cmp.Ignore())
		if diff := cmp.Diff(native, inJSON, ranges, cmp.Comparer(func(a, b hcl.Range) bool { return true }), cmp.Comparer(func(a, b *hcl.File) bool { return true }),
			cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Files" }, cmp.Ignore())); diff != "" {
			t.Errorf("%s (-native +JSON):\n%s\n%s", name, diff, twin)
		}
	}
	if valid < 30 {
		t.Errorf("only %d valid analyses were compared", valid)
	}
}

// problems are codes and summaries, without places.
func problems(diags hcl.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		out = append(out, diag.CodeOf(d)+": "+d.Summary)
	}
	slices.Sort(out)
	return out
}
