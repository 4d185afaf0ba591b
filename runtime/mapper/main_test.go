package mapper_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/ledgertest"
	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/mapper"
)

// TestMain makes the test binary a task process, so that the tests see what a parent sees: exit code, files, descriptors.
func TestMain(m *testing.M) {
	if spec := os.Getenv("TEST_TASK_SPEC"); spec != "" {
		os.Exit(mapper.Main(context.Background(), spec, mapper.Streams{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}))
	}
	os.Exit(m.Run())
}

// process is a command that runs a spec as its own process, in a new folder.
func process(t testing.TB, spec any) (cmd *exec.Cmd, dir string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("tasks are not run on Windows")
	}
	dir = t.TempDir()
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "spec.json")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(self)
	cmd.Env = append(os.Environ(), "TEST_TASK_SPEC="+path)
	return cmd, dir
}

// task runs a spec as a process and returns its report, which must agree with its exit code.
func task(t testing.TB, spec *job.Spec) result {
	t.Helper()
	cmd, dir := process(t, spec)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	r := result{report(t, dir), dir, string(out)}
	if code := cmd.ProcessState.ExitCode(); code != r.Cause.ExitCode() {
		t.Errorf("exit code %d for cause %s\n%s", code, r.Cause, out)
	}
	return r
}

func report(t testing.TB, dir string) *job.Report {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, mapper.ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	r := new(job.Report)
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatal(err)
	}
	ledgertest.Report(t, r)
	return r
}

func shell(files []job.File, script string) *job.Spec {
	s := mapSpec(files)
	s.Code, s.Command = nil, []string{"sh", "-c", script}
	return s
}

func python(t testing.TB, files []job.File, code string) *job.Spec {
	t.Helper()
	require.Tool(t, "python3")
	s := mapSpec(files)
	s.Code.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(s.Code.Dir, s.Code.Entry), []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestShell(t *testing.T) {
	r := task(t, shell(plan(t, [2]string{"a.gz", "b a\n"}, [2]string{"b", "a\tc\n"}), "tr ' ' '\\n'"))
	if diff := cmp.Diff("a\na c\nb\n", r.text(t)); diff != "" {
		t.Errorf("%s\n%s", diff, r.log)
	}
}

func TestShellFailures(t *testing.T) {
	tests := []struct {
		name, script string
		cause        job.Cause
		exit         string
	}{
		{"exits", "cat >/dev/null; echo oops >&2; exit 3", job.CauseCode, "exit status 3"},
		{"is killed", "cat >/dev/null; kill -9 $$", job.CauseCode, "signal: killed"},
		{"hangs", "sleep 100", job.CauseTimeout, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := shell(plan(t, [2]string{"a", "x\n"}), tt.script)
			if tt.cause == job.CauseTimeout {
				s.Limits.MaxRunTime = 300 * time.Millisecond
			}
			r := task(t, s)
			if r.Cause != tt.cause || r.Failure.Exit != tt.exit {
				t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
			}
		})
	}
}

func TestPython(t *testing.T) {
	files := plan(t, [2]string{"a", "i1\t{\"os\":\"WINNT\",\"x\":1}\ni2\t{\"os\":\"Linux\"}\n"}, [2]string{"b", "i3\t{\"os\":\"WINNT\"}\n"})
	s := python(t, files, "def map(record):\n    print('to stdout')\n    yield record.fields['os'], 1\n")
	s.Format, s.Fields = "telemetry", []string{"os"}
	r := task(t, s)
	if diff := cmp.Diff("Linux 1\nWINNT 1\nWINNT 1\n", r.text(t)); diff != "" {
		t.Errorf("%s\n%s", diff, r.log)
	}
}

func TestPythonFailures(t *testing.T) {
	tests := []struct {
		name, code string
		cause      job.Cause
		says       string
		record     int64
	}{
		{"raises", "def map(r):\n    if r.raw == 'y': {}['info']\n    yield r.raw, 1\n", job.CauseCode, "KeyError", 2},
		{"syntax", "def map(r:\n", job.CauseCode, "SyntaxError", 0},
		{"exits", "import os\ndef map(r):\n    if r.raw == 'y': os._exit(5)\n    yield r.raw, 1\n", job.CauseCode, "", 2},
		{"is killed", "import os, signal\ndef map(r):\n    if r.raw == 'y': os.kill(os.getpid(), signal.SIGKILL)\n    yield r.raw, 1\n", job.CauseCode, "", 2},
		{"never returns", "def map(r):\n    while r.raw == 'y': pass\n    yield r.raw, 1\n", job.CauseTimeout, "", 2},
		{"out of memory", "def map(r):\n    if r.raw == 'y': raise MemoryError()\n    yield r.raw, 1\n", job.CauseMemory, "", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := python(t, plan(t, [2]string{"a", "x\ny\nz\n"}), tt.code)
			if tt.cause == job.CauseTimeout {
				s.Limits.MaxRunTime = 3 * time.Second
			}
			r := task(t, s)
			if r.Cause != tt.cause || !strings.Contains(r.Failure.Message, tt.says) || tt.record > 0 && (r.Failure.File != "a" || r.Failure.Record != tt.record) {
				t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
			}
		})
	}
}

