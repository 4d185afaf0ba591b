package usercode_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// failing is a map in one language that fails as a whole, over the records r1 … r5.
type failing struct {
	name, language, contract, source string
	more                             []string // further files
	message, hint, stack             string   // parts of what the Error says
	exit                             string
	at                               int64 // the record, 0 for none
	fatal                            bool
	cause                            job.Cause // empty: code
}

// die is code that does something at the third record, in the second block.
func diePython(what string) string {
	return "import os, sys, time, signal\ndef map(r):\n  if r.raw == 'r3':\n    " + what + "\n  yield r.raw, 1"
}

func dieJavaScript(what string) string {
	return "exports.map = function* (r) {\n  if (r.raw === 'r3') {\n    " + what + "\n  }\n  yield [r.raw, 1]\n}"
}

var failures = []failing{
	{name: "os._exit", language: "python", source: diePython("os._exit(0)"), message: "m.py ended by itself (exit status 0)", hint: "os._exit", exit: "exit status 0", at: 3},
	{name: "os._exit with code", language: "python", source: diePython("print('last words', flush=True); print('wrong', file=sys.stderr); os._exit(7)"), message: "(exit status 7)", stack: "wrong", exit: "exit status 7", at: 3},
	{name: "killed", language: "python", source: diePython("os.kill(os.getpid(), signal.SIGKILL)"), message: "m.py was killed from outside (signal: killed)", hint: "memory", exit: "signal: killed", at: 3},
	{name: "segfault", language: "python", source: diePython("import ctypes; ctypes.string_at(0)"), message: "m.py crashed (signal: segmentation fault", hint: "native", stack: "m.py", exit: "signal: segmentation fault", at: 3},
	{name: "exec", language: "python", source: diePython("os.execvp('true', ['true'])"), message: "ended by itself", exit: "exit status 0", at: 3},
	{name: "closes the pipe", language: "python", source: diePython("os.close(4)"), message: "ended by itself", at: 0},
	{name: "terminated", language: "python", source: diePython("os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)"), message: "m.py was killed from outside (signal: terminated)", hint: "again", exit: "signal: terminated", at: 3},
	{name: "finish makes a death final", language: "python", source: diePython("os._exit(0)") + "\ndef finish(c): pass", message: "ended by itself", exit: "exit status 0", at: 3, fatal: true},
	{name: "writes to the pipe", language: "python", source: diePython("os.write(4, b'hello')"), message: "the helper is not understood", hint: "file descriptors", cause: job.CauseBug, at: 0},

	{name: "killed", language: "javascript", source: dieJavaScript("process.kill(process.pid, 'SIGKILL')\n for (;;);"), message: "m.js was killed from outside (signal: killed)", exit: "signal: killed", at: 3},
	{name: "abort", language: "javascript", source: dieJavaScript("process.abort()"), message: "m.js crashed (signal: aborted", exit: "signal: aborted", at: 3},
	{name: "reallyExit", language: "javascript", source: dieJavaScript("process.reallyExit(5)"), message: "m.js ended by itself (exit status 5)", exit: "exit status 5", at: 3},
	{name: "never settles", language: "javascript", source: "exports.map = (r) => r.raw === 'r3' ? new Promise(() => {}) : null", message: "a promise that never settles", at: 3},
	{name: "thrown later", language: "javascript", source: "exports.map = async (r) => { if (r.raw === 'r3') { setTimeout(() => { throw new RangeError('late') }, 1); await new Promise((ok) => setTimeout(ok, 5000)) } }", message: "RangeError: late", stack: "m.js:1", at: 3},
	{name: "rejected and forgotten", language: "javascript", source: dieJavaScript("Promise.reject(new RangeError('lost'))"), message: "RangeError: lost", stack: "m.js:3", at: 0},

	{name: "syntax error", language: "python", source: "def map(r):\n  yield 1\n  x = = 2\n", message: "SyntaxError: invalid syntax (m.py, line 3)", stack: "x = = 2", fatal: true},
	{name: "syntax error in an import", language: "python", source: "import lib.other", more: []string{"lib/other.py", "\n\n\tx ="}, message: "(lib/other.py, line 3)", stack: "m.py", fatal: true},
	{name: "import error", language: "python", source: "import nowhere\ndef map(r): pass", message: "ModuleNotFoundError: No module named 'nowhere'", hint: "add its file to code", stack: `File "m.py", line 1`, fatal: true},
	{name: "raises while it is loaded", language: "python", source: "import lib\ndef map(r): pass", more: []string{"lib.py", "x = 1\ny = {}['a']"}, message: "KeyError: 'a'", stack: `File "lib.py", line 2`, fatal: true},
	{name: "exits while it is loaded", language: "python", source: "import sys\nsys.exit(3)", message: "SystemExit: 3", hint: "sys.exit", fatal: true},
	{name: "missing function", language: "python", source: "import os\ndef mapp(r): pass\ndef other(): pass", message: "m.py has no function map(record)", hint: "it defines mapp, other", fatal: true},
	{name: "no function", language: "python", source: "x = 1", message: "m.py has no function map(record)", hint: "defines no function", fatal: true},
	{name: "not a function", language: "python", source: "map = 5", message: "map in m.py is a int", fatal: true},
	{name: "wrong number of parameters", language: "python", contract: "taf", source: "def map(a, b): pass", message: "map in m.py has 2 parameters, but the contract taf calls map(record)", hint: "contract", fatal: true},
	{name: "wrong number of parameters, detected", language: "python", source: "def map(a, b): pass", message: "has 2 parameters", fatal: true},
	{name: "unknown contract", language: "python", contract: "other", source: "def map(a): pass", message: `there is no contract 'other' for a map`, hint: "telemetry-server", fatal: true},
	{name: "setup raises", language: "python", source: "def setup(c):\n  raise RuntimeError('no')\ndef map(r): pass", message: "RuntimeError: no", stack: "line 2, in setup", fatal: true},
	{name: "finish raises", language: "python", source: "def finish(c):\n  raise RuntimeError('no')\ndef map(r): pass", message: "RuntimeError: no", stack: "line 2, in finish", fatal: true},

	{name: "syntax error", language: "javascript", source: "exports.map = 1\nlet x = = 2\n", message: "SyntaxError: Unexpected token '=' (m.js, line 2)", stack: "let x = = 2", fatal: true},
	{name: "syntax error in an ES module", language: "javascript", source: "export function map() {}\nlet x = = 2\n", message: "(m.js, line 2)", fatal: true},
	{name: "import error", language: "javascript", source: "require('./nowhere')", message: "Cannot find module './nowhere'", hint: "add its file to code", stack: "m.js:1", fatal: true},
	{name: "missing function", language: "javascript", source: "exports.mapp = () => 1; exports.x = 1", message: "m.js exports no function map(record)", hint: "it exports mapp", fatal: true},
	{name: "wrong number of parameters", language: "javascript", contract: "taf", source: "exports.map = (a, b) => 1", message: "map in m.js has 2 parameters, but the contract taf calls map(record)", fatal: true},
	{name: "setup throws", language: "javascript", source: "exports.setup = async () => {\n throw new Error('no')\n}\nexports.map = () => 1", message: "Error: no", stack: "m.js:2", fatal: true},
	{name: "finish throws", language: "javascript", source: "exports.finish = () => {\n throw new Error('no')\n}\nexports.map = () => null", message: "Error: no", stack: "m.js:2", fatal: true},
	{name: "throws while it is loaded", language: "javascript", source: "import './lib.js'", more: []string{"lib.js", "export {}\nnull.x"}, message: "TypeError: Cannot read properties of null (reading 'x')", stack: "lib.js:2", fatal: true},
}

