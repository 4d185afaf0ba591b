package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// recover deals with what runs left whose process was killed. Under the lock, every attempt that is recorded as running is
// such a one. Its orphans are ended first, so that nobody writes any more; then a complete result that this run wants is
// adopted, and anything else is noted as interrupted.
func (r *runner) recover() error {
	attempts, err := r.db.RunningAttempts(r.durable)
	if err != nil {
		return err
	}
	if err := r.endOrphans(attempts); err != nil {
		return err
	}
	if err := r.endContainers(attempts); err != nil {
		return err
	}
	for _, at := range attempts {
		adopted, err := r.adopt(at)
		if err != nil {
			return fmt.Errorf("attempt %d of %s in run %s: %w", at.Attempt, at.Address, at.RunID, err)
		}
		if adopted {
			continue
		}
		at.State, at.Finished = state.AttemptInterrupted, time.Now()
		noteFailure(&at)
		tidy(at.Dir)
		if err := r.db.EndAttempt(r.durable, at); err != nil {
			return err
		}
	}
	return r.db.AbandonRuns(r.durable)
}

// adopt takes over the result of an attempt whose parent died before it could record it.
func (r *runner) adopt(at state.Attempt) (bool, error) {
	wanted := r.byKey[at.Key]
	if len(wanted) == 0 {
		return false, nil
	}
	text, err := os.ReadFile(filepath.Join(at.Dir, "spec.json"))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var spec job.Spec
	if json.Unmarshal(text, &spec) != nil || spec.Key != at.Key {
		return false, nil
	}
	// What only mends an earlier result is adopted by those who want just that.
	if m := spec.Mend; m != nil && !slices.ContainsFunc(wanted, func(t *engine.Task) bool { return t.Mend == m.Key }) {
		return false, nil
	}
	report, err := readReport(at.Dir, spec)
	if err != nil || report.Cause != job.CauseDone {
		return false, nil // it runs again, which tells what is wrong
	}
	a := &engine.Attempt{Task: wanted[0], Number: at.Attempt}
	for _, w := range wanted {
		if w.Addr == at.Address {
			a.Task = w
		}
	}
	same, err := r.sameInput(a, spec)
	if err != nil || !same {
		return false, err
	}
	at.Finished = report.Finished
	stored, err := r.commit(a, at, spec.Upstream, report)
	if err != nil || stored.Cause != job.CauseDone {
		return false, err
	}
	done := state.RunTask{Address: at.Address, State: string(engine.Done), Attempt: at.Attempt, Cause: job.CauseDone, Changed: at.Finished}
	return true, r.db.UpdateTasks(r.durable, at.RunID, []state.RunTask{done})
}

// sameInput tells whether an attempt of a killed run read what an attempt now would read. A task key names its upstream
// tasks, not what a tolerated loss left of their results.
func (r *runner) sameInput(a *engine.Attempt, spec job.Spec) (bool, error) {
	for _, u := range a.Task.Upstream {
		result, err := r.db.Result(r.durable, u.Task.Key)
		if errors.Is(err, state.ErrNoResult) || errors.Is(err, state.ErrResultMissing) {
			return false, nil
		}
		if err != nil || result.Report.Transient {
			return false, err
		}
	}
	ups, err := r.upstream(a)
	if err != nil {
		return false, err
	}
	for _, u := range spec.Upstream {
		if u.Missing != nil {
			return false, nil
		}
	}
	return contentKey(a, ups) == contentKey(a, spec.Upstream), nil
}

// noteFailure fills in how an attempt failed when its report says so.
func noteFailure(at *state.Attempt) {
	text, err := os.ReadFile(filepath.Join(at.Dir, "report.json"))
	if err != nil {
		return
	}
	var report job.Report
	if json.Unmarshal(text, &report) == nil && report.Key == at.Key && report.Cause != job.CauseDone {
		at.State, at.Cause, at.Failure, at.Ledger = state.AttemptFailed, report.Cause, report.Failure, &report.Ledger
	}
}

// runs is the folder of all attempts of the state.
func (r *runner) runs() string { return filepath.Join(r.db.Dir(), "runs") }

// endOrphans ends the processes of attempts whose parent is dead, as far as they can be told from others, and waits until
// they are gone.
func (r *runner) endOrphans(attempts []state.Attempt) error {
	if len(attempts) == 0 {
		return nil
	}
	for deadline := time.Now().Add(r.o.Stop); ; time.Sleep(10 * time.Millisecond) {
		alive := 0
		for _, at := range attempts {
			if at.PID > 0 && at.Process != "" && identity(at.PID) == at.Process {
				alive = at.PID
				killGroup(at.PID)
			}
		}
		if pid := killMarked(r.runs()); pid > 0 {
			alive = pid
		}
		if alive == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("process %d of a killed run does not end; end it and apply again", alive)
		}
	}
}

// endContainers ends the containers of attempts whose parent is dead. Those of a tool that does not work any more end by themselves.
func (r *runner) endContainers(attempts []state.Attempt) error {
	done := map[string]bool{}
	for _, at := range attempts {
		in, err := readRanIn(at.Dir)
		if in == nil || err != nil || done[in.Tool] {
			continue // without its word the container is none of a tool that we know
		}
		done[in.Tool] = true
		tool, err := container.Open(r.durable, in.Tool)
		if err != nil {
			continue
		}
		if err := r.removeLeft(tool); err != nil {
			return err
		}
	}
	return nil
}

// tidy removes what an attempt without a result leaves that nobody reads: sorted runs and parts, which may be large, and the pipe of a container.
func tidy(dir string) {
	parts, _ := filepath.Glob(filepath.Join(dir, "part-*")) // the pattern is well formed
	for _, path := range append(parts, filepath.Join(dir, "temp"), filepath.Join(dir, "progress")) {
		_ = os.RemoveAll(path) // room is all that is lost
	}
}
