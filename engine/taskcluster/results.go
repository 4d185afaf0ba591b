package taskcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
)

// FetchResult gets the files of a result that a deployment keeps, and puts them into the store, where Result finds them then.
func FetchResult(ctx context.Context, client *taskcluster.Client, db *state.DB, at state.Remote) error {
	report, err := fetchReport(ctx, client, at.TaskID, at.RunID, at.Artifacts)
	if err != nil {
		return fmt.Errorf("fetch the report of task %s: %w", at.TaskID, err)
	}
	if report.Key != at.Key {
		return fmt.Errorf("task %s has the result of key %s, and not of %s", at.TaskID, report.Key, at.Key)
	}
	dir, err := os.MkdirTemp(db.Dir(), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := fetchFiles(ctx, client, Ref{TaskID: at.TaskID, RunID: at.RunID, Artifacts: at.Artifacts}, report, dir); err != nil {
		return fmt.Errorf("fetch the result of task %s: %w", at.TaskID, err)
	}
	return db.AddFiles(report, dir)
}

// OpenLog opens the log of a run of a task, or with events what its agent noted. The log of a run that goes on is read as it grows.
func OpenLog(ctx context.Context, client *taskcluster.Client, s *Settings, id string, run int, events bool) (io.ReadCloser, error) {
	if events {
		return client.OpenArtifact(ctx, id, run, path.Join(s.ArtifactPrefix, agent.EventsFile))
	}
	live, backing := s.logNames()
	r, err := client.OpenArtifact(ctx, id, run, live)
	if err == nil {
		return r, nil
	}
	r, second := client.OpenArtifact(ctx, id, run, backing)
	if second != nil {
		return nil, errors.Join(err, second)
	}
	return r, nil
}

// Rerun runs the tasks of a run again that failed, and none that has not started: that one would start without its inputs. It returns how
// many those are; none when the deadline of the run is over, or its tasks are gone.
func Rerun(ctx context.Context, client *taskcluster.Client, db *state.DB, r state.RemoteRun) (int, error) {
	tasks, err := db.RunTasks(ctx, r.Run)
	if err != nil {
		return 0, err
	}
	var ids []string
	for _, t := range tasks {
		if t.Remote != "" && t.State == "failed" {
			ids = append(ids, t.Remote)
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	statuses, err := client.Queue.Statuses(ctx, ids)
	if err != nil {
		return 0, err
	}
	again := 0
	for _, id := range ids {
		s := statuses[id]
		if s == nil || s.State != taskcluster.StateFailed && s.State != taskcluster.StateException {
			continue
		}
		if _, err := client.Queue.RerunTask(ctx, id); err != nil {
			if taskcluster.HasCode(err, taskcluster.CodeRequestConflict) && again == 0 {
				return 0, nil // past the deadline: that of one is that of all
			}
			return again, fmt.Errorf("run task %s again: %w", id, err)
		}
		again++
	}
	if again == 0 {
		return 0, nil
	}
	return again, errors.Join(db.EndRemoteRun(ctx, r.Run, false), db.ReopenRun(ctx, r.Run))
}
