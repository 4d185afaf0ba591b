package docs_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/reference"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/stdlib/funcs"
)

// TestReference compares docs/reference with what its generator makes. TAFC_UPDATE=1 writes it.
func TestReference(t *testing.T) {
	want := reference.Pages()
	if os.Getenv("TAFC_UPDATE") != "" {
		for name, text := range want {
			if err := os.WriteFile(filepath.Join("reference", name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	found, err := filepath.Glob("reference/*")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(path)] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/reference is not fresh; TAFC_UPDATE=1 go test ./docs -run TestReference writes it (-generated +page):\n%s", diff)
	}
	for name, f := range funcs.Table(funcs.World{}) {
		if f.Description() == "" {
			t.Errorf("the function %s has no description", name)
		}
	}
}

// TestConditions compares the table of conditions of language.md with the language.
func TestConditions(t *testing.T) {
	var got []string
	page := read(t, "language.md")
	for _, row := range append(rows(page.section(t, "Conditions")), rows(page.section(t, "Conditions on records"))...) {
		for _, word := range codeIn(row[0]) {
			if name, _, ok := strings.Cut(word, "("); ok && !slices.Contains(got, name) {
				got = append(got, name)
			}
		}
	}
	want := map[string]bool{}
	for _, c := range lang.Conditions() {
		want[c.Name] = true
		if !strings.HasSuffix(c.Doc, ".") {
			t.Errorf("%s: %q is not a sentence", c.Name, c.Doc)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), got); diff != "" {
		t.Errorf("conditions (-language +page):\n%s", diff)
	}
}
