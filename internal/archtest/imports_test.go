package archtest_test

import (
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

// allowed says which packages of the project each package may import, without tests. A package that is not listed fails,
// so that a new one gets its place in the order. A trailing /... stands for a folder of packages.
var allowed = map[string][]string{
	"internal/atomicfile":      {},
	"internal/addr":            {},
	"internal/diag":            {"internal/redact"},
	"internal/require":         {},
	"internal/lazy":            {},
	"internal/redact":          {},
	"internal/pgtest":          {},
	"internal/order":           {},
	"internal/sarif":           {"internal/diag", "docs"},
	"internal/imagelock":       {"internal/atomicfile", "internal/lazy"},
	"internal/s3client":        {},
	"internal/s3test":          {},
	"internal/archtest":        {},
	"stdlib/funcs":             {},
	"stdlib/helpers":           {},
	"runtime/job":              {},
	"runtime/pin":              {},
	"runtime/codec":            {},
	"runtime/pairs":            {"runtime/job"},
	"runtime/parquet":          {"runtime/job", "runtime/pairs"},
	"runtime/usercode":         {"internal/lazy", "runtime/job", "stdlib/helpers"},
	"runtime/extract":          {"internal/order", "runtime/job", "runtime/pairs"},
	"runtime/operation":        {"runtime/job", "runtime/extract", "runtime/pairs", "runtime/usercode"},
	"runtime/frame":            {"runtime/job", "runtime/extract", "runtime/usercode"},
	"runtime/remote":           {"runtime/job", "runtime/pin", "internal/s3client"},
	"runtime/mapper":           {"internal/atomicfile", "runtime/...", "stdlib/helpers"},
	"runtime/agent":            {"internal/atomicfile", "runtime/...", "taskcluster"},
	"cmd/taf-mapper":           {"runtime/agent", "runtime/mapper"},
	"taskcluster":              {"taskcluster/hawk", "taskcluster/scope", "taskcluster/slugid"},
	"taskcluster/hawk":         {},
	"taskcluster/scope":        {},
	"taskcluster/slugid":       {},
	"lang":                     {"internal/lazy", "internal/addr", "internal/diag", "internal/order", "internal/redact", "stdlib/funcs"},
	"index":                    {"internal/order"},
	"index/dir":                {"index", "runtime/pin"},
	"index/columns":            {"index"},
	"index/postgres":           {"index", "index/columns", "internal/redact"},
	"index/service":            {"index", "index/document", "internal/redact"},
	"index/inventory":          {"index", "internal/s3client"},
	"index/s3":                 {"index", "internal/s3client"},
	"index/refresh":            {"index"},
	"index/sqlite":             {"index", "index/columns"},
	"index/document":           {"internal/lazy", "index", "internal/order"},
	"index/open":               {"index", "index/dir", "index/sqlite", "index/postgres", "index/s3", "index/service", "index/inventory", "internal/redact", "internal/s3client"},
	"bundle":                   {"internal/diag"},
	"bundle/syntax":            {"bundle", "internal/atomicfile", "runtime/usercode"},
	"compile":                  {"lang", "index", "index/document", "bundle", "runtime/extract", "runtime/job", "runtime/operation", "internal/addr", "internal/diag", "internal/imagelock", "internal/order", "internal/redact"},
	"plan":                     {"compile", "bundle", "internal/addr", "internal/diag", "runtime/job"},
	"state":                    {"internal/atomicfile", "bundle", "internal/addr", "runtime/job"},
	"engine":                   {"compile", "plan", "bundle", "internal/addr", "runtime/job"},
	"engine/local":             {"internal/atomicfile", "engine", "state", "internal/addr", "runtime/job", "runtime/usercode"},
	"engine/enginetest":        {"engine", "state", "bundle", "internal/addr", "runtime/..."},
	"unittest/jsonvalue":       {},
	"unittest/laws":            {"unittest/jsonvalue"},
	"unittest":                 {"compile", "bundle", "lang", "internal/addr", "internal/diag", "runtime/...", "unittest/..."},
	"internal/view":            {"engine", "plan", "compile", "state", "index", "internal/addr", "runtime/job", "unittest"},
	"cmd/tafc":                 {"..."},
	"testdata/gen":             {},
	"bench":                    {"bench/internal/synthetic", "compile", "index", "index/sqlite", "internal/s3test", "plan", "runtime/job", "state"},
	"bench/listshards":         {},
	"bench/planindex":          {"bench/internal/synthetic", "index", "index/sqlite"},
	"bench/internal/synthetic": {"index"},
	"examples":                 {},
	"docs":                     {},
	"internal/reference":       {"lang", "stdlib/funcs"},
	"internal/importer":        {"lang", "index"},
	"internal/taftest":         {"lang", "compile", "plan", "index", "internal/..."},
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
	for name, p := range list(t) {
		may, ok := allowed[name]
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
