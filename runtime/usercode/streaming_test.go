package usercode_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

func TestStreamingMap(t *testing.T) {
	tests := []struct {
		name    string
		command string
		format  string
		records []string
		want    string
		counts  string
		logs    string
	}{
		{"records as they are", "cat", "telemetry", []string{"id\t{\"a\":\t1}", "no tab", "", "\t"}, "\"id\"\t\"{\\\"a\\\":\\t1}\"\n\"no tab\"\t\n\"\"\t\n\"\"\t\"\"\n", "", ""},
		{"bytes that are not UTF-8", "cat", "lines", []string{"a\xff\tb\xc3\xa9\xed\xa0\x80"}, "\"a\\udcff\"\t\"bé\\udced\\udca0\\udc80\"\n", "", ""},
		{"pairs as text", "cat", "", []string{`"a"	"b\"\udcff"`, `["x",1]	{"y":"é"}`, `"c"	`, `1	null`, `"t\tab"	"new\nline"`}, "\"a\"\t\"b\\\"\\udcff\"\n\"[\\\"x\\\",1]\"\t\"{\\\"y\\\":\\\"é\\\"}\"\n\"c\"\t\n\"1\"\t\"null\"\n\"\\\"t\\\\tab\\\"\"\t\"\\\"new\\\\nline\\\"\"\n", "", ""},
		{"a whole file", "wc -l", "whole", []string{"a\nb\nc"}, "\"3\"\t\n", "", ""},
		{"no newline at the end", "cat >/dev/null; printf 'k\\tv'", "lines", []string{"x"}, "\"k\"\t\"v\"\n", "", ""},
		{"Hadoop's messages", "cat >/dev/null; echo reporter:counter:group,some name,3 >&2; echo reporter:status:half >&2; echo plain >&2; echo reporter:counter:bad >&2", "lines", nil, "", "group.some name 3", "half\nplain\nreporter:counter:bad"},
		{"environment and folder", "cat >/dev/null; pwd | sed 's/.*work$/here/'; echo $TAF_ROLE $X", "lines", nil, "\"here\"\t\n\"map 1\"\t\n", "", ""},
		{"what it starts may end later", "cat >/dev/null; (sleep 0.3; echo late) & echo early", "lines", nil, "\"early\"\t\n\"late\"\t\n", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Tool(t, "sh")
			o := usercode.Options{Command: []string{"sh", "-c", tt.command}, Format: tt.format, Env: map[string]string{"X": "1"}, WorkDir: t.TempDir() + "/work"}
			r, err := runMap(t, o, block("f", tt.format == "" || tt.format == "telemetry", tt.records...))
			if err != nil {
				t.Fatalf("%v\n%s", err, r.log())
			}
			if diff := cmp.Diff(tt.want, r.pairs.String()); diff != "" {
				t.Errorf("pairs (-want +got):\n%s", diff)
			}
			if got := strings.Join(r.counts, ","); got != tt.counts || r.log() != tt.logs {
				t.Errorf("counters %q, log %q", got, r.log())
			}
		})
	}
}

func TestStreamingReduce(t *testing.T) {
	for _, role := range []job.Role{job.RoleReduce, job.RoleCombine} {
		r, p, err := runPairs(t, usercode.Options{Role: role, Command: []string{"cat"}, Form: job.FormPairs}, "\"a\"\t\"1\"\n\"a\"\t\n", "\"b\"\t{\"x\":1}\n")
		if err != nil || p.Form() != job.FormPairs {
			t.Fatal(err)
		}
		if diff := cmp.Diff("\"a\"\t\"1\"\n\"a\"\t\n\"b\"\t\"{\\\"x\\\":1}\"\n", r.pairs.String()); diff != "" {
			t.Error(diff)
		}
	}
}

