package bundle_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/bundle"
)

func TestFunctions(t *testing.T) {
	type fns = map[string]bundle.Function
	tests := []struct {
		name, file, code string
		want             fns
	}{
		{"python def", "m.py", "def map(record):\n  def inner(x): pass\nclass A:\n  def reduce(k, v): pass\n", fns{"map": {Params: 1, Line: 1}}},
		{"python many lines", "m.py", "@deco(1,\n 2)\nasync def map(\n    key,  # the uuid, of 36\n    dims: List[str],\n    value=lambda a, b: (a, b), *,\n    only=1, **kw) -> Dict[str, int]:\n  pass\n",
			fns{"map": {Params: 3, Optional: 1, Line: 3}}},
		{"python variadic", "m.py", "def map(a, /, b, *rest, c): pass", fns{"map": {Params: 2, Variadic: true, Line: 1}}},
		{"python alias", "m.py", "def reduce(k, v): return 1\ncombine = reduce\nx = y = lambda a, b=(1, 2): 0\nmap = partial(f, 1)\nN = 3\nS = 'def no(a)'\nd = {}\nif d == reduce: pass",
			fns{"reduce": {Params: 2, Line: 1}, "combine": {Params: 2, Line: 2}, "x": {Params: 2, Optional: 1, Line: 3}, "y": {Params: 2, Optional: 1, Line: 3}, "map": {Variadic: true, Line: 4}}},
		{"python docstring", "m.py", "'''\ndef map(a):\n'''\n\"def map(b, c): \"\ndef map(): pass", fns{"map": {Line: 5}}},
		{"python imported", "m.py", "from lib import reduce as combine, gone\nfrom functools import reduce\ndef map(r): pass", fns{"combine": {Params: 2, Line: 1}, "map": {Params: 1, Line: 3}}},
		{"commonjs", "m.js", "exports.map = function (record) {}\nexports.reduce = async (k, values) => 1\nexports.combine = exports.reduce\nmodule.exports.mapper = function* name(uuid, file, js) {}\nexports['setup'] = ctx => 1\nfunction hidden(a) {}\nexports.N = 1",
			fns{"map": {Params: 1, Line: 1}, "reduce": {Params: 2, Line: 2}, "combine": {Params: 2, Line: 3}, "mapper": {Params: 3, Line: 4}, "setup": {Params: 1, Line: 5}}},
		{"commonjs object", "m.js", "const reduce = (k, [a, b] = [1, 2], ...rest) => 1\nmodule.exports = {\n  async map({a, b}, c = f(1, 2)) { return {x: 1} },\n  reduce, combine: reduce, 'mapper': x => x, ...more,\n  *gen(a) {}, N: 1 }",
			fns{"map": {Params: 2, Optional: 1, Line: 3}, "reduce": {Params: 2, Optional: 1, Variadic: true, Line: 4}, "combine": {Params: 2, Optional: 1, Variadic: true, Line: 4}, "mapper": {Params: 1, Line: 4}, "gen": {Params: 1, Line: 5}}},
		{"es module", "m.mjs", "export async function* map(record) {}\nexport const reduce = (key, values) => 1\nfunction c(a, b) {}\nexport { c as combine }\nexport { setup } from './lib.js'\nexport default 1",
			fns{"map": {Params: 1, Line: 1}, "reduce": {Params: 2, Line: 2}, "combine": {Params: 2, Line: 4}, "setup": {Variadic: true, Line: 5}}},
		{"javascript text", "m.js", "// exports.map = (a) => 1\nconst s = `exports.map = (a) => ${1}`, r = /exports.map = [/]/g\nexports.map = require('./lib').map", fns{"map": {Variadic: true, Line: 3}}},
		{"program", "m.sh", "map() { :; }", nil},
		{"shebang python", "tool", "#!/usr/bin/env python3\ndef map(r): pass", fns{"map": {Params: 1, Line: 2}}},
		{"shebang script", "tool", "#!/usr/bin/env python3\ndef main(r): pass", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, problems := bundle.Collect(tree(map[string]string{tt.file: tt.code, "lib.py": "def reduce(k, v): pass", "lib.js": ""}), []string{tt.file})
			if b == nil {
				t.Fatal(problems)
			}
			if diff := cmp.Diff(tt.want, b.Functions); diff != "" {
				t.Errorf("functions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContract(t *testing.T) {
	tests := []struct {
		name, kind, hint, code string
		contract, function     string
		problem                string // a part of the detail
	}{
		{"taf map", "map", "", "def map(record): pass", "taf", "map", ""},
		{"server map", "map", "", "def map(k, d, v, cx): pass", "telemetry-server", "map", ""},
		{"heka map", "map", "", "def map(id, msg, cx): pass", "telemetry-server", "map", ""},
		{"analysis map", "map", "", "def mapper(u, f, js): pass\ndef reduce(k, v): pass", "telemetry-analysis", "mapper", ""},
		{"default does not confuse", "map", "", "def map(record, cache={}): pass", "taf", "map", ""},
		{"wrong arity", "map", "", "def map(a, b): pass", "", "", "Found map with 2 parameters (line 1); a map needs map(record) for taf"},
		{"wrong mapper", "map", "", "def mapper(a): pass", "", "", "mapper with 1 parameter (line 1)"},
		{"two that fit", "map", "", "def map(r): pass\ndef mapper(u, f, js): pass", "", "", "contract = \"taf\""},
		{"any number", "map", "", "def map(*a): pass", "", "", "map with any number of parameters"},
		{"reduce only", "map", "", "def reduce(key, values): pass", "", "", "The file has only reduce with 2 parameters (line 1), which is the code of a reduce."},
		{"map only", "reduce", "", "def helper(): pass\ndef map(record): pass", "", "", "The file has only map with 1 parameter (line 2), which is the code of a map."},
		{"in a class", "map", "", "class A:\n    def map(self, record): pass", "", "", "map is inside of something else here"},
		{"nothing", "map", "", "x = 1", "", "", "m.py has no functions."},
		{"none", "map", "", "def mapp(r): pass", "", "", `The file has mapp. Did you mean "map"?`},
		{"no functions", "reduce", "", "import sys", "", "", "m.py has no functions"},
		{"reduce", "reduce", "", "def reduce(k, v): pass", "taf", "reduce", ""},
		{"reduce after analysis", "reduce", "telemetry-analysis", "def reduce(k, v): pass", "telemetry-analysis", "reduce", ""},
		{"reduce beside mapper", "reduce", "", "def mapper(u, f, js): pass\ndef reduce(k, v): pass", "telemetry-analysis", "reduce", ""},
		{"reduce beside mapper after taf", "reduce", "taf", "def mapper(u, f, js): pass\ndef reduce(k, v): pass", "taf", "reduce", ""},
		{"reduce after streaming", "reduce", "streaming", "def reduce(k, v): pass", "taf", "reduce", ""},
		{"server reduce", "reduce", "taf", "def reduce(k, v, cx): pass", "telemetry-server", "reduce", ""},
		{"server hint, taf reduce", "reduce", "telemetry-server", "def reduce(k, v): pass", "taf", "reduce", ""},
		{"wrong reduce", "reduce", "", "def reduce(v): pass", "", "", "a reduce needs reduce(key, values) for taf or reduce(key, values, context) for telemetry-server"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, problems := bundle.Collect(tree(map[string]string{"m.py": tt.code}), []string{"m.py"})
			if b == nil {
				t.Fatal(problems)
			}
			contract, function, problem := b.Contract(tt.kind, tt.hint)
			if contract != tt.contract || function != tt.function {
				t.Errorf("got %s %s, want %s %s", contract, function, tt.contract, tt.function)
			}
			if tt.problem == "" && problem != nil {
				t.Error(problem)
			}
			if tt.problem != "" && (problem == nil || !strings.Contains(problem.Detail, tt.problem)) {
				t.Errorf("problem %v, want one with %q", problem, tt.problem)
			}
		})
	}
	b, _ := bundle.Collect(tree(map[string]string{"run": "#!/bin/sh"}), []string{"run"})
	if contract, _, problem := b.Contract("reduce", "taf"); contract != "streaming" || problem != nil {
		t.Errorf("a program got %s, %v", contract, problem)
	}
}

func TestHasCombine(t *testing.T) {
	for code, want := range map[string]bool{
		"def reduce(k, v): pass\ncombine = reduce": true,
		"def combine(k, v): pass":                  true,
		"# combine = reduce":                       false,
		"combine = None":                           false,
	} {
		b, _ := bundle.Collect(tree(map[string]string{"m.py": code}), []string{"m.py"})
		if got := b.HasCombine(); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}

// The scanners read whatever users write: they must come to an end without a panic, and see the same twice.
func FuzzPython(f *testing.F) {
	fuzz(f, "m.py", "import a\nfrom .b import (c,\n d as e)", "def f(a, *b): '''", "x = lambda: [\\\n")
}

func FuzzJavaScript(f *testing.F) {
	fuzz(f, "m.js", "import {a as b} from './x'", "module.exports = {map", "`${`${", "exports.map = async (", "/[/]/.x = require('./y')")
}

func fuzz(f *testing.F, name string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, code string) {
		files := tree(map[string]string{name: "", "a.py": "import m", "x.js": ""})
		files[name].Data = []byte(code)
		one, p1 := bundle.Collect(files, []string{name})
		two, p2 := bundle.Collect(files, []string{name})
		if diff := cmp.Diff(one, two); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(p1, p2); diff != "" {
			t.Error(diff)
		}
		for _, p := range p1 {
			if p.Line < 0 || p.Line > strings.Count(code, "\n")+1 {
				t.Errorf("line %d of %q", p.Line, code)
			}
		}
	})
}

// TestCheckSaid is about contracts and entries that the analysis names.
func TestCheckSaid(t *testing.T) {
	tests := []struct {
		name, file, kind, contract, entry, code string
		problem                                 string // a part of the detail
		line                                    int
	}{
		{"entry", "m.py", "map", "", "count", "def count(record): pass", "", 0},
		{"entry of another contract", "m.py", "map", "telemetry-analysis", "count", "def count(record): pass", "Found count with 1 parameter (line 1); a map needs count(uuid, file, json) for telemetry-analysis.", 1},
		{"entry that is not there", "m.py", "map", "", "cuont", "\ndef count(record): pass", `m.py has no function "cuont" at the top level of the file. Did you mean "count"?`, 0},
		{"entry that cannot be seen", "m.py", "map", "", "count", "from somewhere import *", "", 0},
		{"entry from elsewhere", "m.py", "map", "", "count", "from somewhere import a, count", "", 0},
		{"entry by assignment", "m.py", "map", "", "count", "if True:\n  count = make()", "", 0},
		{"a builtin is no function of the file", "m.py", "map", "taf", "", "x = [map(str, [1])]", "m.py has no functions.", 0},
		{"contract", "m.py", "reduce", "telemetry-server", "", "def reduce(key, values): pass", "a reduce needs reduce(key, values, context) for telemetry-server.", 1},
		{"streaming", "m.py", "map", "streaming", "", "", "", 0},
		{"not exported", "m.js", "map", "", "count", "function count(r) {}", "", 0},
		{"exported as a whole", "m.js", "map", "taf", "", "module.exports = require('somewhere')", "", 0},
		{"other export", "m.js", "map", "taf", "", "exports.mop = r => 1", `Did you mean "map"?`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := bundle.Inspect(tree(map[string]string{tt.file: tt.code}), []string{tt.file}).Bundle
			p := b.CheckSaid(tt.kind, tt.contract, tt.entry)
			switch {
			case p == nil && tt.problem != "":
				t.Errorf("no problem, want one with %q", tt.problem)
			case p != nil && (tt.problem == "" || !strings.Contains(p.Detail, tt.problem) || p.Line != tt.line):
				t.Errorf("problem %v, want one with %q in line %d", p, tt.problem, tt.line)
			}
		})
	}
}