func TestFailures(t *testing.T) {
	for _, tt := range failures {
		t.Run(tt.name+"/"+tt.language, func(t *testing.T) {
			t.Parallel()
			code := write(t, tt.language, tt.contract, append([]string{"m" + extension[tt.language], tt.source}, tt.more...)...)
			second := block("f", false, "r3", "r4")
			second.First = 3
			third := block("f", false, "r5")
			third.First = 5
			r, err := runMap(t, usercode.Options{Code: code, Format: "lines"}, block("f", false, "r1", "r2"), second, third)
			e := userError(t, err)
			if tt.cause == "" {
				tt.cause = job.CauseCode
			}
			contains(t, "message", e.Message, tt.message)
			contains(t, "hint", e.Hint, tt.hint)
			contains(t, "stack", e.Stack, tt.stack)
			contains(t, "exit", e.Exit, tt.exit)
			if e.Cause != tt.cause || e.Fatal != tt.fatal || e.Signature == "" {
				t.Errorf("cause %s, fatal %v, signature %q", e.Cause, e.Fatal, e.Signature)
			}
			var at int64
			if e.At != nil {
				at = e.At.Record
			}
			if at != tt.at {
				t.Errorf("at record %d, want %d", at, tt.at)
			}
			if strings.Contains(e.Message+e.Stack+e.Hint+e.Signature, code.Dir) {
				t.Errorf("it tells of the folder of the code: %+v", e)
			}
			if tt.at > 0 {
				if r.done != 1 {
					t.Errorf("%d blocks done, want 1", r.done)
				}
				if tt.language == "python" && r.pairs.String() != "\"r1\"\t1\n\"r2\"\t1\n" {
					t.Errorf("pairs of the block in which it died were passed on:\n%s", r.pairs.String())
				}
			}
		})
	}
}

