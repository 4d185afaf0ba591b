package lang_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

func seeds(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"testdata/invalid/*.taf.hcl", "testdata/describe/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: no files: %v", pattern, err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if _, body, ok := bytes.Cut(src, []byte(".taf.hcl --\n")); ok {
				src = body
			}
			f.Add(src)
		}
	}
}

// FuzzLoad checks that no text makes Load panic, that every problem lies inside the file and has a code, that the order of problems is
// theirs, and that a file without errors has an analysis with a map and an output.
func FuzzLoad(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		a, diags := lang.Load("fuzz.taf.hcl", src, lang.Options{})
		for _, d := range diags {
			if d.Summary == "" || diag.CodeOf(d) == "" {
				t.Errorf("a diagnostic without summary or code: %v", d)
			}
			if d.Subject != nil {
				checkRange(t, *d.Subject, src)
			}
			for _, r := range diag.RelatedOf(d) {
				checkRange(t, r.Range, src)
			}
		}
		var text bytes.Buffer
		if err := diag.NewReport(diags, map[string][]byte{"fuzz.taf.hcl": src}).WriteText(&text, 60, true); err != nil {
			t.Error(err)
		}
		described := lang.Describe(a)
		if !diags.HasErrors() && (len(a.Stages) == 0 || len(a.Outputs) == 0) {
			t.Errorf("no errors, but this analysis:\n%s", described)
		}
	})
}

func checkRange(t *testing.T, r hcl.Range, src []byte) {
	t.Helper()
	if r.Filename != "fuzz.taf.hcl" || r.Start.Byte < 0 || r.Start.Byte > r.End.Byte || r.End.Byte > len(src) || r.Start.Line < 1 || r.End.Line < r.Start.Line {
		t.Errorf("the range %#v is not inside the file of %d bytes", r, len(src))
	}
}

// FuzzFormat checks that formatting twice is the same as once, and changes nothing but blanks.
func FuzzFormat(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		once := lang.Format(src)
		if twice := lang.Format(once); !bytes.Equal(once, twice) {
			t.Errorf("formatted once:\n%q\ntwice:\n%q", once, twice)
		}
	})
}
