package taskcluster_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tafc/tafc/engine"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

// A deployment of version 44 has no calls for many tasks, no groups that can be sealed or cancelled, and allows 100 dependencies.
var old = tctest.Options{Version: 44}

// TestOldDeployment runs tasks on one, finds their results in its index from another computer, and creates nothing again.
func TestOldDeployment(t *testing.T) {
	for _, payload := range []string{tc.DockerPayload, tc.NativePayload} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, payload, old, worker.Options{})
			s.settings.IndexPrefix = "project.taf.cache"
			var commands []string
			for range 25 { // more than are asked for one by one
				commands = append(commands, split)
			}
			run, total := s.words("20260101T000000-0001", commands...)
			out, reports := s.apply(run)
			if out.States[total.Addr] != engine.Done || s.covers(total).Planned != 25 {
				t.Fatalf("outcome %+v, %+v", out, reports)
			}
			for _, c := range s.server.Calls() {
				if c.Status == 404 && !strings.HasPrefix(c.Path, "/api/queue/v1/tasks/status") { // agents try that once
					t.Errorf("%s %s: 404", c.HTTPMethod, c.Path)
				}
			}
			db, err := state.Open(t.Context(), filepath.Join(t.TempDir(), ".taf"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			cache := tc.Cache{State: db, Client: client(t, s.server), Settings: s.settings}
			var keys []string
			for _, task := range run.Tasks {
				keys = append(keys, task.Key)
			}
			found, err := cache.Find(t.Context(), keys)
			if err != nil || len(found) != len(keys) {
				t.Errorf("%d of %d results are found in the index, %v", len(found), len(keys), err)
			}
		})
	}
}

// TestOldDeploymentLimits has more inputs than it allows, and cancels, watches and runs again.
func TestOldDeploymentLimits(t *testing.T) {
	s := tctest.New(t, old)
	db := openState(t)
	set := settings(s, tc.DockerPayload)
	e := quick(t, s, db, set)
	if _, err := e.Apply(t.Context(), fanIn("run-0", 101), nil); err == nil || !strings.Contains(err.Error(), "max_dependencies = 100") || len(s.TaskIDs()) > 0 {
		t.Errorf("101 inputs: %v; %d tasks were created", err, len(s.TaskIDs()))
	}
	features, err := client(t, s).Features(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := set.MaxFanIn(features.MaxDependencies); n != tc.SafeFanIn {
		t.Errorf("plans give a reduce %d inputs, want %d", n, tc.SafeFanIn)
	}
	ctx, stop := context.WithCancel(t.Context())
	s.AfterCall(func(c tctest.Call) {
		if c.Method == "listTaskGroup" {
			stop()
		}
	})
	out, err := e.Apply(ctx, fanIn("run-1", tc.SafeFanIn), nil)
	if err != nil || !out.Interrupted {
		t.Fatal(out, err)
	}
	r, err := db.RemoteRun(t.Context(), "run-1")
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	n, err := tc.CancelGroup(t.Context(), client(t, s), r.Group)
	if want := tc.SafeFanIn + 1; err != nil || n != want {
		t.Errorf("%d tasks were cancelled, %v; want %d", n, err, want)
	}
	s.Handle(queue, played(t, nil))
	out, err = e.Apply(t.Context(), fanIn("run-2", tc.SafeFanIn), nil)
	if err != nil || len(out.Failed) > 0 {
		t.Fatal(out, err)
	}
	if n, want := len(s.TaskIDs()), tc.SafeFanIn+2; n != want {
		t.Errorf("%d tasks, want the %d of the first apply, run again", n, want)
	}
	if out.Partial {
		t.Errorf("the outcome is partial: %+v", out)
	}
}
