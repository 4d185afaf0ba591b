//go:build unix

package mapper_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/job"
)

// deadly are programs that map each line to 1, and die in some manner of a line "boom", with the interpreter that they need. Those with a
// finish hook, and some streaming programs, emit all at the end, so that what they had seen is lost with them.
var deadly = []struct {
	name, tool string
	spec       func(t *testing.T, files []job.File) *job.Spec
	cause      job.Cause // default: code
}{
	{name: "python crashes in native code", tool: "python3", spec: helperSpec("python", "import ctypes\ndef map(r):\n    if r.raw == 'boom': ctypes.string_at(0)\n    yield r.raw, 1\n")},
	{name: "python ends", tool: "python3", spec: helperSpec("python", "import os\ndef map(r):\n    if r.raw == 'boom': os._exit(0)\n    yield r.raw, 1\n")},
	{name: "python is killed", tool: "python3", spec: helperSpec("python", "import os, signal\ndef map(r):\n    if r.raw == 'boom': os.kill(os.getpid(), signal.SIGKILL)\n    yield r.raw, 1\n")},
	{name: "python loops", tool: "python3", cause: job.CauseTimeout, spec: helperSpec("python", "def map(r):\n    while r.raw == 'boom': pass\n    yield r.raw, 1\n")},
	{name: "python with a finish hook crashes", tool: "python3", spec: helperSpec("python", "import os\nseen = []\ndef map(r):\n    if r.raw == 'boom': os.abort()\n    seen.append(r.raw)\ndef finish(context):\n    for x in seen:\n        yield x, 1\n")},
	{name: "javascript aborts", tool: "node", spec: helperSpec("javascript", "exports.map = r => {\n  if (r.raw === 'boom') process.abort()\n  return [[r.raw, 1]]\n}\n")},
	{name: "javascript exits", tool: "node", spec: helperSpec("javascript", "exports.map = r => {\n  if (r.raw === 'boom') process.kill(process.pid, 'SIGSEGV')\n  return [[r.raw, 1]]\n}\n")},
	{name: "javascript loops", tool: "node", cause: job.CauseTimeout, spec: helperSpec("javascript", "exports.map = r => {\n  while (r.raw === 'boom');\n  return [[r.raw, 1]]\n}\n")},
	{name: "awk exits", tool: "awk", spec: streamSpec(`awk '$0 == "boom" { exit 3 } { print $0 "\t1" }'`)},
	{name: "sh is killed", tool: "sh", spec: streamSpec(`while read -r x; do [ "$x" != boom ] || kill -SEGV $$; printf '%s\t1\n' "$x"; done`)},
	{name: "sh loops", tool: "sh", cause: job.CauseTimeout, spec: streamSpec(`while read -r x; do while [ "$x" = boom ]; do :; done; printf '%s\t1\n' "$x"; done`)},
	{name: "awk dies at the end", tool: "awk", spec: streamSpec(`awk '$0 == "boom" { bad = 1 } { n[$0]++ } END { if (bad) exit 4; for (x in n) for (i = 0; i < n[x]; i++) print x "\t1" }'`)},
}

func helperSpec(language, source string) func(*testing.T, []job.File) *job.Spec {
	return func(t *testing.T, files []job.File) *job.Spec {
		s := mapSpec(files)
		dir := t.TempDir()
		name := "m" + map[string]string{"python": ".py", "javascript": ".js"}[language]
		writeFile(t, filepath.Join(dir, name), source)
		s.Code = &job.Code{Dir: dir, Entry: name, Language: language, Contract: "taf"}
		return s
	}
}

func streamSpec(script string) func(*testing.T, []job.File) *job.Spec {
	return func(_ *testing.T, files []job.File) *job.Spec { return shell(files, script) }
}

func deadlyFiles(t *testing.T) []job.File {
	return plan(t, [2]string{"a.gz", "x\ny\nx\n"}, [2]string{"b", "x\nz\nboom\ny\n"}, [2]string{"c", "w\nw\nw\nboom\nx\n"})
}

// A program that dies twice at the same record is the record's fault: the record is found, named and, when the policy tolerates that, set aside, with
// the results of all the others.
func TestDeadlyRecordsAreSetApart(t *testing.T) {
	for _, tt := range deadly {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Tool(t, tt.tool)
			want := tt.cause
			if want == "" {
				want = job.CauseCode
			}
			spec := tt.spec(t, deadlyFiles(t))
			spec.Tolerate.BadRecords = job.Limit{Count: 2}
			spec.Limits.RecordTime = time.Second
			r := task(t, spec)
			if r.Cause != job.CauseDone {
				t.Fatalf("%s %+v\n%s", r.Cause, r.Failure, r.log)
			}
			if diff := cmp.Diff("w 1\nw 1\nw 1\nx 1\nx 1\nx 1\nx 1\ny 1\ny 1\nz 1\n", r.text(t)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{fmt.Sprintf("b:3@4 %s boom", want), fmt.Sprintf("c:4@6 %s boom", want)}, r.quarantine(t)); diff != "" {
				t.Error(diff)
			}
			if l := r.Ledger; l.Records.Read != 12 || l.Records.Mapped != 10 || l.Files.Done != 3 || l.Bytes.Decompressed != 30 || l.HelperRestarts == 0 || !r.Partial {
				t.Errorf("ledger %+v\n%s", l, r.log)
			}

			// One too many, and none at all.
			if testing.Short() || tt.name != deadly[0].name && tt.name != deadly[len(deadly)-1].name && want == job.CauseCode {
				return
			}
			spec.Tolerate.BadRecords = job.Limit{Count: 1}
			if r := task(t, spec); r.Cause != job.CauseTolerance || r.Failure.File != "b" || r.Failure.Record != 3 {
				t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
			}
			spec.Tolerate.BadRecords = job.Limit{}
			if r := task(t, spec); r.Cause != want || r.Failure.File != "b" || r.Failure.Record != 3 || r.Failure.Offset != 4 || r.Failure.Text != "boom" {
				t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
			}
		})
	}
}

