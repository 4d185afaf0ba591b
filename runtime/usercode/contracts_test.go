package usercode_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// telemetry are records as the ancestors stored them.
var telemetry = []string{
	`id-1	{"info":{"OS":"WINNT","version":7},"list":[1,{"n":2}]}`,
	`id-2	{"info":{"OS":"Liñux"},	"text":"ab"}`,
}

// mapCase is a map in both languages that must give the same.
type mapCase struct {
	name, contract, function string
	python, javascript       string
	format                   string // empty: telemetry
	fields                   []string
	records                  []string // nil: telemetry
	want                     string
	form                     job.Form
	counts, bad              string
}

var mapCases = []mapCase{
	{
		name: "taf generator", contract: "taf",
		python:     "def map(r):\n  yield r.value['info']['OS'], 1\n  yield [r.key, len(r.raw)], {'é': [r.file, r.dims['appName'], r.dims[0]]}",
		javascript: "exports.map = function* (r) {\n yield [r.value.info.OS, 1];\n yield [[r.key, r.raw.length], {'é': [r.file, r.dims.appName, r.dims[0]]}]\n}",
		want: `"WINNT"	1
["id-1",54]	{"é":["f","Firefox","saved_session"]}
"Liñux"	1
["id-2",36]	{"é":["f","Firefox","saved_session"]}
`,
	},
	{
		name: "taf returns a pair, pairs, or nothing", contract: "taf", format: "lines", records: []string{"one", "list", "none", "empty"},
		python:     "def map(r):\n  return {'one': ('k', 1), 'list': [('a', 1), ('b', 2)], 'none': None, 'empty': []}[r.value]",
		javascript: "exports.map = (r) => ({one: ['k', 1], list: [['a', 1], ['b', 2]], none: null, empty: []})[r.value]",
		want:       "\"k\"\t1\n\"a\"\t1\n\"b\"\t2\n",
	},
	{
		name: "taf finish emits what was summed up", contract: "taf",
		python:     "n = 0\ndef setup(context):\n  context.count('set up')\ndef map(r):\n  global n\n  n += 1\ndef finish(context):\n  context.count('finished', 2)\n  yield 'n', n",
		javascript: "let n = 0\nexports.setup = (context) => context.count('set up')\nexports.map = (r) => { n++ }\nexports.finish = function* (context) { context.count('finished', 2); yield ['n', n] }",
		want:       "\"n\"\t2\n", counts: "set up 1,finished 2",
	},
	{
		name: "taf fields", contract: "taf", fields: []string{"info.OS", "info.version", "list[1].n", "list[9]"},
		python:     "def map(r):\n  f = r.fields\n  yield f['info.OS'], [f['info.version'], f['list[1].n'], f['list[9]'], f.get('info.version', 0), len(f), 'info.version' in f]",
		javascript: "exports.map = function* ({fields: f}) { yield [f['info.OS'], [f['info.version'], f['list[1].n'], f['list[9]'], f['info.version'] ?? 0, Object.keys(f).length, f['info.version'] !== null]] }",
		want:       "\"WINNT\"\t[7,2,null,7,4,true]\n\"Liñux\"\t[null,null,null,0,4,false]\n",
	},
	{
		name: "taf over pairs", contract: "taf", format: "pairs", records: []string{`["a",1]	{"n":1}`, `"k"	`, `null	"v"`},
		python:     "def map(r):\n  yield r.key, r.value",
		javascript: "exports.map = function* (r) { yield [r.key, r.value] }",
		want:       "[\"a\",1]\t{\"n\":1}\n\"k\"\tnull\nnull\t\"v\"\n",
	},
	{
		name: "taf records with newlines", contract: "taf", format: "whole", records: []string{"a\nb", "", "c\n"},
		python:     "def map(r):\n  yield r.key, r.value",
		javascript: "exports.map = (r) => [r.key, r.value]",
		want:       "null\t\"a\\nb\"\nnull\t\"\"\nnull\t\"c\\n\"\n",
	},
	{
		name: "taf other function, async", contract: "taf", function: "other",
		python:     "def other(r):\n  yield r.key, 1",
		javascript: "exports.other = async function* (r) { await null; yield [r.key, 1] }",
		want:       "\"id-1\"\t1\n\"id-2\"\t1\n",
	},
	{
		name: "bytes that are not UTF-8 come through", contract: "taf", format: "lines", records: []string{"a\xffb\xc3\xa9", "\xed\xa0\x80"},
		python:     "def map(r):\n  yield r.raw, r.bytes[1]",
		javascript: "exports.map = (r) => [r.raw, r.bytes[1]]",
		want:       "\"a\\udcffbé\"\t255\n\"\\udced\\udca0\\udc80\"\t160\n",
	},
	{
		name: "telemetry-server", contract: "telemetry-server",
		python:     "import json\ndef map(key, dims, value, context):\n  context.count('seen')\n  context.write((key, dims[1]), json.loads(value)['info']['OS'])",
		javascript: "exports.map = (key, dims, value, context) => { context.count('seen'); context.write([key, dims[1]], JSON.parse(value).info.OS) }",
		want:       "[\"id-1\",\"Firefox\"]\t\"WINNT\"\n[\"id-2\",\"Firefox\"]\t\"Liñux\"\n", counts: "seen 2",
	},
	{
		name:       "telemetry-server of heka, found by its parameters",
		python:     "def map(key, value, context):\n  context.write(key, value['info'])",
		javascript: "exports.map = (key, value, context) => context.write(key, value.info)",
		want:       "\"id-1\"\t{\"OS\":\"WINNT\",\"version\":7}\n\"id-2\"\t{\"OS\":\"Liñux\"}\n",
	},
	{
		name:       "telemetry-analysis, found by its name",
		python:     "def mapper(uuid, file, js):\n  return js['info']['OS'] + ' 1 ' + uuid + '\\n' + file + ' 2'",
		javascript: "exports.mapper = (uuid, file, js) => js.info.OS + ' 1 ' + uuid + '\\n' + file + ' 2'",
		want:       "\"WINNT\"\t\"WINNT 1 id-1\"\n\"s3/f\"\t\"s3/f 2\"\n\"Liñux\"\t\"Liñux 1 id-2\"\n\"s3/f\"\t\"s3/f 2\"\n", form: job.FormLines,
	},
	{
		name: "telemetry-analysis needs a value after the key", contract: "telemetry-analysis",
		python:     "def mapper(uuid, file, js):\n  return uuid if uuid == 'id-1' else ''",
		javascript: "exports.mapper = (uuid) => (uuid === 'id-1' ? uuid : '')",
		form:       job.FormLines, bad: "1 code mapper gave the line",
	},
	{
		name: "a record that does not parse is bad only when its value is asked for", contract: "taf",
		records:    []string{"a\t{", "b\t{", "no tab", "c\t{}", "d\t\"\xff\""},
		python:     "def map(r):\n  yield r.key, 1 if r.key == 'a' else r.value",
		javascript: "exports.map = (r) => [r.key, r.key === 'a' ? 1 : r.value]",
		want:       "\"a\"\t1\n\"c\"\t{}\n",
		bad:        "2 corrupt the record is not JSON|3 corrupt the record has no TAB|5 corrupt the record is not UTF-8",
	},
	{
		name: "code that parses by itself", contract: "telemetry-server", records: []string{"a\t{", "b\t1"},
		python:     "import json\ndef map(key, dims, value, context):\n  context.write(key, json.loads(value))\n  int('x')",
		javascript: "exports.map = (key, dims, value, context) => { context.write(key, JSON.parse(value)); JSON.parse('x') }",
		bad:        "1 corrupt the record is not JSON|2 code ",
	},
}

