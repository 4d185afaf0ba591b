package taftest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/tools/txtar"

	"github.com/tafc/tafc/internal/taftest"
)

func archives(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/pipeline/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	return paths
}

// TestJSONPlansAlike writes each analysis in JSON too: what would run, why, and with which keys must be equal to the byte, from an earlier
// version in either syntax.
func TestJSONPlansAlike(t *testing.T) {
	for _, path := range archives(t) {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		native, err := taftest.Run(a)
		if err != nil {
			t.Fatal(err)
		}
		if native["out/plan.json"] == "" {
			continue // it is wrong on purpose
		}
		for _, syntax := range []func(string) bool{
			func(string) bool { return true },
			func(name string) bool { return !strings.HasPrefix(name, "before/") },
		} {
			twin, err := taftest.Run(inJSON(t, a, syntax))
			if err != nil {
				t.Fatal(err)
			}
			for _, out := range []string{"out/plan.json", "out/graph", "out/plan"} {
				if d := diff.Diff("native "+out, []byte(native[out]), "JSON "+out, []byte(twin[out])); d != nil {
					t.Errorf("%s: %s", path, d)
				}
			}
		}
	}
}

// inJSON is an archive with its analyses in JSON.
func inJSON(t *testing.T, a *txtar.Archive, which func(name string) bool) *txtar.Archive {
	t.Helper()
	out := &txtar.Archive{}
	for _, f := range a.Files {
		base, isAnalysis := strings.CutSuffix(f.Name, ".taf.hcl")
		if isAnalysis && which(f.Name) {
			data, err := taftest.JSON(f.Data)
			if err != nil {
				t.Fatal(err)
			}
			f = txtar.File{Name: base + ".taf.json", Data: data}
		}
		out.Files = append(out.Files, f)
	}
	return out
}

func TestPipeline(t *testing.T) {
	for _, path := range archives(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := taftest.Run(a)
			if err != nil {
				t.Fatal(err)
			}
			again, err := taftest.Run(a)
			if err != nil {
				t.Fatal(err)
			}
			checked := 0
			for i, f := range a.Files {
				if !strings.HasPrefix(f.Name, "out/") {
					continue
				}
				checked++
				if got[f.Name] != again[f.Name] {
					t.Errorf("%s is not the same twice", f.Name)
				}
				if d := diff.Diff("want "+f.Name, f.Data, "got "+f.Name, []byte(got[f.Name])); d != nil && os.Getenv("TAFC_UPDATE") == "" {
					t.Errorf("%s\nTAFC_UPDATE=1 go test accepts it", d)
				}
				a.Files[i].Data = []byte(got[f.Name])
			}
			if checked == 0 {
				t.Fatal("the archive has no out/ file")
			}
			if os.Getenv("TAFC_UPDATE") != "" {
				if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
