package taftest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/tools/txtar"

	"github.com/tafc/tafc/internal/taftest"
)

const specFolder = "../../testdata/spec"

// specCase is a case of the specification.
type specCase struct {
	path    string
	section string // of docs/language.md
	valid   bool
	archive *txtar.Archive
}

// specCases reads testdata/spec. A case begins with "Section: HEADING" and says what it shows.
func specCases(t *testing.T) []specCase {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(specFolder, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cases []specCase
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		section, about, _ := strings.Cut(string(a.Comment), "\n")
		name, ok := strings.CutPrefix(section, "Section: ")
		if !ok || strings.TrimSpace(about) == "" {
			t.Errorf("%s does not begin with \"Section: …\" and what it shows", path)
		}
		invalid := slices.ContainsFunc(a.Files, func(f txtar.File) bool {
			return f.Name == "out/diagnostics" && strings.Contains("\n"+string(f.Data), "\nError: ")
		})
		cases = append(cases, specCase{path, strings.TrimSpace(name), !invalid, a})
	}
	return cases
}

// common are the files that every case can use.
func common(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"index", "mapper.py", "reducer.py"} {
		data, err := os.ReadFile(filepath.Join(specFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	return files
}

// TestSpec runs the cases. A valid one is written in JSON as well, where it must mean the same.
func TestSpec(t *testing.T) {
	shared := common(t)
	for _, c := range specCases(t) {
		t.Run(strings.TrimSuffix(filepath.Base(c.path), ".txtar"), func(t *testing.T) {
			got, err := taftest.Spec(c.archive, shared)
			if err != nil {
				t.Fatal(err)
			}
			checked := 0
			for i, f := range c.archive.Files {
				if !strings.HasPrefix(f.Name, "out/") {
					continue
				}
				checked++
				if d := diff.Diff("want "+f.Name, f.Data, "got "+f.Name, []byte(got[f.Name])); d != nil && os.Getenv("TAFC_UPDATE") == "" {
					t.Errorf("%s\nTAFC_UPDATE=1 go test accepts it", d)
				}
				c.archive.Files[i].Data = []byte(got[f.Name])
			}
			if checked == 0 {
				t.Fatal("the case has no out/ file")
			}
			if os.Getenv("TAFC_UPDATE") != "" {
				if err := os.WriteFile(c.path, txtar.Format(c.archive), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if got["out/plan.json"] == "" {
				return
			}
			twin, err := taftest.Spec(inJSON(t, c.archive, func(string) bool { return true }), shared)
			if err != nil {
				t.Fatal(err)
			}
			for _, out := range []string{"out/description", "out/files", "out/graph", "out/plan", "out/plan.json"} {
				if d := diff.Diff("native "+out, []byte(got[out]), "JSON "+out, []byte(twin[out])); d != nil {
					t.Errorf("%s\n%s", d, twin["out/diagnostics"])
				}
			}
		})
	}
}

// oneSided are sections that say only what is right; what is not built yet has no cases.
var oneSided = map[string]bool{"The least that works": true, "A whole analysis": true}

// TestSpecCoversTheLanguage makes sure that each section of docs/language.md has a case that is valid and one that is not.
func TestSpecCoversTheLanguage(t *testing.T) {
	src, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	code := false
	for line := range strings.Lines(string(src)) {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if marks, heading, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !code && strings.Trim(marks, "#") == "" && len(marks) > 1 && heading != "Blocks" && heading != "What is not built yet" {
			sections = append(sections, heading)
		}
	}
	valid, invalid := map[string]bool{}, map[string]bool{}
	for _, c := range specCases(t) {
		if !slices.Contains(sections, c.section) {
			t.Errorf("%s: docs/language.md has no section %q", c.path, c.section)
		}
		valid[c.section] = valid[c.section] || c.valid
		invalid[c.section] = invalid[c.section] || !c.valid
	}
	for _, section := range sections {
		switch {
		case oneSided[section] && (valid[section] || invalid[section]):
		case !valid[section]:
			t.Errorf("section %q of docs/language.md has no valid case: write testdata/spec/NAME.txtar that begins with \"Section: %s\"", section, section)
		case !invalid[section]:
			t.Errorf("section %q of docs/language.md has no invalid case: write testdata/spec/NAME.txtar that begins with \"Section: %s\"", section, section)
		}
	}
}
