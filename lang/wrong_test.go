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

// grows are lists that become longer with the language.
var grows = regexp.MustCompile(` Its (arguments|blocks) are [^.\n]*\.`)

// TestWrong loads a collection of files with one mistake each, as people make them, and compares all that is said with testdata/wrong/want.txt.
// The page is to be read: would a beginner know what to do? TAFC_UPDATE=1 accepts changes.
func TestWrong(t *testing.T) {
	const golden = "testdata/wrong/want.txt"
	files, err := filepath.Glob("testdata/wrong/*.taf.*")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	slices.Sort(files)
	var b strings.Builder
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, diags := lang.Load(filepath.Base(file), src, lang.Options{ReadFile: func(name string) ([]byte, error) {
			return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
		}})
		if !diags.HasErrors() {
			t.Errorf("%s: nothing is wrong", file)
		}
		fmt.Fprintf(&b, "%s\n", filepath.Base(file))
		for _, d := range diags {
			fmt.Fprintf(&b, "  %s [%s] %s: %s\n", placeOf(d), diag.CodeOf(d), d.Summary, d.Detail)
		}
	}
	got := grows.ReplaceAllString(b.String(), " Its $1 are ….")
	if os.Getenv("TAFC_UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-golden +said):\n%s", diff)
	}
}

func placeOf(d *hcl.Diagnostic) string {
	if d.Subject == nil {
		return "nowhere"
	}
	s := d.Subject
	return fmt.Sprintf("%d:%d-%d:%d", s.Start.Line, s.Start.Column, s.End.Line, s.End.Column)
}