// A strict program tells of a bad record before it has seen the rest of the block, which may take for ever.
func TestStrictTellsAtOnce(t *testing.T) {
	stop := errors.New("one is too many")
	for language, source := range map[string]string{
		"python":     "import time\ndef map(r):\n  if r.raw == 'r2':\n    raise KeyError('no')\n  if r.raw == 'r3':\n    time.sleep(1000)\n  yield r.raw, 1",
		"javascript": "exports.map = (r) => {\n  if (r.raw === 'r2') throw new Error('no')\n  while (r.raw === 'r3');\n  return [r.raw, 1]\n}",
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			code := write(t, language, "taf", "m"+extension[language], source)
			r := &recorder{onBad: func() error { return stop }}
			p, err := start(t, usercode.Options{Code: code, Format: "lines", Strict: true}, r)
			if err != nil {
				t.Fatal(err)
			}
			_ = p.Map(block("f", false, "r1", "r2", "r3")) // Close tells
			if err := p.Close(); !errors.Is(err, stop) || len(r.errs) != 1 || r.errs[0].At.Record != 2 {
				t.Errorf("got %v, bad records %v", err, r.bad)
			}
		})
	}
}

// Code that makes a copy of its process, which then goes on as if it were the task, does not disturb the task.
func TestForkedCopyIsNotHeard(t *testing.T) {
	code := write(t, "python", "taf", "m.py", "import os\ndef map(r):\n  if r.raw == 'r1':\n    os.fork()\n  yield r.raw, 1")
	r, err := runMap(t, usercode.Options{Code: code, Format: "lines"}, block("f", false, "r1", "r2"), block("f", false, "r3"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.pairs.String(), "\"r1\"\t1\n\"r2\"\t1\n\"r3\"\t1\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// badCase is a map that fails on each record.
type badCase struct {
	name, language, source          string
	message, hint, stack, signature string
	cause                           job.Cause
}

var badCases = []badCase{
	{name: "raises", language: "python", source: "def map(r):\n  yield 1, 2\n  lib(r)\n\ndef lib(r):\n  {}['info']",
		message: "KeyError: 'info'", stack: "Traceback (most recent call last):\n  File \"m.py\", line 3, in map\n    lib(r)\n  File \"m.py\", line 6, in lib\n    {}['info']\nKeyError: 'info'", signature: "KeyError: 'info' at m.py:6"},
	{name: "raises a value", language: "python", source: "def map(r):\n  return int('id 17')", message: "ValueError: invalid literal for int() with base 10: 'id 17'", signature: "ValueError: invalid literal for int() with base N: '…' at m.py:2"},
	{name: "raises from", language: "python", source: "def map(r):\n  try:\n    1/0\n  except Exception as e:\n    raise RuntimeError('no') from e", message: "RuntimeError: no", stack: "ZeroDivisionError", signature: "RuntimeError: no at m.py:5"},
	{name: "recursion", language: "python", source: "def map(r):\n  return map(r)", message: "RecursionError: maximum recursion depth", stack: "Previous line repeated"},
	{name: "sys.exit", language: "python", source: "import sys\ndef map(r):\n  sys.exit('bye')", message: "SystemExit: bye", hint: "sys.exit", signature: "SystemExit: bye at m.py:3"},
	{name: "memory", language: "python", source: "def map(r):\n  raise MemoryError()", message: "MemoryError", cause: job.CauseMemory},
	{name: "in a library", language: "python", source: "import json\ndef map(r):\n  json.loads('{')", message: "JSONDecodeError", stack: `File "json/decoder.py"`, signature: "at m.py:3"},
	{name: "no pairs", language: "python", source: "def map(r):\n  return 'text'", message: "map gave a str ('text') instead of pairs", hint: "yield key, value"},
	{name: "async", language: "python", source: "async def map(r):\n  return 1, 2", message: "map gave a coroutine", hint: "async"},
	{name: "no pair", language: "python", source: "def map(r):\n  yield 'text'", message: "map gave 'text' where a pair should be", hint: "yield key, value"},
	{name: "set", language: "python", source: "def map(r):\n  yield 1, {'a': {1}}", message: "a set cannot be written as JSON", hint: "sorted(x)"},
	{name: "bytes", language: "python", source: "def map(r):\n  yield r.bytes, 1", message: "a bytes cannot", hint: "decode"},
	{name: "date", language: "python", source: "import datetime\ndef map(r):\n  yield 1, datetime.date(2014, 3, 8)", message: "a date cannot", hint: "isoformat"},
	{name: "nan", language: "python", source: "def map(r):\n  yield 1, [float('nan')]", message: "Out of range float values", hint: "nan"},
	{name: "tuple as member", language: "python", source: "def map(r):\n  yield 1, {(1, 2): 3}", message: "keys must be str", hint: "str(key)"},
	{name: "circular", language: "python", source: "def map(r):\n  x = []\n  x.append(x)\n  yield 1, x", message: "Circular reference"},
	{name: "too long", language: "python", source: "def map(r):\n  yield 1, 'x' * 2000000", message: "a pair of 2000005 characters is longer than the limit of 1000000"},
	{name: "attribute", language: "python", source: "def map(r):\n  yield r.values, 1", message: "AttributeError: a record has no 'values', but key, file"},
	{name: "field", language: "python", source: "def map(r):\n  yield r.fields['infos'], 1", message: "infos is not among the fields of the stage: info.OS"},

	{name: "throws", language: "javascript", source: "exports.map = function* (r) {\n  yield [1, 2]\n  lib(r)\n}\nfunction lib(r) {\n  r.no.info\n}",
		message: "TypeError: Cannot read properties of undefined (reading 'info')", stack: "    at lib (m.js:6:8)\n    at exports.map (m.js:3:3)", signature: "TypeError: Cannot read properties of undefined (reading 'info') at m.js:6"},
	{name: "throws in an ES module", language: "javascript", source: "export async function* map(r) {\n  await null\n  throw new Error('at 12')\n}", message: "Error: at 12", stack: "at map (m.js:3:9)", signature: "Error: at N at m.js:3"},
	{name: "throws text", language: "javascript", source: "exports.map = () => { throw 'text' }", message: `thrown: "text"`, hint: "throw new Error"},
	{name: "rejects", language: "javascript", source: "exports.map = () => Promise.reject(new RangeError('no'))", message: "RangeError: no"},
	{name: "exits", language: "javascript", source: "exports.map = () => process.exit(3)", message: "SystemExit: process.exit(3)", hint: "process.exit"},
	{name: "no pairs", language: "javascript", source: "exports.map = () => 'text'", message: `map gave "text" instead of pairs`, hint: "yield [key, value]"},
	{name: "no pair", language: "javascript", source: "exports.map = function* () { yield 'text' }", message: `map gave "text" where a pair should be`},
	{name: "Map", language: "javascript", source: "exports.map = function* () { yield [1, {a: new Map()}] }", message: "a Map cannot be written as JSON", hint: "fromEntries"},
	{name: "nan", language: "javascript", source: "exports.map = () => [1, [NaN]]", message: "NaN cannot be written as JSON", hint: "null"},
	{name: "undefined", language: "javascript", source: "exports.map = (r) => [r.no, 1]", message: "undefined cannot be written as JSON"},
	{name: "circular", language: "javascript", source: "exports.map = () => { const x = []; x.push(x); return [1, x] }", message: "circular structure"},
	{name: "field", language: "javascript", source: "exports.map = (r) => [r.fields.infos, 1]", message: "infos is not among the fields of the stage: info.OS"},
}

func TestBadRecords(t *testing.T) {
	for _, tt := range badCases {
		t.Run(tt.name+"/"+tt.language, func(t *testing.T) {
			t.Parallel()
			code := write(t, tt.language, "taf", "m"+extension[tt.language], tt.source)
			r, err := runMap(t, usercode.Options{Code: code, Format: "telemetry", Fields: []string{"info.OS"}, MaxRecord: 1_000_000}, block("f", true, "a\t{}", "b\t{}"))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.errs) != 2 || r.pairs.Len() > 0 || r.done != 1 {
				t.Fatalf("bad records %q, pairs %q, %d blocks done", r.bad, r.pairs.String(), r.done)
			}
			e := r.errs[1]
			contains(t, "message", e.Message, tt.message)
			contains(t, "hint", e.Hint, tt.hint)
			contains(t, "stack", e.Stack, tt.stack)
			contains(t, "signature", e.Signature, tt.signature)
			if tt.cause == "" {
				tt.cause = job.CauseCode
			}
			if e.Cause != tt.cause || e.At == nil || e.At.Record != 2 || e.At.Text != "b\t{}" {
				t.Errorf("cause %s at %+v", e.Cause, e.At)
			}
			if strings.Contains(e.Message+e.Stack, code.Dir) || strings.Contains(e.Stack, "taf_contracts") && tt.signature != "" {
				t.Errorf("the stack shows more than the user's code:\n%s", e.Stack)
			}
		})
	}
}

// Nothing that a bad record emitted or counted is passed on, and the good ones beside it are.
func TestBadRecordsLeaveNothing(t *testing.T) {
	for language, source := range map[string]string{
		"python":     "c = None\ndef setup(context):\n  global c\n  c = context\ndef map(r):\n  c.count('n')\n  yield r.raw, 1\n  if int(r.raw) % 3 == 0: raise ValueError('three')\n  yield r.raw, 2",
		"javascript": "let c\nexports.setup = (context) => { c = context }\nexports.map = function* (r) { c.count('n'); yield [r.raw, 1]; if (r.raw % 3 === 0) throw new Error('three'); yield [r.raw, 2] }",
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			var records []string
			var want strings.Builder
			for i := range 100 {
				records = append(records, fmt.Sprint(i))
				if i%3 != 0 {
					fmt.Fprintf(&want, "\"%d\"\t1\n\"%d\"\t2\n", i, i)
				}
			}
			r, err := runMap(t, usercode.Options{Code: write(t, language, "", "m"+extension[language], source), Format: "lines"}, block("f", false, records...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), r.pairs.String()); diff != "" {
				t.Error(diff)
			}
			if len(r.bad) != 34 || strings.Join(r.counts, ",") != "n 66" {
				t.Errorf("%d bad records, counters %q", len(r.bad), r.counts)
			}
		})
	}
}