// The entry file of code may be a script of any kind.
func TestStreamingCode(t *testing.T) {
	tests := []struct{ name, language, entry, source string }{
		{"shell", "program", "bin/m", `sed 's/^/x/' && . "$TAF_CODE/lib.sh"`},
		{"shebang", "program", "bin/m", "#!/usr/bin/env python3\nimport sys\nfor l in sys.stdin: print('x' + l.strip())\nprint('lib')\n"},
		{"shebang with argument", "program", "m.sh", "#!/bin/sh -e\nsed 's/^/x/'; echo lib; false; echo no\n"},
		{"Python", "python", "m.py", "import sys, os\nfor l in sys.stdin: print('x' + l.strip())\nprint('lib')\n"},
		{"Node", "javascript", "m.js", "for (const l of require('fs').readFileSync(0, 'utf8').trim().split('\\n')) console.log('x' + l)\nconsole.log('lib')\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code := write(t, tt.language, "streaming", tt.entry, tt.source, "lib.sh", "echo lib")
			r, err := runMap(t, usercode.Options{Code: code, Format: "lines"}, block("f", false, "a", "b"))
			if want := "\"xa\"\t\n\"xb\"\t\n\"lib\"\t\n"; r.pairs.String() != want {
				t.Errorf("pairs %q, want %q", r.pairs.String(), want)
			}
			if tt.name == "shebang with argument" {
				if e := userError(t, err); e.Message != "m.sh ended with exit status 1" {
					t.Error(e)
				}
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestStreamingFails(t *testing.T) {
	tests := []struct {
		name          string
		argv          []string
		message, hint string
		stack, exit   string
	}{
		{"exit code", []string{"sh", "-c", "cat >/dev/null; for i in $(seq 30); do echo line $i >&2; done; exit 3"}, "the command ended with exit status 3", "", "line 11\n", "exit status 3"},
		{"not all read", []string{"sh", "-c", "head -n 1"}, "without reading all its input", "cat >/dev/null", "", "exit status 0"},
		{"nothing read", []string{"true"}, "without reading all its input", "cat >/dev/null", "", "exit status 0"},
		{"input closed", []string{"sh", "-c", "exec 0<&-; sleep 0.2"}, "without reading all its input", "cat >/dev/null", "", "exit status 0"},
		{"killed", []string{"sh", "-c", "cat >/dev/null; kill -9 $$"}, "the command was killed from outside", "memory", "", "signal: killed"},
		{"crashed", []string{"sh", "-c", "cat >/dev/null; kill -SEGV $$"}, "the command crashed", "native", "", "signal: segmentation fault"},
		{"long line", []string{"sh", "-c", "cat >/dev/null; head -c 3000000 /dev/zero | tr '\\0' x; cat"}, "the command printed a line of more than 1000000 bytes", "short line", "", ""},
		{"not installed", []string{"no-such-program"}, "no-such-program is not installed here", "image", "", ""},
		{"not installed in the shell", []string{"sh", "-c", "cat >/dev/null; no-such-program"}, "exit status 127", "not installed", "no-such-program", ""},
		{"output held open", []string{"sh", "-c", "cat >/dev/null; sleep 1000 & "}, "still held its output open", "wait", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			big := strings.Repeat("x", 900_000)
			began := time.Now()
			r, err := runMap(t, usercode.Options{Command: tt.argv, Format: "lines", MaxRecord: 1_000_000}, block("f", false, "a"), block("f", false, big), block("f", false, big))
			e := userError(t, err)
			contains(t, "message", e.Message, tt.message)
			contains(t, "hint", e.Hint, tt.hint)
			contains(t, "stack", e.Stack, tt.stack)
			contains(t, "exit", e.Exit, tt.exit)
			if e.Cause != job.CauseCode || !e.Fatal || strings.Count(e.Stack, "\n") > 19 {
				t.Errorf("%+v", e)
			}
			if time.Since(began) > 10*time.Second {
				t.Errorf("it took %v", time.Since(began))
			}
			if strings.Contains(r.pairs.String(), "xxxxx") {
				t.Error("part of a line became a pair")
			}
		})
	}
}

// A program that started another one in a session of its own, which holds all pipes open, does not make Close wait for that.
func TestEscapedProcess(t *testing.T) {
	require.Tool(t, "python3")
	escape := "import subprocess\nsubprocess.Popen(['sleep', '12'], start_new_session=True, close_fds=False)\n"
	began := time.Now()
	r, err := runMap(t, usercode.Options{Code: write(t, "python", "taf", "m.py", escape+"def map(r): yield 1, 1"), Format: "lines"}, block("f", false, "a"))
	if err != nil || r.pairs.String() != "1\t1\n" {
		t.Errorf("%v, pairs %q", err, r.pairs.String())
	}
	_, err = runMap(t, usercode.Options{Command: []string{"python3", "-c", escape + "import sys; sys.stdin.read()"}, Format: "lines"}, block("f", false, "a"))
	contains(t, "message", userError(t, err).Message, "still held its output open")
	if took := time.Since(began); took > 11*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestStreamingStops(t *testing.T) {
	r := &recorder{}
	p, err := start(t, usercode.Options{Command: []string{"sh", "-c", "sleep 1000 | cat"}, Format: "lines"}, r)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, p.Kill)
	began := time.Now()
	for p.Map(block("f", false, strings.Repeat("x", 1<<20))) == nil {
	}
	e := userError(t, p.Close())
	if e.Message != "the command was stopped by force" || time.Since(began) > 2*time.Second {
		t.Errorf("%+v after %v", e, time.Since(began))
	}

	full := errors.New("disk full")
	r = &recorder{onPairs: func([]byte) error { return full }}
	if p, err = start(t, usercode.Options{Command: []string{"sh", "-c", "yes"}, Format: "lines"}, r); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}
