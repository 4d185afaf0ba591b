package syntax_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/bundle/syntax"
	"github.com/tafc/tafc/internal/require"
)

func source(path, text string) bundle.Source {
	lang := bundle.Python
	if strings.Contains(filepath.Ext(path), "js") {
		lang = bundle.JavaScript
	}
	return bundle.Source{Path: path, Language: lang, Data: []byte(text)}
}

// places are problems as path:line:column-line:column code, without what the interpreter says.
func places(problems []bundle.Problem) []string {
	out := []string{}
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%s:%d:%d-%d:%d %s", p.Path, p.Line, p.Column, p.EndLine, p.EndColumn, p.Code))
	}
	return out
}

func TestPlaces(t *testing.T) {
	tests := []struct {
		tool string
		file bundle.Source
		want []string
	}{
		{"python3", source("a.py", "def map(record):\n    yield 1, 2\n"), nil},
		{"python3", source("a.py", "# -*- coding: latin-1 -*-\nx = '\xe9'\n"), nil},
		{"python3", source("a.py", "raise SystemExit(1)\n"), nil}, // it is not run
		{"python3", source("a.py", "x = 'é' y\n"), []string{"a.py:1:9-1:10 bundle/syntax"}},
		{"python3", source("a.py", "\n\nprint 'x'\n"), []string{"a.py:3:1-3:10 bundle/syntax"}},
		{"python3", source("a.py", "if True:\nx = 1\n"), []string{"a.py:2:1-2:2 bundle/syntax"}},
		{"python3", source("a.py", "return 1\n"), []string{"a.py:1:1-1:9 bundle/syntax"}},
		{"python3", source("a.py", "x = 1\x00"), []string{"a.py:1:0-0:0 bundle/syntax"}},
		{"node", source("a.js", "#!/usr/bin/env node\nexports.map = r => [[1, 2]];\nreturn;\n"), nil},
		{"node", source("a.js", "process.exit(1)\n"), nil},
		{"node", source("a.js", "const x = 'é' y;\n"), []string{"a.js:1:15-1:16 bundle/syntax"}},
		{"node", source("a.js", "export function map(r) { return 1 }\nimport fs from 'fs';\n"), nil},
		{"node", source("a.js", "export function map(r) {\n  return 1 2\n}\n"), []string{"a.js:2:12-2:13 bundle/syntax"}},
		{"node", source("a.cjs", "export function map(r) {}\n"), []string{"a.cjs:1:1-1:7 bundle/syntax"}},
		{"node", source("a.mjs", "const x = await 1;\nexport { x };\n"), nil},
		{"node", source("a.mjs", "\nreturn 1;\n"), []string{"a.mjs:2:1-2:7 bundle/syntax"}},
		{"node", bundle.Source{Path: "a.js", Language: bundle.JavaScript, Module: true, Data: []byte("await 1; with (x) {}")}, []string{"a.js:1:10-1:14 bundle/syntax"}},
		{"node", source("a.js", "function f( {\n"), []string{"a.js:2:0-0:0 bundle/syntax"}},
	}
	for _, tool := range []string{"python3", "node"} {
		t.Run(tool, func(t *testing.T) {
			require.Tool(t, tool)
			var files []bundle.Source
			var want []string
			for i, tt := range tests {
				if tt.tool != tool {
					continue
				}
				numbered := fmt.Sprintf("%02d/%s", i, tt.file.Path)
				for _, w := range tt.want {
					want = append(want, strings.Replace(w, tt.file.Path, numbered, 1))
				}
				tt.file.Path = numbered
				files = append(files, tt.file)
			}
			got := syntax.Check(t.Context(), files, nil) // one start for all
			if diff := cmp.Diff(want, places(got)); diff != "" {
				t.Errorf("(-want +got):\n%s\n%v", diff, got)
			}
		})
	}
}

func TestLibraries(t *testing.T) {
	require.Tool(t, "python3")
	f := source("a.py", "import no_such, json\n")
	f.Libraries = []bundle.Library{{Name: "no_such", Line: 1}, {Name: "sys", Line: 1}, {Name: "json", Line: 1}}
	got := syntax.Check(t.Context(), []bundle.Source{f}, nil)
	if diff := cmp.Diff([]string{"a.py:1:0-0:0 bundle/unknown-module"}, places(got)); diff != "" || !got[0].Warning {
		t.Errorf("(-want +got):\n%s\n%v", diff, got)
	}
}

// interpreter makes a program that does as it is told, in place of python3.
func interpreter(t *testing.T, script string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TAFC_PYTHON", path)
}

// TestCache counts how often an interpreter is started.
func TestCache(t *testing.T) {
	real := require.Tool(t, "python3")
	count := filepath.Join(t.TempDir(), "count")
	interpreter(t, fmt.Sprintf("echo >> %s\nexec %s \"$@\"\n", count, real))
	dir := filepath.Join(t.TempDir(), "below", "tafc")
	check := func(starts int, want []string, files ...bundle.Source) {
		t.Helper()
		cache := syntax.OpenCache(dir)
		got := places(syntax.Check(t.Context(), files, cache))
		if err := cache.Save(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("problems (-want +got):\n%s", diff)
		}
		marks, _ := os.ReadFile(count)
		if len(marks) != starts {
			t.Errorf("%d starts of the interpreter so far, want %d", len(marks), starts)
		}
	}
	good, other := source("good.py", "x = 1\n"), source("other.py", "y = 1\n")
	bad := source("bad.py", "x =\n")
	wrong := []string{"bad.py:1:4-1:4 bundle/syntax"}
	check(1, []string{}, good)
	check(1, []string{}, good)
	check(1, []string{}, source("elsewhere.py", "x = 1\n")) // the name is no part of it
	check(2, []string{}, good, other)
	check(2, []string{}, good, other)
	check(3, wrong, good, bad)
	check(4, wrong, bad) // what is wrong is looked at again
	interpreter(t, fmt.Sprintf("echo >> %s\nexec %s \"$@\"\n", count, real))
	check(5, []string{}, good) // another interpreter
}

func TestInterpreterFails(t *testing.T) {
	for name, script := range map[string]string{
		"exits": "echo no good >&2; exit 3", "says nothing": "", "says something else": "echo hello", "answers about others": `echo '{"files":[]}'`,
	} {
		t.Run(name, func(t *testing.T) {
			interpreter(t, script)
			got := syntax.Check(t.Context(), []bundle.Source{source("a.py", "x = 1\n")}, nil)
			if len(got) != 1 || got[0].Code != "bundle/unchecked" || !got[0].Warning {
				t.Errorf("problems %v, want one warning bundle/unchecked", got)
			}
		})
	}
	t.Setenv("TAFC_PYTHON", filepath.Join(t.TempDir(), "nowhere"))
	if got := syntax.Check(t.Context(), []bundle.Source{source("a.py", "x =\n")}, nil); len(got) != 0 {
		t.Errorf("without an interpreter: %v", got)
	}
}