// What the code prints is only ever log lines.
func TestPrints(t *testing.T) {
	for language, source := range map[string]string{
		"python":     "import os, sys\ndef map(r):\n  print('out', 'café \\udcff')\n  print('err', file=sys.stderr)\n  os.write(1, b'direct\\n')\n  r.context.log('log', 1)\n  sys.stdout.write('no newline')\n  yield 1, 1\ndef finish(c):\n  print('x' * 1000000)",
		"javascript": "const fs = require('fs')\nexports.map = (r) => { console.log('out', 'café'); console.error('err'); fs.writeSync(1, 'direct\\n'); r.context.log('log', 1); process.stdout.write('no newline'); return [1, 1] }\nexports.finish = () => console.log('x'.repeat(1000000))",
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			r, err := runMap(t, usercode.Options{Code: write(t, language, "taf", "m"+extension[language], source), Format: "lines"}, block("f", false, "r"))
			if err != nil || r.pairs.String() != "1\t1\n" {
				t.Fatalf("%v, pairs %q", err, r.pairs.String())
			}
			contains(t, "log", r.log(), "out café", "err", "direct", "log 1", "no newlinexxx")
			if n := len(r.log()); n > 20000 {
				t.Errorf("a line of a million characters was kept with %d", n)
			}
		})
	}
}