func TestMap(t *testing.T) {
	for _, tt := range mapCases {
		for language, source := range map[string]string{"python": tt.python, "javascript": tt.javascript} {
			t.Run(tt.name+"/"+language, func(t *testing.T) {
				t.Parallel()
				code := write(t, language, tt.contract, "m"+extension[language], source)
				code.Function = tt.function
				records := tt.records
				if records == nil {
					records = telemetry
				}
				o := usercode.Options{Code: code, Format: tt.format, Fields: tt.fields}
				keyed := tt.format == "" || tt.format == "pairs"
				switch tt.format {
				case "":
					o.Format = "telemetry"
				case "pairs":
					o.Format = ""
				}
				r := &recorder{}
				p, err := start(t, o, r)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Map(block("f", keyed, records...)); err != nil {
					t.Errorf("Map: %v", err)
				}
				if err := p.Close(); err != nil {
					t.Fatalf("%v\n%s", err, r.log())
				}
				if diff := cmp.Diff(tt.want, r.pairs.String()); diff != "" {
					t.Errorf("pairs (-want +got):\n%s", diff)
				}
				if want := max(tt.form, job.FormPairs); tt.form == job.FormLines && p.Form() != job.FormLines || tt.form == "" && p.Form() != job.FormPairs {
					t.Errorf("form %s, want %s", p.Form(), want)
				}
				if got := strings.Join(r.counts, ","); got != tt.counts {
					t.Errorf("counters %q, want %q", got, tt.counts)
				}
				compareBad(t, r.bad, tt.bad)
				if r.done != 1 || p.PeakMemory() < 1<<20 {
					t.Errorf("%d blocks done, peak memory %d", r.done, p.PeakMemory())
				}
			})
		}
	}
}