// A reduce that does not come back names the key.
func TestPythonReduceTimesOut(t *testing.T) {
	up := task(t, python(t, plan(t, [2]string{"a", "x\ny\nz\n"}), "def map(r):\n    yield r.raw, 1\n")).upstream()
	s := python(t, nil, "def reduce(key, values):\n    while key == 'y': pass\n    return sum(values)\n")
	s.Role, s.Format, s.Upstream, s.Limits.MaxRunTime = job.RoleReduce, "", []job.Upstream{up}, 3*time.Second
	r := task(t, s)
	if r.Cause != job.CauseTimeout || !strings.Contains(r.Failure.Message, `at key "y"`) {
		t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
	}
}

func TestPythonDiesAndGoesOn(t *testing.T) {
	s := python(t, plan(t, [2]string{"a", "x\ny\nz\n"}), "import os\ndef map(r):\n    if r.raw == 'y': os._exit(5)\n    yield r.raw, 1\n")
	s.Tolerate.BadRecords.Count = 1
	r := task(t, s)
	if r.Cause != job.CauseDone || r.text(t) != "x 1\nz 1\n" || r.Ledger.HelperRestarts != 2 || r.Ledger.Records.Quarantined != 1 {
		t.Errorf("%s %+v %+v\n%s", r.Cause, r.Failure, r.Ledger, r.log)
	}
}

// Running out of memory is not the record's fault, so it is not set aside as long as an attempt with more memory follows.
func TestMemoryIsNotTolerated(t *testing.T) {
	s := python(t, plan(t, [2]string{"a", "x\ny\nz\n"}), "def map(r):\n    if r.raw == 'y': raise MemoryError()\n    yield r.raw, 1\n")
	s.Tolerate.BadRecords.Count = 1
	if r := task(t, s); r.Cause != job.CauseDone || r.text(t) != "x 1\nz 1\n" || r.Quarantine.Records != 1 {
		t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
	}
	s.Limits.Retried = []string{"download", "memory"}
	r := task(t, s)
	if r.Cause != job.CauseMemory || r.Failure.Record != 2 || !strings.Contains(r.Failure.Hint, "more memory") {
		t.Errorf("%s %+v\n%s", r.Cause, r.Failure, r.log)
	}
}

func TestBadSpecs(t *testing.T) {
	good := mapSpec(nil)
	tests := []struct {
		name string
		spec func() any
	}{
		{"version", func() any { s := *good; s.Version = 2; return s }},
		{"role", func() any { s := *good; s.Role = "shuffle"; return s }},
		{"partitions", func() any { s := *good; s.Partitions = 0; return s }},
		{"code", func() any { s := *good; s.Code = nil; return s }},
		{"both", func() any { s := *good; s.Command = []string{"cat"}; return s }},
		{"unknown field", func() any {
			return map[string]any{"version": 1, "task": "t", "role": "gather", "partitions": 1, "colour": "red"}
		}},
		{"not an object", func() any { return []int{1} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd, dir := process(t, tt.spec())
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != 64 || len(out) == 0 {
				t.Errorf("exit code %d: %s", code, out)
			}
			if r := report(t, dir); r.Cause != job.CauseBadSpec || r.Failure.Message == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestProgressDescriptor(t *testing.T) {
	cmd, _ := process(t, shell(plan(t, [2]string{"a", "x\ny\n"}), "cat"))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.ExtraFiles, cmd.Env = []*os.File{w}, append(cmd.Env, mapper.EnvProgress+"=3")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	var last job.Progress
	if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	if diff := cmp.Diff(job.Progress{Files: 1, Records: 2, Bytes: 4}, last); diff != "" {
		t.Error(diff)
	}
}

// When the parent is gone, the task and the user's program end, and there is no report.
func TestLifeline(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "pid")
	cmd, dir := process(t, shell(plan(t, [2]string{"a", "x\n"}), "echo $$ >"+mark+"; exec sleep 100"))
	cmd.Env = append(cmd.Env, mapper.EnvLifeline+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid string
	for range 200 {
		if data, err := os.ReadFile(mark); err == nil && len(data) > 1 {
			pid = strings.TrimSpace(string(data))
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	stdin.Close()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = cmd.Process.Kill()
		t.Fatal("the task outlives its parent")
	}
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(filepath.Join(dir, mapper.ReportFile)); !os.IsNotExist(err) {
		t.Error("there is a report")
	}
	if out, err := exec.Command("kill", "-0", pid).CombinedOutput(); err == nil {
		t.Errorf("the user's program %s is still there: %s", pid, out)
	}
}