// A program that never ends is ended by Kill and by the context, with all that it has started, and its place is known.
func TestNeverReturns(t *testing.T) {
	sources := map[string]string{
		"python":     "import subprocess, time\nsubprocess.Popen(['sleep', '1000'])\ndef map(r):\n  while r.raw == 'r2': time.sleep(1)",
		"javascript": "require('child_process').spawn('sleep', ['1000'], {stdio: 'inherit'})\nexports.map = (r) => { while (r.raw === 'r2'); }",
	}
	for language, source := range sources {
		for _, by := range []string{"Kill", "context"} {
			t.Run(language+"/"+by, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancelCause(t.Context())
				r := &recorder{}
				code := write(t, language, "taf", "m"+extension[language], source)
				p, err := usercode.Start(ctx, usercode.Options{Role: job.RoleMap, Code: code, Format: "lines", WorkDir: t.TempDir()}, r)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Map(block("f", false, "r1", "r2")); err != nil {
					t.Fatal(err)
				}
				var at job.Place
				for ok := false; !ok || at.Record != 2; at, ok = p.At() {
					time.Sleep(10 * time.Millisecond)
				}
				why := errors.New("enough")
				time.AfterFunc(50*time.Millisecond, func() {
					if by == "Kill" {
						p.Kill()
					} else {
						cancel(why)
					}
				})
				began := time.Now()
				err = p.Close()
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("it took %v to end it", took)
				}
				if by == "context" {
					if !errors.Is(err, why) {
						t.Errorf("got %v", err)
					}
					return
				}
				e := userError(t, err)
				if e.Message != code.Entry+" was stopped by force" || e.At == nil || e.At.Record != 2 || e.At.Text != "r2" {
					t.Errorf("got %+v", e)
				}
			})
		}
	}
}

