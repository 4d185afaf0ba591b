package taskcluster_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/engine"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster/tctest"
)

// TestLostAnswers loses the answers to creations, so that the client repeats them.
func TestLostAnswers(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	s.Handle(queue, played(t, nil))
	s.Inject(tctest.Fault{Method: "createTask", LoseAnswer: true, Times: 5})
	s.Inject(tctest.Fault{Method: "createTask", Status: 503, Skip: 2, Times: 3})
	s.Inject(tctest.Fault{Method: "scheduleTask", LoseAnswer: true, Times: 1})
	s.Inject(tctest.Fault{Method: "statuses", Status: 500, Times: 2})
	out, err := quick(t, s, openState(t), settings(s, tc.DockerPayload)).Apply(t.Context(), fanIn("run-1", 20), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.TaskIDs()); n != 22 || len(out.Failed) > 0 {
		t.Errorf("%d tasks, %d failed; want 22 and none", n, len(out.Failed))
	}
}

// TestOtherPlanCancels applies another plan while the run of an earlier one is open.
func TestOtherPlanCancels(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	db := openState(t)
	set := settings(s, tc.DockerPayload)
	ctx, stop := context.WithCancel(t.Context())
	s.AfterCall(func(c tctest.Call) {
		if c.Method == "statuses" {
			stop()
		}
	})
	if out, err := quick(t, s, db, set).Apply(ctx, fanIn("run-1", 3), nil); err != nil || !out.Interrupted {
		t.Fatal(out, err)
	}
	s.Handle(queue, played(t, nil))
	other := fanIn("run-2", 3)
	other.Tasks[0].Key = string(make64('f'))
	other.Tasks[0].Spec.Key = other.Tasks[0].Key
	out, err := quick(t, s, db, set).Apply(t.Context(), other, nil)
	if err != nil || len(out.Failed) > 0 {
		t.Fatal(out, err)
	}
	if n := len(s.Calls("cancelTaskGroup")); n != 1 {
		t.Errorf("%d groups were cancelled, want the one of the first plan", n)
	}
	open, err := db.OpenRemoteRuns(t.Context(), "fan")
	if err != nil || len(open) != 0 {
		t.Errorf("open runs %v, %v", open, err)
	}
}

// TestRerun runs only what failed again; what waits for it follows by itself.
func TestRerun(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	broken := atomic.Bool{}
	broken.Store(true)
	s.Handle(queue, played(t, func(task string, _ int) job.Cause {
		if task == `map.words["1"]` && broken.Load() {
			return job.CauseCode
		}
		return ""
	}))
	db := openState(t)
	set := settings(s, tc.DockerPayload)
	e := quick(t, s, db, set)
	run := fanIn("run-1", 3)
	var cause *engine.Task
	out, err := e.Apply(t.Context(), run, func(ev engine.Event) {
		if ev.State == engine.Cancelled {
			cause = ev.Cause
		}
	})
	if err != nil || len(out.Failed) != 1 {
		t.Fatal(out, err)
	}
	if cause != run.Tasks[1] {
		t.Errorf("the reduce did not run because of %v, want map.words[\"1\"]", cause)
	}
	broken.Store(false)
	r, err := db.RemoteRun(t.Context(), "run-1")
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	c := client(t, s)
	n, err := tc.Rerun(t.Context(), c, db, *r)
	if err != nil || n != 1 {
		t.Fatalf("%d tasks run again, %v; want 1", n, err)
	}
	again := fanIn("run-2", 3)
	again.Tasks[0].Reused, again.Tasks[2].Reused = true, true
	out, err = e.Apply(t.Context(), again, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]engine.State{`map.words["0"]`: engine.Reused, `map.words["1"]`: engine.Done, `map.words["2"]`: engine.Reused, "reduce.total": engine.Done}
	got := map[string]engine.State{}
	for a, s := range out.States {
		got[a.String()] = s
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(s.TaskIDs()); n != 5 {
		t.Errorf("%d tasks, want the 5 of the first apply", n)
	}
	if n := len(s.Calls("rerunTask")); n != 1 {
		t.Errorf("%d tasks were run again, want 1", n)
	}
}
