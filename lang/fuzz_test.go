package lang_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/taftest"
	"github.com/tafc/tafc/lang"
)

func seeds(f *testing.F) {
	f.Helper()
	for _, src := range seedSources(f) {
		f.Add(src)
	}
}

// seedSources are the analyses of testdata in the native syntax.
func seedSources(f *testing.F) [][]byte {
	f.Helper()
	out := archived(f, "testdata/describe/*.txtar", ".taf.hcl")
	files, err := filepath.Glob("testdata/invalid/*.taf.hcl")
	if err != nil || len(files) == 0 {
		f.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, src)
	}
	return out
}

// archived are the files of archives whose names end in a suffix.
func archived(f *testing.F, pattern, suffix string) [][]byte {
	f.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		f.Fatalf("%s: no archives: %v", pattern, err)
	}
	var out [][]byte
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, suffix) {
				out = append(out, file.Data)
			}
		}
	}
	return out
}

// FuzzLoad checks that no text makes Load panic, that every problem lies inside the file and has a code, that the order of problems is
// theirs, and that a file without errors has an analysis with a map and an output.
func FuzzLoad(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) { checkLoad(t, "fuzz.taf.hcl", src) })
}

// FuzzLoadJSON is FuzzLoad for the JSON syntax.
func FuzzLoadJSON(f *testing.F) {
	for _, src := range seedSources(f) {
		if twin, err := taftest.JSON(src); err == nil {
			f.Add(twin)
		}
	}
	for _, file := range archived(f, "testdata/describe/json-*.txtar", ".taf.json") {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, src []byte) { checkLoad(t, "fuzz.taf.json", src) })
}

// FuzzVarFile checks that no file of variables makes ParseVarFile panic, in either syntax, and that problems lie inside the file.
func FuzzVarFile(f *testing.F) {
	for _, src := range []string{"channel = \"beta\"\ndays = [\"20140308\", 1]\n", "a = var.b\n", "block {}\n", `{"channel": "beta", "n": {"a": [1, null, true]}}`, `{"a": "${1 + 2}"}`, `[{}]`} {
		f.Add([]byte(src), false)
		f.Add([]byte(src), true)
	}
	f.Fuzz(func(t *testing.T, src []byte, asJSON bool) {
		name := "fuzz.tfvars"
		if asJSON {
			name = "fuzz.json"
		}
		vars, diags := lang.ParseVarFile(name, src)
		for _, d := range diags {
			if d.Subject != nil {
				checkRange(t, name, *d.Subject, src)
			}
		}
		lang.Load("fuzz.taf.hcl", []byte("variable \"channel\" {\n  type = list(string)\n}\n"), lang.Options{Variables: vars})
	})
}

func checkLoad(t *testing.T, name string, src []byte) {
	t.Helper()
	a, diags := lang.Load(name, src, lang.Options{})
	for _, d := range diags {
		if d.Summary == "" || diag.CodeOf(d) == "" {
			t.Errorf("a diagnostic without summary or code: %v", d)
		}
		if d.Subject != nil {
			checkRange(t, name, *d.Subject, src)
		}
		for _, r := range diag.RelatedOf(d) {
			checkRange(t, name, r.Range, src)
		}
	}
	var text bytes.Buffer
	if err := diag.NewReport(diags, map[string][]byte{name: src}).WriteText(&text, 60, true); err != nil {
		t.Error(err)
	}
	described := lang.Describe(a)
	if !diags.HasErrors() && !bytes.Contains(src, []byte("for_each")) && (len(a.Stages) == 0 || len(a.Outputs) == 0) {
		t.Errorf("no errors, but this analysis:\n%s", described)
	}
}

func checkRange(t *testing.T, name string, r hcl.Range, src []byte) {
	t.Helper()
	if r.Filename != name || r.Start.Byte < 0 || r.Start.Byte > r.End.Byte || r.End.Byte > len(src) || r.Start.Line < 1 || r.End.Line < r.Start.Line {
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
