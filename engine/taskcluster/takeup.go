package taskcluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
)

// leastTime is how far the deadline of an earlier run must be off for it to be taken up.
const leastTime = 5 * time.Minute

// takeUp looks for an earlier run of the analysis that is still open. One that was to do the same is gone on with: the run takes its id,
// and so the ids of its tasks. The others are returned, to be given up.
func (a *apply) takeUp(ctx context.Context, now time.Time) ([]state.RemoteRun, error) {
	open, err := a.o.State.OpenRemoteRuns(ctx, a.run.Analysis)
	if err != nil {
		return nil, err
	}
	var stale []state.RemoteRun
	for i := len(open) - 1; i >= 0; i-- {
		same := false
		if old := open[i]; !a.resumed && old.Root == a.record.Root && old.Deadline.After(now.Add(leastTime)) {
			if same, err = a.same(ctx, old); err != nil {
				return nil, err
			}
		}
		if !same {
			stale = append(stale, open[i])
			continue
		}
		a.resumed, a.record, a.run.ID = true, open[i], open[i].Run
		a.o.Notice(fmt.Sprintf("Going on with run %s, which began %s.", a.run.ID, open[i].Started.Local().Format("2006-01-02 15:04")))
	}
	return stale, nil
}

// same tells whether all that is to be done now was to be done by an earlier run, under the same ids.
func (a *apply) same(ctx context.Context, old state.RemoteRun) (bool, error) {
	tasks, err := a.o.State.RunTasks(ctx, old.Run)
	if err != nil {
		return false, err
	}
	before := make(map[addr.Task]state.RunTask, len(tasks))
	for _, t := range tasks {
		before[t.Address] = t
	}
	some := false
	for _, t := range a.run.Tasks {
		if t.Reused {
			continue
		}
		some = true
		if b, ok := before[t.Addr]; !ok || b.Key != t.Key || b.Remote != TaskID(old.Run, t.Addr) {
			return false, nil
		}
	}
	// A run that was killed between its two records has no tasks yet; then none was created.
	return some && len(tasks) > 0, nil
}

// giveUp cancels a run that another one takes the place of.
func (a *apply) giveUp(ctx context.Context, old state.RemoteRun) error {
	if old.Root != a.record.Root {
		a.o.Notice(fmt.Sprintf("Run %s is still open on %s, and is left alone.", old.Run, old.Root))
		return nil
	}
	a.o.Notice(fmt.Sprintf("Run %s was for another plan: what it has not finished is cancelled.", old.Run))
	if _, err := CancelGroup(ctx, a.o.Client, old.Group); err != nil {
		return fmt.Errorf("cancel run %s, whose place this one takes: %w", old.Run, err)
	}
	return a.o.State.GiveUpRun(a.books.Context, old.Run, "another run took its place")
}

// CancelGroup seals a group, so that nobody can add to it, and cancels what is not resolved. It returns how many tasks that were.
func CancelGroup(ctx context.Context, client *taskcluster.Client, group string) (int, error) {
	if _, err := client.Queue.SealTaskGroup(ctx, group); err != nil && !errors.Is(err, taskcluster.ErrUnsupported) {
		if taskcluster.IsNotFound(err) {
			return 0, nil // not even its gate was created
		}
		return 0, err
	}
	cancelled, err := client.Queue.CancelTaskGroup(ctx, group)
	if err != nil {
		if taskcluster.IsNotFound(err) {
			return 0, nil
		}
		return 0, err
	}
	return cancelled.CancelledCount, nil
}
