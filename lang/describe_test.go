package lang_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

var update = flag.Bool("update", false, "write the goldens anew")

// TestDescribe loads the analysis in each testdata/describe/*.txtar and compares what Describe says with the file "want". A file "vars" holds
// values of variables, a line each; all other files are what the functions of the analysis can read.
func TestDescribe(t *testing.T) {
	files, err := filepath.Glob("testdata/describe/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := world{}
			var name string
			for _, f := range archive.Files {
				w[f.Name] = string(f.Data)
				if strings.HasSuffix(f.Name, ".taf.hcl") || strings.HasSuffix(f.Name, ".taf.json") {
					name = f.Name
				}
			}
			got := describe(name, w)
			if *update {
				set(archive, "want", got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(w["want"], got); diff != "" {
				t.Errorf("Describe (-want +got):\n%s", diff)
			}
			if again := describe(name, w); again != got {
				t.Errorf("the second time it is\n%s", again)
			}
		})
	}
}

func set(a *txtar.Archive, name, data string) {
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		i = len(a.Files)
		a.Files = append(a.Files, txtar.File{Name: name})
	}
	a.Files[i].Data = []byte(data)
}

// describe is the analysis as text, or its problems; with warnings only, both.
func describe(name string, w world) string {
	a, diags := lang.Load(name, []byte(w[name]), w.options())
	if len(diags) == 0 {
		return lang.Describe(a)
	}
	var text strings.Builder
	if !diags.HasErrors() {
		text.WriteString(lang.Describe(a))
	}
	report := diag.NewReport(diags, map[string][]byte{name: []byte(w[name])})
	if err := report.WriteText(&text, 0, false); err != nil {
		return err.Error()
	}
	return text.String()
}

// world is the files that an analysis can read, by name.
type world map[string]string

func (w world) options() lang.Options {
	variables := map[string]lang.VariableInput{}
	for line := range strings.Lines(w["vars"]) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		variables[name] = lang.VariableInput{Text: value, Source: "-var"}
	}
	return lang.Options{
		Now: time.Date(2014, 3, 8, 12, 0, 0, 0, time.UTC), Variables: variables,
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := w[path]; ok {
				return []byte(text), nil
			}
			return nil, fmt.Errorf("open %s: %w", path, os.ErrNotExist)
		},
		Glob: func(pattern string) ([]string, error) {
			var names []string
			for name := range w {
				if ok, err := filepath.Match(pattern, name); err != nil {
					return nil, err
				} else if ok {
					names = append(names, name)
				}
			}
			return names, nil
		},
		LookupEnv: func(name string) (string, bool) { return "firefox", name == "TAF_APP" },
	}
}