// An error of the Sink stops the program and is what Close returns.
func TestSinkFails(t *testing.T) {
	full := errors.New("disk full")
	for _, where := range []string{"pairs", "bad"} {
		t.Run(where, func(t *testing.T) {
			r := &recorder{}
			if where == "pairs" {
				r.onPairs = func([]byte) error { return full }
			} else {
				r.onBad = func() error { return full }
			}
			code := write(t, "python", "taf", "m.py", "def map(r):\n  yield r.raw, 1\n  if r.raw == 'x': 1/0")
			p, err := start(t, usercode.Options{Code: code, Format: "lines"}, r)
			if err != nil {
				t.Fatal(err)
			}
			failed := false
			for range 1000 {
				if failed = p.Map(block("f", false, "r", "x")) != nil; failed {
					break
				}
			}
			if err := p.Close(); !errors.Is(err, full) || !failed {
				t.Errorf("Close: %v; Map failed: %v", err, failed)
			}
		})
	}
}

func TestReduceFails(t *testing.T) {
	tests := []struct {
		name, language, source string
		role                   job.Role
		message, key           string
	}{
		{"raises", "python", "def reduce(k, v):\n  if k == 'b': 1/0", job.RoleReduce, "ZeroDivisionError: division by zero", `"b"`},
		{"dies", "python", "import os\ndef reduce(k, v):\n  if k == 'b': os._exit(1)", job.RoleReduce, "ended by itself", `"b"`},
		{"throws", "javascript", "exports.reduce = (k, v) => { if (k === 'b') null.x }", job.RoleReduce, "TypeError", `"b"`},
		{"dies", "javascript", "exports.reduce = (k, v) => { if (k === 'b') process.abort() }", job.RoleReduce, "crashed", `"b"`},
		{"combine gives nothing", "python", "def combine(k, v): pass", job.RoleCombine, "combine gave nothing instead of one value", `"a"`},
		{"combine gives a generator", "javascript", "exports.combine = function* (k, v) {}", job.RoleCombine, "combine gave a generator instead of one value", `"a"`},
		{"combine writes another key", "python", "def combine(k, v, context):\n  context.write('x', 1)", job.RoleCombine, "combine wrote the key 'x'", `"a"`},
	}
	for _, tt := range tests {
		t.Run(tt.name+"/"+tt.language, func(t *testing.T) {
			t.Parallel()
			_, _, err := runPairs(t, usercode.Options{Role: tt.role, Code: write(t, tt.language, "", "m"+extension[tt.language], tt.source), Form: job.FormPairs}, "\"a\"\t1\n\"b\"\t2\n\"c\"\t3\n")
			e := userError(t, err)
			contains(t, "message", e.Message, tt.message)
			if e.Key != tt.key || !e.Fatal {
				t.Errorf("at key %q, fatal %v", e.Key, e.Fatal)
			}
		})
	}
}

