package taskcluster_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tafc/tafc/engine"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/tctest"
)

// The tests of creating, watching and taking up again look at tafc's side: what tasks do is played. That agents really do it is tested
// by TestConformance.

// played ends runs as an agent would that finds nothing to count. fail tells the cause of those that fail; empty: they do not.
func played(t testing.TB, fail func(task string, run int) job.Cause) func(tctest.Work) tctest.Outcome {
	return func(w tctest.Work) tctest.Outcome {
		var d struct {
			Payload struct{ Env map[string]string }
			Extra   struct{ Tafc agent.ExtraDocument }
		}
		if err := json.Unmarshal(w.Task, &d); err != nil {
			t.Error(err)
		}
		doc, err := agent.Decode(d.Payload.Env[agent.EnvDocument] + d.Extra.Tafc.Document)
		if err != nil {
			t.Error(err)
			return tctest.Outcome{State: "failed"}
		}
		report := job.Report{
			Version: job.Version, Task: doc.Spec.Task, Key: doc.Spec.Key, Attempt: w.RunID + 1, Cause: job.CauseDone, Form: job.FormPairs,
			Started: time.Now(), Finished: time.Now(), Seconds: map[string]float64{},
		}
		o := tctest.Outcome{State: "completed"}
		if fail != nil {
			if cause := fail(doc.Spec.Task, w.RunID); cause != "" {
				report.Cause, report.Failure = cause, &job.Failure{Message: "it failed on purpose"}
				o = tctest.Outcome{State: "failed"}
			}
		}
		n := int64(len(doc.Spec.Files))
		report.Ledger.Files = job.FileLedger{Planned: n, Done: n}
		report.Covers = report.Ledger
		text, err := json.Marshal(report)
		if err != nil {
			t.Error(err)
		}
		o.Artifacts = []tctest.Artifact{{Name: doc.Artifacts + "/" + agent.ReportFile, ContentType: "application/json", Data: text}}
		return o
	}
}

// fanIn is maps and a reduce over them.
func fanIn(id string, maps int) *engine.Run {
	run := &engine.Run{ID: id, Analysis: "fan", Stages: map[string][]byte{}}
	task := func(kind, stage, name string, role job.Role) *engine.Task {
		t := &engine.Task{Addr: addr.Task{Stage: addr.Stage{Kind: kind, Name: stage}, Name: name}}
		t.Key = fmt.Sprintf("%064x", len(run.Tasks)+1)
		t.StageDigest, t.InputsDigest = fmt.Sprintf("%064x", 1000), t.Key
		t.Spec = job.Spec{
			Version: job.Version, Analysis: "fan", Task: t.Addr.String(), Key: t.Key, Role: role, Command: []string{"cat"}, Format: "lines", Partitions: 1,
		}
		t.Retry = engine.Retry{Attempts: 3, On: []string{"infrastructure", "download"}}
		run.Tasks = append(run.Tasks, t)
		return t
	}
	var all []*engine.Task
	for i := range maps {
		m := task("map", "words", fmt.Sprint(i), job.RoleMap)
		m.Spec.Files = []job.File{{Key: fmt.Sprint(i), URL: fmt.Sprintf("https://example.org/%d", i), Size: 1}}
		all = append(all, m)
	}
	total := task("reduce", "total", "", job.RoleReduce)
	for _, m := range all {
		total.Needs = append(total.Needs, m)
		total.Upstream = append(total.Upstream, engine.Upstream{Task: m, Of: 1})
	}
	return run
}

func openState(t testing.TB) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), filepath.Join(t.TempDir(), ".taf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// quick is an engine that does not wait for long.
func quick(t testing.TB, s *tctest.Server, db *state.DB, set *tc.Settings) *tc.Engine {
	t.Helper()
	admin := s.Admin()
	c, err := taskcluster.New(taskcluster.Config{
		RootURL: s.RootURL, Credentials: &taskcluster.Credentials{ClientID: admin.ClientID, AccessToken: admin.AccessToken},
		Retry: taskcluster.Retry{Initial: time.Millisecond, Max: 5 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := tc.New(tc.Options{State: db, Client: c, Settings: set, Notice: func(text string) { t.Log(text) }, Poll: 5 * time.Millisecond, MaxPoll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