var extension = map[string]string{"python": ".py", "javascript": ".js"}

// compareBad compares the beginnings of what was said of bad records.
func compareBad(t *testing.T, got []string, want string) {
	t.Helper()
	var wanted []string
	if want != "" {
		wanted = strings.Split(want, "|")
	}
	if len(got) != len(wanted) {
		t.Fatalf("bad records %q, want %q", got, wanted)
	}
	for i := range got {
		if !strings.HasPrefix(got[i], wanted[i]) {
			t.Errorf("bad record %q, want %q", got[i], wanted[i])
		}
	}
}

// reduceCase is a reduce or a combine in both languages that must give the same.
type reduceCase struct {
	name, contract     string
	role               job.Role // empty: reduce
	python, javascript string
	in                 job.Form // empty: pairs
	lines, want        string
	form               job.Form
	counts             string
}

const counted = "[\"a\",1]\t1\n[\"a\",1]\t2\n\"b\"\t5\n\"c\"\t\nnull\t{\"x\":\"é\\u0001\"}\n"

var reduceCases = []reduceCase{
	{
		name: "taf returns a value", contract: "taf", lines: counted,
		python:     "def reduce(key, values):\n  return [key, list(values), len(values)]",
		javascript: "exports.reduce = (key, values) => [key, [...values], values.length]",
		want:       "[\"a\",1]\t[[\"a\",1],[1,2],2]\n\"b\"\t[\"b\",[5],1]\n\"c\"\t[\"c\",[null],1]\nnull\t[null,[{\"x\":\"é\\u0001\"}],1]\n",
	},
	{
		name: "taf yields pairs, or nothing", contract: "taf", lines: counted,
		python:     "def reduce(key, values):\n  for v in values:\n    if key != 'b': yield v, key",
		javascript: "exports.reduce = function* (key, values) { for (const v of values) if (key !== 'b') yield [v, key] }",
		want:       "1\t[\"a\",1]\n2\t[\"a\",1]\nnull\t\"c\"\n{\"x\":\"é\\u0001\"}\tnull\n",
	},
	{
		name: "taf without a value, async", contract: "taf", lines: counted,
		python:     "def reduce(key, values):\n  if key == 'b': return sum(values)",
		javascript: "exports.reduce = async (key, values) => { await null; if (key === 'b') return values.reduce((a, b) => a + b, 0) }",
		want:       "\"b\"\t5\n", counts: "taf.no_value 3",
	},
	{
		name: "taf combine", contract: "taf", role: job.RoleCombine, lines: "\"a\"\t1\n\"a\"\t2\n1\t5\n",
		python:     "def reduce(k, v): pass\ndef combine(key, values):\n  return sum(values)",
		javascript: "exports.combine = (key, values) => { let n = 0; for (const v of values) n += v; return n }",
		want:       "\"a\"\t3\n1\t5\n",
	},
	{
		name: "telemetry-server pairs", contract: "telemetry-server", lines: counted,
		python:     "def setup_reduce(context):\n  context.count('set up')\ndef reduce(key, values, context):\n  context.write(key, str(len(values)))",
		javascript: "exports.setup_reduce = (context) => context.count('set up')\nexports.reduce = (key, values, context) => context.write(key, String(values.length))",
		want:       "[\"a\",1]\t\"2\"\n\"b\"\t\"1\"\n\"c\"\t\"1\"\nnull\t\"1\"\n", counts: "set up 1",
	},
	{
		name: "telemetry-server lines, found by its parameters", lines: "\"b\"\t5\n\"c\"\t\"x, y\"\n",
		python:     "def setup_reduce(context):\n  context.field_separator = ':'\n  context.writeline('head')\ndef reduce(key, values, context):\n  context.write(key, values[0])\n  context.writecsv([key] + values)",
		javascript: "exports.setup_reduce = (context) => { context.field_separator = ':'; context.writeline('head') }\nexports.reduce = (key, values, context) => { context.write(key, values[0]); context.writecsv([key, ...values]) }",
		want:       "null\t\"head\"\n\"b\"\t\"b:5\"\n\"b\"\t\"b,5\"\n\"c\"\t\"c:x, y\"\n\"c\"\t\"c,\\\"x, y\\\"\"\n", form: job.FormLines,
	},
	{
		name: "telemetry-server combine", contract: "telemetry-server", role: job.RoleCombine, lines: "[\"a\",1]\t1\n[\"a\",1]\t2\n\"é\"\t5\n",
		python:     "def reduce(key, values, context):\n  context.write(key, sum(values))\ncombine = reduce",
		javascript: "exports.combine = (key, values, context) => context.write(key, values.reduce((a, b) => a + b))",
		want:       "[\"a\",1]\t3\n\"é\"\t5\n",
	},
	{
		name: "telemetry-analysis, found by the form", in: job.FormLines, lines: "\"WINNT\"\t\"WINNT 1\"\n\"WINNT\"\t\"WINNT 2 x y\"\n",
		python:     "def reduce(k, v):\n  return k + ' ' + str(sum(int(i) for i in v)) + '\\n\\nmore'",
		javascript: "exports.reduce = (k, v) => k + ' ' + v.reduce((a, b) => a + Number(b), 0) + '\\n\\nmore'",
		want:       "\"WINNT\"\t\"WINNT 3\"\n\"more\"\t\"more\"\n", form: job.FormLines, counts: "taf.extra_tokens 1",
	},
	{
		name: "telemetry-analysis over pairs", contract: "telemetry-analysis", lines: "\"a\"\t1\n\"a\"\t\"x\"\n",
		python:     "def reduce(k, v):\n  return k + ' ' + ','.join(v)",
		javascript: "exports.reduce = (k, v) => k + ' ' + v.join()",
		want:       "\"a\"\t\"a 1,x\"\n", form: job.FormLines,
	},
	{
		name: "taf finish emits", contract: "taf", lines: counted,
		python:     "n = 0\ndef reduce(key, values):\n  global n\n  n += len(values)\ndef finish(context):\n  return context.role, n",
		javascript: "let n = 0\nexports.reduce = (key, values) => { n += values.length }\nexports.finish = (context) => [context.role, n]",
		want:       "\"reduce\"\t5\n", counts: "taf.no_value 4",
	},
}

