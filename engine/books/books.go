package books

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// Books are those of one run. What is recorded is durable when a method returns.
type Books struct {
	DB  *state.DB
	Run *engine.Run
	// Context does not end with the run's: what has happened must be recorded also when the run is stopped.
	Context context.Context
}

// Begin records the start of a run: its code, its tasks, with their ids on the deployment, and what it reuses.
func (b *Books) Begin(ids map[*engine.Task]string) error {
	if err := b.bundles(); err != nil {
		return err
	}
	begin := state.Begin{
		Run:       state.Run{ID: b.Run.ID, Analysis: b.Run.Analysis, Command: b.Run.Command, Plan: b.Run.Plan},
		Documents: b.Run.Stages, Dropped: b.Run.Dropped,
	}
	now := time.Now()
	for _, t := range b.Run.Tasks {
		begin.Tasks = append(begin.Tasks, state.RunTask{Address: t.Addr, Key: t.Key, State: string(engine.Waiting), Changed: now, Remote: ids[t]})
	}
	if err := b.DB.BeginRun(b.Context, begin); err != nil {
		return err
	}
	return b.Reused()
}

func (b *Books) bundles() error {
	for _, digest := range slices.Sorted(maps.Keys(b.Run.Bundles)) {
		if err := b.DB.SaveBundle(digest, b.Run.Bundles[digest]); err != nil {
			return err
		}
	}
	return nil
}

// Reused lets the state remember the reused tasks as good, also those whose result another analysis made.
func (b *Books) Reused() error {
	var records []state.TaskRecord
	inputs := map[string][]byte{}
	now := time.Now()
	for _, t := range b.Run.Tasks {
		if t.Reused {
			records = append(records, b.Entry(t, engine.Reused, 0, now))
			inputs[t.InputsDigest] = t.Inputs
		}
	}
	return b.DB.Reused(b.Context, b.Run.Analysis, records, inputs)
}

// Entry is what the state remembers of a task that ended well; a failure adds its cause.
func (b *Books) Entry(t *engine.Task, s engine.State, attempts int, at time.Time) state.TaskRecord {
	return state.TaskRecord{
		Address: t.Addr, Key: t.Key, StageDigest: t.StageDigest, InputsDigest: t.InputsDigest, Bundle: t.Bundle,
		State: string(s), Cause: job.CauseDone, Attempts: attempts, RunID: b.Run.ID, Finished: at,
	}
}

// Events records changes of tasks. Results are recorded where they are kept.
func (b *Books) Events(events []engine.Event) error {
	tasks := make([]state.RunTask, 0, len(events))
	for _, e := range events {
		t := state.RunTask{Address: e.Task.Addr, State: string(e.State), Attempt: e.Attempt, Changed: e.Time}
		if e.RetryIn > 0 {
			t.RetryAt = e.Time.Add(e.RetryIn)
		}
		if e.Report != nil {
			t.Cause = e.Report.Cause
			if f := e.Report.Failure; f != nil {
				t.Message = f.Message
			}
		}
		if e.Cause != nil {
			t.Blame = e.Cause.Addr.String()
		}
		tasks = append(tasks, t)
		if e.State != engine.Failed {
			continue
		}
		failure := b.Entry(e.Task, engine.Failed, e.Attempt, e.Time)
		failure.Cause, failure.Message = t.Cause, t.Message
		if err := b.DB.PutFailure(b.Context, b.Run.Analysis, failure, e.Task.Inputs); err != nil {
			return err
		}
	}
	return b.DB.UpdateTasks(b.Context, b.Run.ID, tasks)
}

// Finish records how the run ended.
func (b *Books) Finish(out *engine.Outcome, err error) error {
	outcome := state.Succeeded
	switch {
	case err != nil || out == nil:
		outcome = state.Failed
	case out.Interrupted:
		outcome = state.Interrupted
	case len(out.Failed) > 0 && !out.Tolerated:
		outcome = state.Failed
	case out.Partial:
		outcome = state.Partial
	}
	return b.DB.FinishRun(b.Context, b.Run.ID, outcome)
}

// Partial tells for reused tasks whether their result is partial, as the state knows it.
func (b *Books) Partial() (func(*engine.Task) bool, error) {
	var keys []string
	for _, t := range b.Run.Tasks {
		if t.Reused {
			keys = append(keys, t.Key)
		}
	}
	infos, err := b.DB.Outlines(b.Context, keys)
	if err != nil {
		return nil, err
	}
	return func(t *engine.Task) bool { return infos[t.Key].Partial }, nil
}
