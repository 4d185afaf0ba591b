package taskcluster

import (
	"fmt"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
)

// mostLost is how often the queue may not know a task that was created, before it counts as lost.
const mostLost = 5

// step takes an attempt as far as its task's status says. It tells whether the walk has changed.
func (w *watch) step(a *attempt) bool {
	s := w.status[a.Task]
	if s == nil {
		if a.lost > mostLost {
			return w.end(a, w.bare(a, job.CauseInfrastructure, "the queue does not know the task any more", "it may have expired; apply again"), -1)
		}
		return false
	}
	if !a.seen {
		a.seen = true
		// Of what happened before an earlier watch ended only the last run counts.
		if w.resumed && len(s.Runs) > a.Number {
			a.Number = len(s.Runs)
		}
	}
	if len(s.Runs) < a.Number {
		return false
	}
	run := s.Runs[a.Number-1]
	if done, ok := s.LatestCompleted(); ok {
		run = done
		a.Number = run.RunID + 1
	}
	switch run.State {
	case taskcluster.StateRunning:
		return w.started(a, run)
	case taskcluster.StateCompleted:
		w.fetch.ask(a, s, run)
		return w.started(a, run)
	case taskcluster.StateFailed, taskcluster.StateException:
	default: // pending, or something that this tafc does not know
		return false
	}
	if len(s.Runs) > a.Number {
		w.again(a, run)
		return true
	}
	if !s.State.Resolved() {
		return false // the next run is about to be there
	}
	if run.ReasonResolved == taskcluster.ReasonCanceled {
		return w.cancelled(a, run)
	}
	changed := w.started(a, run)
	w.fetch.ask(a, s, run)
	return changed
}

// cancelled deals with a task that somebody has cancelled.
func (w *watch) cancelled(a *attempt, run taskcluster.Run) bool {
	if w.stopping {
		w.interrupted(a)
		return true
	}
	if w.resumed && !a.revived {
		a.revived = true
		w.dead = append(w.dead, a)
		return true
	}
	w.canceled = true // advance finds out by whom
	if !w.single {
		return false
	}
	report := w.bare(a, job.CauseInfrastructure, "somebody cancelled the task", "tafc retry runs it again")
	w.endAttempt(a, run, state.AttemptInterrupted, report)
	return w.end(a, report, -1)
}

// started says that a run began.
func (w *watch) started(a *attempt, run taskcluster.Run) bool {
	if a.started {
		return false
	}
	a.started = true
	at := run.Started.Time
	if at.IsZero() {
		at = time.Now()
	}
	w.begun = append(w.begun, w.attempt(a, at))
	w.walk.Started(a.Attempt, at)
	return true
}

// attempt is what the state keeps of a run of a task.
func (w *watch) attempt(a *attempt, started time.Time) state.Attempt {
	return state.Attempt{
		RunID: w.apply.run.ID, Address: a.Task.Addr, Attempt: a.Number, Key: a.Task.Key, Started: started,
		Dir: w.o.State.AttemptDir(w.apply.run.ID, a.Task.Addr, a.Number),
	}
}

// again says that a run ended and that the queue has made another one.
func (w *watch) again(a *attempt, run taskcluster.Run) {
	w.started(a, run)
	cause, message, hint := explainRun(run, nil)
	report := w.bare(a, cause, message, hint)
	w.endAttempt(a, run, state.AttemptFailed, report)
	next := w.walk.Again(a.Attempt, engine.Ended{Report: report, Exit: -1}, time.Now())
	w.out[a.Task] = &attempt{Attempt: next, seen: true}
	w.news = append(w.news, a.Task) // its status may say already what became of the next run
}

// end says that a task failed for good.
func (w *watch) end(a *attempt, report *job.Report, exit int) bool {
	w.walk.End(a.Attempt, engine.Ended{Report: report, Exit: exit, Final: true}, time.Now())
	delete(w.out, a.Task)
	return true
}

// interrupted says that somebody cancelled a task.
func (w *watch) interrupted(a *attempt) {
	w.endAttempt(a, taskcluster.Run{}, state.AttemptInterrupted, nil)
	w.walk.Interrupted(a.Attempt, time.Now())
	delete(w.out, a.Task)
}

func (w *watch) endAttempt(a *attempt, run taskcluster.Run, how state.AttemptState, report *job.Report) {
	w.record()
	at := w.attempt(a, run.Started.Time)
	at.State, at.Finished, at.Exit = how, time.Now(), run.ReasonResolved
	if !run.Resolved.IsZero() {
		at.Finished = run.Resolved.Time
	}
	if report != nil {
		at.Cause, at.Failure, at.Ledger = report.Cause, report.Failure, &report.Ledger
	}
	if err := w.o.State.EndAttempt(w.books.Context, at); err != nil && w.err == nil {
		w.err = err
	}
}

// record records the attempts that have begun, before something else about them is.
func (w *watch) record() {
	if err := w.o.State.BeginAttempts(w.books.Context, w.begun); err != nil && w.err == nil {
		w.err = err
	}
	w.begun = nil
}

// bare is the report of a run that left none.
func (w *watch) bare(a *attempt, cause job.Cause, message, hint string) *job.Report {
	r := &job.Report{
		Version: job.Version, Task: a.Task.Addr.String(), Key: a.Task.Key, Attempt: a.Number, Cause: cause,
		Failure: &job.Failure{Message: message, Hint: hint}, Started: time.Now(), Finished: time.Now(),
	}
	r.Ledger.Files.Planned = int64(len(a.Task.Spec.Files))
	r.Ledger.Files.Failed = r.Ledger.Files.Planned
	return r
}

// link is where people see a run of a task.
func (w *watch) link(a *attempt) string {
	return fmt.Sprint(w.o.Client.Links().Run(w.graph.ByTask[a.Task].ID, a.Number-1))
}