// A program that dies once, of what is no record's fault, costs no record.
func TestOneDeathCostsNoRecord(t *testing.T) {
	require.Tool(t, "python3")
	once := filepath.Join(t.TempDir(), "once")
	spec := helperSpec("python", fmt.Sprintf("import os\ndef map(r):\n    if r.raw == 'boom' and not os.path.exists(%q):\n        open(%q, 'w').close()\n        os._exit(9)\n    yield r.raw, 1\n", once, once))(t, plan(t, [2]string{"a", "x\nboom\ny\n"}))
	spec.Tolerate.BadRecords = job.Limit{Count: 1}
	if r := task(t, spec); r.Cause != job.CauseDone || r.Partial || r.text(t) != "boom 1\nx 1\ny 1\n" || r.Ledger.HelperRestarts != 1 {
		t.Errorf("%s %+v %+v\n%s", r.Cause, r.Failure, r.Ledger, r.log)
	}
}

// Where no record is to blame, what is known is said: the records that it takes, or that it takes none.
func TestDeathsWithoutARecord(t *testing.T) {
	for _, tt := range []struct{ script, says string }{
		{`cat > /dev/null; exit 3`, "the command ended with exit status 3"},
		{`awk '{ n += $0 == "boom" } END { exit n > 1 ? 3 : 0 }'`, "run over each file alone it did not die"},
		{`awk '{ n[$0]++ } END { exit n["x"] > 0 && n["z"] > 0 ? 3 : 0 }'`, "it dies of the records 1 to 2 of b together"},
	} {
		spec := shell(deadlyFiles(t), tt.script)
		spec.Tolerate.BadRecords = job.Limit{Count: 9}
		if r := task(t, spec); r.Cause != job.CauseCode || !strings.Contains(r.Failure.Message, tt.says) {
			t.Errorf("%s: %s %+v\n%s", tt.script, r.Cause, r.Failure, r.log)
		}
	}
	// Another attempt follows: then nothing is searched for.
	spec := shell(deadlyFiles(t), `awk '$0 == "boom" { exit 3 }'`)
	spec.Limits.Retried = []string{"exit:3"}
	if r := task(t, spec); r.Cause != job.CauseCode || r.Failure.File != "" || r.Failure.Exit != "exit status 3" {
		t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
	}
}

// The kernel kills the program for want of memory, under a limit of its own: that is told from other kills, and another attempt with more memory
// comes before a record is set aside.
func TestKernelKillsForWantOfMemory(t *testing.T) {
	require.Tool(t, "python3")
	const eat = "b = bytearray(600 << 20)\n        for i in range(0, len(b), 4096): b[i] = 1\n"
	stream := "import sys\nfor line in sys.stdin:\n    if line == 'boom\\n':\n        " + eat + "    print(line.strip(), 1, sep='\\t')\n"
	for name, spec := range map[string]func(*testing.T, []job.File) *job.Spec{
		"helper": helperSpec("python", "def map(r):\n    if r.raw == 'boom':\n        "+eat+"    yield r.raw, 1\n"),
		"below a shell": func(t *testing.T, files []job.File) *job.Spec {
			script := filepath.Join(t.TempDir(), "m.py")
			writeFile(t, script, stream)
			return shell(files, "python3 "+script+"; exit $?")
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec := spec(t, plan(t, [2]string{"a", "x\n"}, [2]string{"b", "x\nboom\ny\n"}))
			limited := func() result {
				t.Helper()
				cmd, dir := process(t, spec)
				cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", require.MemoryGroup(t, 300<<20).Enter() + " && exec " + cmd.Path}
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
					t.Fatal(err)
				}
				return result{report(t, dir), dir, out.String()}
			}
			spec.Tolerate.BadRecords = job.Limit{Count: 1}
			spec.Limits.Retried = []string{"memory"}
			if r := limited(); r.Cause != job.CauseMemory || !strings.Contains(r.Failure.Message, "want of memory") {
				t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
			}
			spec.Limits.Retried = nil
			if r := limited(); r.Cause != job.CauseDone || r.text(t) != "x 1\nx 1\ny 1\n" || r.quarantine(t)[0] != "b:2@2 memory boom" {
				t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
			}
			spec.Tolerate.BadRecords = job.Limit{}
			if r := limited(); r.Cause != job.CauseMemory || r.Failure.File != "b" || r.Failure.Record != 2 {
				t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
			}
			// A kill that the kernel did not make is no want of memory.
			if _, err := exec.LookPath("kill"); err == nil {
				spec := shell(plan(t, [2]string{"a", "x\n"}), "read x; kill -KILL $$")
				if r := task(t, spec); r.Cause != job.CauseCode {
					t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
				}
			}
		})
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
