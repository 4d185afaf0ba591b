package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/enginetest"
	"github.com/tafc/tafc/engine/local"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// crashed leaves a state as a parent does that was killed while this task ran, with the attempt's folder filled by fill.
func crashed(t *testing.T, db *state.DB, task *engine.Task, fill func(dir string)) state.Attempt {
	t.Helper()
	at := state.Attempt{
		RunID: "0-crashed", Address: task.Addr, Attempt: 1, Key: task.Key, State: state.AttemptRunning,
		Dir: db.AttemptDir("0-crashed", task.Addr, 1),
	}
	if err := os.MkdirAll(at.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	begin := state.Begin{Run: state.Run{ID: at.RunID, Analysis: "suite"}, Tasks: []state.RunTask{{Address: task.Addr, Key: task.Key, State: "running"}}}
	if err := db.BeginRun(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	if err := db.BeginAttempt(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	fill(at.Dir)
	return at
}

// runByHand carries out a task's spec in a folder, as the child of the killed parent did.
func runByHand(t *testing.T, dir string, spec job.Spec) {
	t.Helper()
	spec.Attempt = 1
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "spec.json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(os.Args[0], "__task", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestRecovery(t *testing.T) {
	overwrite := func(dir, name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(dir string)
		want  engine.State
		old   state.AttemptState
	}{
		{"a complete report is adopted", func(string) {}, engine.Reused, state.AttemptDone},
		{"no report", func(dir string) { _ = os.Remove(filepath.Join(dir, "report.json")) }, engine.Done, state.AttemptInterrupted},
		{"a garbled report", func(dir string) { overwrite(dir, "report.json", "{") }, engine.Done, state.AttemptInterrupted},
		{"a part that is not whole", func(dir string) {
			parts, _ := filepath.Glob(filepath.Join(dir, "*.zst"))
			for _, p := range parts {
				_ = os.Truncate(p, 3)
			}
		}, engine.Done, state.AttemptInterrupted},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openState(t)
			b := enginetest.NewBuild(t, t.TempDir(), "1-next")
			m := b.Map("words", "1", "a\n", "cat")
			at := crashed(t, db, m, func(dir string) {
				runByHand(t, dir, m.Spec)
				c.spoil(dir)
			})
			out := apply(t, db, b.Run)
			if got := out.States[m.Addr]; got != c.want {
				t.Errorf("the task is %s, want %s", got, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(at.Dir, "part-*")); len(left) > 0 {
				t.Errorf("the killed attempt still has %v", left)
			}
			attempts, err := db.RunAttempts(t.Context(), at.RunID)
			if err != nil || len(attempts) != 1 || attempts[0].State != c.old {
				t.Errorf("attempts of the killed run: %+v, %v; want one that is %s", attempts, err, c.old)
			}
			if run, err := db.FindRun(t.Context(), at.RunID); err != nil || run.Outcome != state.Interrupted {
				t.Errorf("the killed run: %+v, %v", run, err)
			}
			if _, err := db.Result(t.Context(), m.Key); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOrphansAreEnded(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("the environment of other processes can only be read on Linux")
	}
	db := openState(t)
	b := enginetest.NewBuild(t, t.TempDir(), "1-next")
	m := b.Map("words", "1", "a\n", "cat")
	var orphan *exec.Cmd
	at := crashed(t, db, m, func(dir string) {
		orphan = exec.Command("sleep", "600")
		orphan.Env = append(os.Environ(), "TAFC_ATTEMPT="+dir)
		if err := orphan.Start(); err != nil {
			t.Fatal(err)
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- orphan.Wait() }()
	// A process with the recorded number that is not the attempt's must live on.
	other := exec.Command("sleep", "600")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	at.PID, at.Process = other.Process.Pid, "another boot/1"
	if err := db.AttemptProcess(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if out := apply(t, db, b.Run); out.States[m.Addr] != engine.Done {
		t.Errorf("the task is %s", out.States[m.Addr])
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = orphan.Process.Kill()
		t.Error("the orphan lives")
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", other.Process.Pid)); err != nil {
		t.Errorf("a stranger was ended: %v", err)
	}
}

// A result that was damaged in the store fails its consumer once; then it is gone, so that a plan makes it again.
func TestDamagedResultIsRemoved(t *testing.T) {
	db := openState(t)
	dir := t.TempDir()
	b := enginetest.NewBuild(t, dir, "1")
	m := b.Map("words", "1", "a\n", "cat")
	apply(t, db, b.Run)
	result, err := db.Result(t.Context(), m.Key)
	if err != nil {
		t.Fatal(err)
	}
	path := result.Report.Parts[0].Path
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := errors.Join(os.Remove(path), os.WriteFile(path, text, 0o444)); err != nil {
		t.Fatal(err)
	}
	b = enginetest.NewBuild(t, dir, "2")
	m = b.Map("words", "1", "a\n", "cat")
	m.Reused = true
	r := b.Reduce("total", "cat", m)
	out := apply(t, db, b.Run)
	if out.States[r.Addr] != engine.Failed {
		t.Errorf("the reduce is %s", out.States[r.Addr])
	}
	if _, err := db.Result(t.Context(), m.Key); !errors.Is(err, state.ErrResultMissing) {
		t.Errorf("the damaged result: %v", err)
	}
}

// What a task's program started in a session of its own, and left behind, does not outlive the run.
func TestLeftoversAreEnded(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("the environment of other processes can only be read on Linux")
	}
	for name, command := range map[string]string{
		"of a task that is done":    "cat; setsid sleep 600 >/dev/null 2>&1 & echo $! > PID; cat",
		"of a task that has failed": "setsid sleep 600 >/dev/null 2>&1 & echo $! > PID; exit 3",
	} {
		t.Run(name, func(t *testing.T) {
			db := openState(t)
			dir := t.TempDir()
			b := enginetest.NewBuild(t, dir, "1")
			file := filepath.Join(dir, "pid")
			b.Map("words", "1", "a\n", strings.ReplaceAll(command, "PID", file))
			apply(t, db, b.Run)
			pid, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
				if err != nil || strings.Contains(string(stat), ") Z ") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("process %s lives", pid)
				}
			}
		})
	}
}

// A reused result stays for the state as good, also for an analysis that never ran it.
func TestReusedIsRemembered(t *testing.T) {
	db := openState(t)
	dir := t.TempDir()
	b := enginetest.NewBuild(t, dir, "1")
	b.Map("words", "1", "a\n", "cat")
	apply(t, db, b.Run)
	b = enginetest.NewBuild(t, dir, "2")
	b.Run.Analysis = "other"
	m := b.Map("words", "1", "a\n", "cat")
	m.Reused = true
	apply(t, db, b.Run)
	prior, err := db.Prior(t.Context(), "other")
	if err != nil || prior[m.Addr].Good == nil || prior[m.Addr].Good.Key != m.Key {
		t.Errorf("the other analysis remembers %+v, %v", prior, err)
	}
}

func TestFailuresWithoutAReport(t *testing.T) {
	for name, c := range map[string]struct {
		executable string
		args       []string
		want       job.Cause
	}{
		"no such program": {"/nonexistent/program", nil, job.CauseInfrastructure},
		"vanishes":        {"/bin/sh", []string{"-c", "kill -9 $$"}, job.CauseInfrastructure},
		"a known code":    {"/bin/sh", []string{"-c", "exit 12"}, job.CauseCorrupt},
		"an unknown code": {"/bin/sh", []string{"-c", "exit 3"}, job.CauseInfrastructure},
		"out of memory":   {"/bin/sh", []string{"-c", "echo 'fatal error: runtime: out of memory' >&2; exit 2"}, job.CauseMemory},
		"garbage":         {"/bin/sh", []string{"-c", "echo '{' > report.json"}, job.CauseBug},
		"another's":       {"/bin/sh", []string{"-c", `echo '{"version":1,"task":"map.x","cause":"done"}' > report.json`}, job.CauseBug},
	} {
		t.Run(name, func(t *testing.T) {
			db := openState(t)
			e := mustEngine(t, db, c.executable, c.args)
			b := enginetest.NewBuild(t, t.TempDir(), "1")
			m := b.Map("words", "1", "a\n", "cat")
			var got *job.Report
			out, err := e.Apply(t.Context(), b.Run, func(ev engine.Event) {
				if ev.State == engine.Failed {
					got = ev.Report
				}
			})
			if err != nil || out.States[m.Addr] != engine.Failed || got == nil {
				t.Fatalf("outcome %+v, %v", out, err)
			}
			if got.Cause != c.want || got.Failure == nil || got.Failure.Message == "" {
				t.Errorf("cause %s, %+v; want %s", got.Cause, got.Failure, c.want)
			}
		})
	}
}

// A task that hangs itself, deaf to the request to stop, is ended by the engine.
func TestHangingTask(t *testing.T) {
	for name, limit := range map[string]time.Duration{"over its time": 100 * time.Millisecond, "interrupted": 0} {
		t.Run(name, func(t *testing.T) {
			db := openState(t)
			e, err := local.New(local.Options{
				State: db, Workers: 1, Grace: 100 * time.Millisecond, Stop: 100 * time.Millisecond,
				Executable: "/bin/sh", TaskArgs: []string{"-c", "trap '' TERM; sleep 600 & wait; sleep 600"},
			})
			if err != nil {
				t.Fatal(err)
			}
			b := enginetest.NewBuild(t, t.TempDir(), "1")
			m := b.Map("words", "1", "a\n", "cat")
			m.Spec.Limits.MaxRunTime = limit
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var cause job.Cause
			begin := time.Now()
			out, err := e.Apply(ctx, b.Run, func(ev engine.Event) {
				switch {
				case ev.State == engine.Running && limit == 0:
					time.AfterFunc(100*time.Millisecond, cancel)
				case ev.State == engine.Failed:
					cause = ev.Report.Cause
				}
			})
			if err != nil || time.Since(begin) > 20*time.Second {
				t.Fatalf("after %s: %v", time.Since(begin), err)
			}
			if limit > 0 && (out.States[m.Addr] != engine.Failed || cause != job.CauseTimeout) {
				t.Errorf("the task is %s by %s, want failed by timeout", out.States[m.Addr], cause)
			}
			if limit == 0 && (out.States[m.Addr] != engine.Cancelled || !out.Interrupted) {
				t.Errorf("outcome %+v, want interrupted", out)
			}
		})
	}
}
