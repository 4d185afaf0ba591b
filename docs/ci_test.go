package docs_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ciFolder is a folder with a good analysis, and with a wrong one when it shall be.
func ciFolder(t *testing.T, wrong bool) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"good.taf.hcl": "index \"d\" {\n  source = \"dir:data\"\n}\nfilter \"all\" {}\nmap \"m\" {\n  command = \"cat\"\n}\noutput \"o\" {\n  value = map.m\n}\n"}
	if wrong {
		files["wrong.taf.hcl"] = strings.Replace(files["good.taf.hcl"], "map.m", "map.n", 1)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shell runs a script as CI services do, with tafc in the PATH, and returns how it ended and what it printed.
func shell(t *testing.T, dir, program string, args ...string) (code int, out string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no sh")
	}
	bin, err := tafc()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, bin)
	}
	c := exec.Command(program, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+filepath.Dir(bin)+string(os.PathListSeparator)+os.Getenv("PATH"), "REPORT=report.json", "NO_COLOR=1")
	text, err := c.CombinedOutput()
	if err != nil && c.ProcessState.ExitCode() <= 0 {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(text)
}

func TestShellScript(t *testing.T) {
	script, err := filepath.Abs("ci/validate.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		dir  string
		code int
		says string
	}{
		{ciFolder(t, false), 0, "The analysis is valid."},
		{ciFolder(t, true), 1, "[lang/unknown-reference]"},
		{t.TempDir(), 64, "there is no *.taf.hcl or *.taf.json in ."},
		{filepath.Join(t.TempDir(), "nowhere"), 2, "nowhere"},
	} {
		code, out := shell(t, "", "sh", script, tt.dir)
		if code != tt.code && (tt.code != 2 || code == 0) || !strings.Contains(out, tt.says) {
			t.Errorf("%s: exit code %d, want %d, and %q in\n%s", tt.dir, code, tt.code, tt.says, out)
		}
		var report struct{ Valid bool }
		text, err := os.ReadFile(filepath.Join(tt.dir, "report.json"))
		if tt.code < 2 && (err != nil || json.Unmarshal(text, &report) != nil || report.Valid != (tt.code == 0)) {
			t.Errorf("%s: report %s, %v", tt.dir, text, err)
		}
	}
}

// TestWorkflow runs the steps of the GitHub workflow that check, as GitHub does: bash -e.
func TestWorkflow(t *testing.T) {
	text, err := os.ReadFile("ci/github-actions.yml")
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]string{}
	name := ""
	for line := range strings.Lines(string(text)) {
		if m := regexp.MustCompile(`^      - name: (.*)\n`).FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if m := regexp.MustCompile(`^        run: (.*)\n`).FindStringSubmatch(line); m != nil {
			steps[name] = m[1]
		}
	}
	for _, tt := range []struct {
		wrong bool
		want  map[string]int
	}{
		{false, map[string]int{"Canonical form": 0, "Validate": 0, "Report for code scanning": 0}},
		{true, map[string]int{"Canonical form": 0, "Validate": 1, "Report for code scanning": 0}},
	} {
		dir := ciFolder(t, tt.wrong)
		got := map[string]int{}
		for name, command := range steps {
			if name == "Install tafc" {
				continue
			}
			code, out := shell(t, dir, "bash", "-e", "-c", command)
			if got[name] = code; name == "Validate" && tt.wrong && !strings.HasPrefix(out, "::error file=wrong.taf.hcl,line=9,") {
				t.Errorf("%s prints\n%s", name, out)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("exit codes of steps (-want +got):\n%s", diff)
		}
		var sarif struct {
			Runs []struct{ Results []struct{ RuleID string } }
		}
		text, err := os.ReadFile(filepath.Join(dir, "tafc.sarif"))
		if err != nil || json.Unmarshal(text, &sarif) != nil || len(sarif.Runs) != 1 || (len(sarif.Runs[0].Results) > 0) != tt.wrong {
			t.Errorf("the file to upload: %v\n%s", err, text)
		}
	}
}

// TestHooks makes sure that the commands of the hooks are there, and that they choose the files that they are for.
func TestHooks(t *testing.T) {
	text, err := os.ReadFile("../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	entries := regexp.MustCompile(`(?m)^  entry: tafc (\S+)$`).FindAllStringSubmatch(string(text), -1)
	files := regexp.MustCompile(`(?m)^  files: (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(entries) != 2 || len(files) != 2 {
		t.Fatalf("%d hooks with %d patterns, want 2", len(entries), len(files))
	}
	for i, e := range entries {
		output(t, "", e[1], "-help")
		pattern := regexp.MustCompile(files[i][1])
		if !pattern.MatchString("dir/a.taf.hcl") || pattern.MatchString("main.tf") || pattern.MatchString("a.taf.json") != (e[1] == "validate") {
			t.Errorf("the hook for %s takes %s", e[1], pattern)
		}
	}
}
