//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

// Wherever tafc run is killed among its calls to Taskcluster, what is run again completes the same tasks: none twice, and no conflict.
// Every second time the last call is still carried out. engine/taskcluster has the same for a larger graph.
func TestKilledSubmissionGoesOn(t *testing.T) {
	dir := t.TempDir()
	for i := range 6 {
		write(t, filepath.Join(dir, "data", fmt.Sprintf("%02d.txt", i)), strings.Repeat("x\n", 3+i))
	}
	write(t, filepath.Join(dir, "a.taf.hcl"), strings.Replace(killProgram, "sleep 0.02; ", "", 1))
	want := recordRun(t, dir)
	for n := 1; ; n++ {
		killed, err := want.killAt(t, dir, n)
		if err != nil {
			t.Fatalf("killed at call %d: %v", n, err)
		}
		if !killed { // there are no more calls
			if n < 15 {
				t.Errorf("a run makes only %d calls", n-1)
			}
			break
		}
	}
}

// recordedRun is what a run that nobody kills leaves on the deployment.
type recordedRun struct {
	artifacts map[string][]tctest.Artifact // by the name of the task
	result    string
}

// onDeployment is tafc in dir, with a state of its own, on the double.
func onDeployment(s *tctest.Server, dir, taf string) *exec.Cmd {
	cmd := tafc(dir, "run", "-engine", "taskcluster", "-state", taf, "a.taf.hcl")
	cmd.Env = append(cmd.Env, s.Env(s.Admin())...)
	cmd.Env = append(cmd.Env, "TAF_QUEUE=proj-taf/ci", "TAF_IMAGE=python@sha256:"+strings.Repeat("a", 64), "TAF_LOCAL_FILES=1", "TAF_POLL=50ms",
		"TAF_OWNER=me@example.org", "TAF_SOURCE=https://example.org/")
	return cmd
}

func recordRun(t *testing.T, dir string) *recordedRun {
	t.Helper()
	bin := t.TempDir()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(bin, "taf-mapper"))
	}
	if err != nil {
		t.Fatal(err)
	}
	s := tctest.New(t, tctest.Options{LongPoll: time.Second})
	worker.New(t, s, worker.Options{Queue: "proj-taf/ci", Capacity: 3, Containers: worker.Processes, Path: []string{bin}, Log: t.Logf})
	if out, err := onDeployment(s, dir, filepath.Join(t.TempDir(), "state")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := &recordedRun{artifacts: map[string][]tctest.Artifact{}, result: lines(t, dir)}
	for _, id := range s.TaskIDs() {
		r.artifacts[taskName(s, id)] = s.Artifacts(id, 0)
	}
	return r
}

// lines is the result in dir, which goes away.
func lines(t *testing.T, dir string) string {
	path := filepath.Join(dir, "lines.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(path)
	return string(text)
}

// taskName is the name of a task without the run that it is of.
func taskName(s *tctest.Server, id string) string {
	var def struct{ Metadata struct{ Name string } }
	_ = json.Unmarshal(s.Task(id), &def)
	name, _, _ := strings.Cut(def.Metadata.Name, " 20")
	return name
}

// killAt runs, kills at call n, and runs again; killed is false when the first run had ended by then.
func (want *recordedRun) killAt(t *testing.T, dir string, n int) (killed bool, err error) {
	s, err := tctest.Start(tctest.Options{LongPoll: time.Second})
	if err != nil {
		return false, err
	}
	defer s.Close()
	s.Handle("proj-taf/ci", func(w tctest.Work) tctest.Outcome {
		return tctest.Outcome{Artifacts: want.artifacts[taskName(s, w.TaskID)]}
	})
	taf := filepath.Join(t.TempDir(), "state")
	first := onDeployment(s, dir, taf)
	var out bytes.Buffer
	first.Stdout, first.Stderr = &out, &out
	var dead, over atomic.Bool
	started := make(chan struct{}) // from when on there is a process to kill
	kill := func(c tctest.Call) {
		if c.N == n && !over.Load() {
			<-started
			_ = first.Process.Kill()
			dead.Store(true)
		}
	}
	s.BeforeCall(func(c tctest.Call) *tctest.Fault {
		if n%2 == 1 {
			kill(c)
		}
		if dead.Load() {
			return &tctest.Fault{Reset: true}
		}
		return nil
	})
	if n%2 == 0 {
		s.AfterCall(kill)
	}
	if err := first.Start(); err != nil {
		return false, err
	}
	close(started)
	if err := first.Wait(); err == nil {
		return false, want.same(t, s, dir)
	} else if !dead.Load() {
		return false, fmt.Errorf("%v\n%s", err, out.String())
	}
	over.Store(true)
	dead.Store(false)
	if got, err := onDeployment(s, dir, taf).CombinedOutput(); err != nil {
		return true, fmt.Errorf("run again: %v\n%s", err, got)
	}
	return true, want.same(t, s, dir)
}

func (want *recordedRun) same(t *testing.T, s *tctest.Server, dir string) error {
	if got := lines(t, dir); got != want.result {
		return fmt.Errorf("the result is %q, want %q", got, want.result)
	}
	names := map[string]bool{}
	for _, id := range s.TaskIDs() {
		name := taskName(s, id)
		if st, _ := s.Status(id); names[name] || st.State != "completed" || len(st.Runs) != 1 {
			return fmt.Errorf("task %s is there twice, or %s after %d runs", name, st.State, len(st.Runs))
		}
		names[name] = true
	}
	if len(names) != len(want.artifacts) {
		return fmt.Errorf("%d tasks, want %d", len(names), len(want.artifacts))
	}
	for _, c := range s.Calls() {
		if c.Status == 409 {
			return fmt.Errorf("a conflict: %s %s", c.HTTPMethod, c.Path)
		}
	}
	return nil
}
