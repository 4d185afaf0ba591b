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

func TestPipeline(t *testing.T) {
	archives, err := filepath.Glob("../../testdata/pipeline/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
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