func TestReduce(t *testing.T) {
	for _, tt := range reduceCases {
		for language, source := range map[string]string{"python": tt.python, "javascript": tt.javascript} {
			t.Run(tt.name+"/"+language, func(t *testing.T) {
				t.Parallel()
				o := usercode.Options{Role: tt.role, Code: write(t, language, tt.contract, "m"+extension[language], source), Form: tt.in}
				if o.Role == "" {
					o.Role = job.RoleReduce
				}
				if o.Form == "" {
					o.Form = job.FormPairs
				}
				half := strings.Index(tt.lines, "\n") + 1
				r, p, err := runPairs(t, o, tt.lines[:half], tt.lines[half:])
				if err != nil {
					t.Fatalf("%v\n%s", err, userError(t, err).Stack)
				}
				if diff := cmp.Diff(tt.want, r.pairs.String()); diff != "" {
					t.Errorf("pairs (-want +got):\n%s", diff)
				}
				if got := strings.Join(r.counts, ","); got != tt.counts {
					t.Errorf("counters %q, want %q", got, tt.counts)
				}
				if want := tt.form; want == "" && p.Form() != job.FormPairs || want != "" && p.Form() != want {
					t.Errorf("form %q, want %q", p.Form(), want)
				}
			})
		}
	}
}