// Where a language is not installed the Error says so.
func TestNotInstalled(t *testing.T) {
	for language, tool := range map[string]string{"python": "python3", "javascript": "node"} {
		dir := t.TempDir()
		code := &job.Code{Dir: dir, Entry: "m", Language: language, Contract: "taf"}
		_, err := start(t, usercode.Options{Code: code, Env: map[string]string{"PATH": dir}}, &recorder{})
		e := userError(t, err)
		if e.Message != tool+" is not installed here" || e.Hint == "" || e.Cause != job.CauseCode || !e.Fatal {
			t.Errorf("%s: %+v", language, e)
		}
	}
}

// Running code leaves its folder as it was, and the working folder with nothing but the helper.
func TestFoldersStayClean(t *testing.T) {
	code := write(t, "python", "taf", "sub/m.py", "import os, lib, near\ndef map(r):\n  yield os.getcwd() == os.path.realpath(os.environ['WORK']), [lib.x, near.y, os.environ['TAF_ROLE']]", "lib.py", "x = 1", "sub/near.py", "y = 2")
	work := t.TempDir()
	r, err := runMap(t, usercode.Options{Code: code, Format: "lines", WorkDir: work, Env: map[string]string{"WORK": work}}, block("f", false, "r"))
	if err != nil || r.pairs.String() != "true\t[1,2,\"map\"]\n" {
		t.Fatalf("%v, pairs %q", err, r.pairs.String())
	}
	var found []string
	for _, dir := range []string{code.Dir, work} {
		if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if name, _ := filepath.Rel(dir, path); !strings.HasPrefix(d.Name(), "taf_") {
				found = append(found, name)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{".", "lib.py", "sub", "sub/m.py", "sub/near.py", ".", ".taf-helper"}, found); diff != "" {
		t.Error(diff)
	}
}
