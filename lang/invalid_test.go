package lang_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

var marker = regexp.MustCompile(`# (ERROR|WARNING): ([^#]+)`)

// TestInvalid loads the files of testdata/invalid. Each guilty line ends with the summary of what is wrong with it; a file must
// have these problems and no others. Together with the other cases here they must show every code that the package has.
func TestInvalid(t *testing.T) {
	seen := map[string]bool{}
	files, err := filepath.Glob("testdata/invalid/*.taf.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, diags := lang.Load(file, src, lang.Options{})
			if diff := cmp.Diff(wanted(src), found(diags, seen)); diff != "" {
				t.Errorf("problems (-marked in the file +reported):\n%s", diff)
			}
		})
	}
	_, diags := lang.Load("x.taf.hcl", []byte("variable \"channel\" { default = 1 }\n"), lang.Options{Variables: map[string]lang.VariableInput{
		"chanel": {Text: "beta", Source: "-var"},
		"PATH":   {Text: "/bin", Source: "the environment", Lenient: true},
	}})
	found(diags, seen)
	_, diags = lang.Load("x.taf.hcl", []byte("analysis { requires_tafc = \">= 2\" }\nnovel { syntax => 1 }\n"), lang.Options{Version: "1.9.3"})
	if got := found(diags, seen); len(got) != 1 {
		t.Errorf("a file for a newer tafc has the problems %q", got)
	}
	_, diags = lang.Load("x.taf.hcl", []byte("locals {\n  a = 1\n}\n"+usedRest+"map \"n\" {\n  command = \"cat\"\n}\n"), lang.Options{Unused: true})
	found(diags, seen)
	codes := codesOfSource(t)
	for _, code := range codes {
		if !seen[code] {
			t.Errorf("no case shows the code %s", code)
		}
	}
	for code := range seen {
		if !slices.Contains(codes, code) {
			t.Errorf("the code %s is not written out in the source", code)
		}
	}
}

// wanted are the markers of a file as "line: severity: summary".
func wanted(src []byte) []string {
	var out []string
	for i, line := range strings.Split(string(src), "\n") {
		for _, m := range marker.FindAllStringSubmatch(line, -1) {
			out = append(out, fmt.Sprintf("%d: %s: %s", i+1, m[1], strings.TrimSpace(m[2])))
		}
	}
	slices.Sort(out)
	return out
}

func found(diags hcl.Diagnostics, seen map[string]bool) []string {
	var out []string
	for _, d := range diags {
		seen[diag.CodeOf(d)] = true
		severity, line := "ERROR", 0
		if d.Severity == hcl.DiagWarning {
			severity = "WARNING"
		}
		if d.Subject != nil {
			line = d.Subject.Start.Line
		}
		out = append(out, fmt.Sprintf("%d: %s: %s", line, severity, d.Summary))
	}
	slices.Sort(out)
	return out
}

// codesOfSource finds every code that the package writes out.
func codesOfSource(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := []string{diag.SyntaxCode}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(lang/[a-z-]+)"`).FindAllStringSubmatch(string(src), -1) {
			codes = append(codes, m[1])
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}
