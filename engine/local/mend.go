package local

import (
	"errors"
	"fmt"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// mended is the earlier result whose quarantined records an attempt runs; nil when it runs all records.
func (r *runner) mended(t *engine.Task) (*job.Report, error) {
	if t.Mend == "" {
		return nil, nil
	}
	result, err := r.db.Result(r.durable, t.Mend)
	if err != nil {
		return nil, fmt.Errorf("the result of %s whose quarantined records are to be run: %w", t.Addr, err)
	}
	return &result.Report, nil
}

// unmended tells whether the result that a task has still holds the quarantined records that it is to run. One that a killed run has
// mended does not.
func unmended(t *engine.Task, report *job.Report) bool {
	return t.Mend == t.Key && report.Quarantine != nil && report.Quarantine.Records > report.Quarantine.Unframed
}

// doubt notes, before anything changes, that the results above those that are mended must be made again. So a run that is killed between the
// two leaves no result that looks as if it stood for the mended records.
func (r *runner) doubt() error {
	var keys []string
	for _, t := range r.run.Tasks {
		if t.Stale {
			keys = append(keys, t.Key)
		}
	}
	return r.db.Doubt(r.durable, keys)
}

// takeOver gives reused tasks the earlier results that they take over as they are.
func (r *runner) takeOver() error {
	for _, t := range r.run.Tasks {
		if !t.Reused || t.Mend == "" || t.Mend == t.Key {
			continue
		}
		result, err := r.db.Result(r.durable, t.Key)
		if err == nil && !result.Report.Transient {
			continue
		}
		if err != nil && !errors.Is(err, state.ErrNoResult) && !errors.Is(err, state.ErrResultMissing) {
			return err
		}
		if result, err = r.db.Result(r.durable, t.Mend); err != nil {
			return fmt.Errorf("the result that %s takes over: %w", t.Addr, err)
		}
		result.Report.Key, result.Report.Mended = t.Key, t.Mend
		result.Key, result.ContentKey, result.Task, result.Analysis = t.Key, "", t.Addr, r.run.Analysis
		finish := state.Finish{Result: result, Record: r.record(t, engine.Reused, 0, time.Now()), Inputs: t.Inputs}
		if _, err := r.db.PutResult(r.durable, finish); err != nil {
			return err
		}
	}
	return nil
}
