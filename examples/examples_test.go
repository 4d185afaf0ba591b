package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/internal/ledgertest"
	"github.com/tafc/tafc/internal/require"
)

var examples = []struct {
	name  string
	tools []string
}{
	{"legacy", []string{"python3"}},
	{"memory", nil},
	{"os-count", []string{"python3"}},
	{"os-count-js", []string{"node"}},
	{"slow-startup", []string{"python3"}},
	{"wordcount", []string{"sh"}},
}

// Each example gives what expected.py computed, and has nothing left to do after that.
func TestExamples(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("tasks do not run on Windows")
	}
	tafc := buildTafc(t)
	root := t.TempDir()
	t.Cleanup(func() { ledgertest.Folder(t, root) })
	copyTree(t, ".", filepath.Join(root, "examples"))
	copyTree(t, "../testdata/telemetry", filepath.Join(root, "testdata/telemetry"))
	copyTree(t, "../testdata/text", filepath.Join(root, "testdata/text"))
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			for _, tool := range e.tools {
				require.Tool(t, tool)
			}
			file := filepath.Join("examples", e.name+".taf.hcl")
			run := exec.Command(tafc, "run", file)
			run.Dir = root
			if out, err := run.CombinedOutput(); err != nil {
				t.Fatalf("tafc run %s: %v\n%s", file, err, out)
			}
			got, err := os.ReadFile(filepath.Join(root, "examples/results", e.name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join("../testdata/expected", e.name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			again := exec.Command(tafc, "plan", "-detailed-exitcode", file)
			again.Dir = root
			if out, err := again.CombinedOutput(); err != nil {
				t.Errorf("a plan after the run is not empty: %v\n%s", err, out)
			}
		})
	}
}

// The code of the examples follows the contracts that their files speak of.
func TestContractsOfExamples(t *testing.T) {
	tests := []struct {
		file, kind, hint string
		contract         string
		files            int
	}{
		{"legacy/mapper.py", "map", "", bundle.TelemetryAnalysis, 1},
		{"legacy/reducer.py", "reduce", bundle.TelemetryAnalysis, bundle.TelemetryAnalysis, 1},
		{"os-count/mapper.py", "map", "", bundle.TAF, 1},
		{"os-count/reducer.py", "reduce", bundle.TAF, bundle.TAF, 1},
		{"os-count-js/count.js", "map", "", bundle.TAF, 2},
		{"os-count-js/count.js", "reduce", bundle.TAF, bundle.TAF, 2},
		{"slow-startup/starts.py", "map", "", bundle.TAF, 2},
		{"slow-startup/judge.py", "map", "", bundle.TAF, 1},
		{"slow-startup/summary.py", "reduce", bundle.TAF, bundle.TAF, 1},
		{"wordcount/map.sh", "map", "", bundle.Streaming, 1},
		{"wordcount/reduce.sh", "reduce", bundle.Streaming, bundle.Streaming, 1},
	}
	for _, tt := range tests {
		t.Run(tt.file+" as "+tt.kind, func(t *testing.T) {
			b, problems := bundle.Collect(os.DirFS("."), []string{tt.file})
			if b == nil {
				t.Fatal(problems)
			}
			contract, _, problem := b.Contract(tt.kind, tt.hint)
			if problem != nil {
				t.Fatal(problem)
			}
			if contract != tt.contract || len(b.Files) != tt.files {
				t.Errorf("got %s with %d files, want %s with %d", contract, len(b.Files), tt.contract, tt.files)
			}
		})
	}
}

func buildTafc(t *testing.T) string {
	t.Helper()
	tafc := filepath.Join(t.TempDir(), "tafc")
	if out, err := exec.Command("go", "build", "-o", tafc, "../cmd/tafc").CombinedOutput(); err != nil {
		t.Fatalf("build tafc: %v\n%s", err, out)
	}
	return tafc
}

// copyTree copies a folder without what runs leave in it, so that the tests leave nothing in the repository.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".taf" || d.Name() == "results" || d.Name() == "__pycache__" {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
}
