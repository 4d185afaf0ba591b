package archtest_test

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tafc/tafc/"

//go:embed imports.txt
var imports string

// allowed reads the table of imports.
func allowed(t *testing.T) map[string][]string {
	t.Helper()
	table := map[string][]string{}
	for line := range strings.Lines(imports) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, may, ok := strings.Cut(line, ":")
		if _, twice := table[name]; !ok || twice {
			t.Fatalf("imports.txt: bad line %q", line)
		}
		table[name] = strings.Fields(may)
	}
	return table
}

// forbidden are modules that a package must not link, however indirectly: what a task runs is small and knows no HCL.
var forbidden = map[string][]string{
	"cmd/taf-mapper": {"github.com/hashicorp/hcl", "github.com/zclconf/go-cty", "zombiezen.com/go/sqlite", "github.com/spf13/cobra", "github.com/jackc/pgx", "github.com/parquet-go"},
}

type listed struct {
	ImportPath string
	Dir        string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,Deps", module+"...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := map[string]listed{}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[strings.TrimPrefix(p.ImportPath, module)] = p
	}
}

func TestImportsAreOneWay(t *testing.T) {
	table := allowed(t)
	for name, p := range list(t) {
		may, ok := table[name]
		if !ok {
			t.Errorf("%s has no place in the table of imports", name)
			continue
		}
		for _, path := range p.Imports {
			imported, own := strings.CutPrefix(path, module)
			if own && !permits(may, imported) {
				t.Errorf("%s must not import %s", name, imported)
			}
		}
	}
}

func permits(may []string, imported string) bool {
	return slices.ContainsFunc(may, func(m string) bool {
		folder, all := strings.CutSuffix(m, "...")
		return m == imported || all && strings.HasPrefix(imported, folder)
	})
}

func TestTasksLinkNoCompiler(t *testing.T) {
	packages := list(t)
	for name, modules := range forbidden {
		p, ok := packages[name]
		if !ok {
			t.Errorf("%s is not there", name)
		}
		for _, dep := range p.Deps {
			for _, m := range modules {
				if dep == m || strings.HasPrefix(dep, m+"/") {
					t.Errorf("%s links %s", name, dep)
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for name, p := range list(t) {
		if _, err := os.Stat(filepath.Join(p.Dir, "doc.go")); err != nil {
			t.Errorf("%s has no doc.go", name)
		}
	}
}
