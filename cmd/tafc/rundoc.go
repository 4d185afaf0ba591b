package main

import (
	"context"
	"errors"
	"os"
	"time"

	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
)

// runDocument reads everything that the state knows of a run.
func runDocument(ctx context.Context, db *state.DB, run *state.Run) (*view.RunDocument, error) {
	tasks, err := db.RunTasks(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	attempts, err := db.RunAttempts(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	remote, err := db.RemoteRun(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	d := &view.RunDocument{
		FormatVersion: "1", Analysis: run.Analysis,
		Run:     view.RunHead{ID: run.ID, Command: run.Command, Started: run.Started, Finished: optional(run.Finished), Outcome: outcome(db, run)},
		Summary: map[string]int{}, Tasks: []view.TaskDocument{},
	}
	var live map[addr.Task]string
	if remote != nil {
		d.Run.URL = taskcluster.LinksTo(remote.Root).Group(remote.Group)
		if h, err := db.Holder(); err == nil && h == nil && !remote.Ended {
			d.Run.Outcome = "running"
			if live, err = liveStatesOf(ctx, remote, tasks); err != nil {
				d.Run.Outcome = "running, as far as is known here"
			}
		}
	}
	byTask := map[addr.Task][]view.AttemptDocument{}
	for _, a := range attempts {
		byTask[a.Address] = append(byTask[a.Address], view.AttemptDocument{
			Attempt: a.Attempt, State: string(a.State), Cause: a.Cause, Exit: a.Exit,
			Started: a.Started, Finished: optional(a.Finished), Dir: a.Dir, Failure: a.Failure,
		})
	}
	for _, t := range tasks {
		doc := view.TaskDocument{
			Address: t.Address.String(), Stage: t.Address.Stage.String(), State: t.State, Attempts: byTask[t.Address], Cause: t.Cause, Message: t.Message,
			Blame: t.Blame, Ledger: t.Ledger, Progress: t.Progress, Key: t.Key,
		}
		if remote != nil {
			place(remote, t, live, &doc)
		}
		if doc.Attempts == nil {
			doc.Attempts = []view.AttemptDocument{}
		}
		if err := addResult(ctx, db, &doc); err != nil {
			return nil, err
		}
		d.Summary[t.State]++
		d.Tasks = append(d.Tasks, doc)
	}
	return d, nil
}

// liveStatesOf asks the deployment where the tasks of an open run stand.
func liveStatesOf(ctx context.Context, r *state.RemoteRun, tasks []state.RunTask) (map[addr.Task]string, error) {
	client, err := tc.Connect(&tc.Settings{RootURL: r.Root}, os.Getenv)
	if err != nil {
		return nil, err
	}
	return liveStates(ctx, client, tasks)
}

// place adds where a task is on its deployment, and its state there.
func place(r *state.RemoteRun, t state.RunTask, live map[addr.Task]string, doc *view.TaskDocument) {
	if t.Remote == "" {
		return
	}
	doc.TaskID, doc.URL = t.Remote, taskcluster.LinksTo(r.Root).Task(t.Remote)
	if now, ok := live[t.Address]; ok {
		doc.State = now
	}
}

// addResult adds what the result of a finished task says.
func addResult(ctx context.Context, db *state.DB, doc *view.TaskDocument) error {
	if doc.State != "done" && doc.State != "reused" {
		return nil
	}
	r, err := db.Report(ctx, doc.Key)
	switch {
	case errors.Is(err, state.ErrNoResult), errors.Is(err, state.ErrResultMissing):
		return nil
	case err != nil:
		return err
	}
	doc.Ledger, doc.Covers, doc.Counters, doc.Partial = &r.Report.Ledger, &r.Report.Covers, r.Report.Counters, r.Report.Partial
	if q := r.Report.Quarantine; q != nil {
		doc.Quarantine = &job.Quarantine{Path: q.Path, Digest: q.Digest, Size: q.Size, Records: q.Records, Unframed: q.Unframed, Groups: q.Groups}
	}
	doc.Mended = r.Report.Mended
	return nil
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// outcome tells a run that goes on from one whose process was killed.
func outcome(db *state.DB, run *state.Run) string {
	if run.Outcome != state.Unfinished {
		return string(run.Outcome)
	}
	if h, err := db.Holder(); err == nil && h != nil && h.PID == run.PID {
		return "running"
	}
	return "killed"
}
