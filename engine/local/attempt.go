package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/atomicfile"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// Run carries out one attempt in a process of its own.
func (r *runner) Run(ctx context.Context, a *engine.Attempt, progress func(job.Progress)) (*engine.Ended, error) {
	ups, err := r.upstream(a)
	if err != nil {
		return nil, err
	}
	at := state.Attempt{
		RunID: r.run.ID, Address: a.Task.Addr, Attempt: a.Number, Key: a.Task.Key, Started: time.Now(),
		Dir: r.db.AttemptDir(r.run.ID, a.Task.Addr, a.Number),
	}
	mend, err := r.mended(a.Task)
	if err != nil {
		return nil, err
	}
	spec := r.spec(a, ups, mend)
	if err := writeSpec(at.Dir, spec); err != nil {
		return nil, err
	}
	// Recorded before it starts, so that the next apply looks into its folder whenever this process dies.
	if err := r.db.BeginAttempt(r.durable, at); err != nil {
		return nil, err
	}
	if report := r.noRoom(a, at, spec); report != nil {
		at.Finished, at.State, at.Cause, at.Failure, at.Ledger = time.Now(), state.AttemptFailed, report.Cause, report.Failure, &report.Ledger
		return &engine.Ended{Report: report}, r.db.EndAttempt(r.durable, at)
	}
	x := r.execute(ctx, a, &at, &spec, r.remember(a, progress))
	report, found := r.judge(at, spec, x)
	if report, err = x.blameMemory(at.Dir, report); err != nil {
		return nil, err
	}
	at.Finished, at.Exit = time.Now(), x.text
	if report.Cause != job.CauseDone {
		tidy(at.Dir)
		r.dropDamaged(ups, report.Failure)
	}
	if x.interrupted && (!found || report.Cause != job.CauseDone) {
		// A failure after the request to stop says nothing about the task.
		at.State = state.AttemptInterrupted
		return nil, r.db.EndAttempt(r.durable, at)
	}
	if report.Cause == job.CauseDone {
		report, err = r.commit(a, at, ups, report)
		if err != nil {
			return nil, err
		}
		if report.Cause == job.CauseDone {
			return &engine.Ended{Report: report, Exit: x.code}, nil
		}
	}
	at.State, at.Cause, at.Failure, at.Ledger = state.AttemptFailed, report.Cause, report.Failure, &report.Ledger
	if err := r.db.EndAttempt(r.durable, at); err != nil {
		return nil, err
	}
	return &engine.Ended{Report: report, Exit: x.code}, nil
}

// remember also lets other processes see an attempt's progress, about once a second.
func (r *runner) remember(a *engine.Attempt, progress func(job.Progress)) func(job.Progress) {
	var last time.Time
	return func(p job.Progress) {
		progress(p)
		if time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		// Only for people who look; the result does not depend on it.
		_ = r.db.SetProgress(r.durable, r.run.ID, a.Task.Addr, p)
	}
}

// writeSpec makes an attempt's folder.
func writeSpec(dir string, spec job.Spec) error {
	// A folder with this name can only be left over from a run that was killed before it was recorded.
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return writeSpecFile(dir, spec)
}

func writeSpecFile(dir string, spec job.Spec) error {
	text, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, "spec.json"), append(text, '\n'), 0o644)
}

// commit makes a result durable and returns its report as stored, or a report of the failure to do so.
func (r *runner) commit(a *engine.Attempt, at state.Attempt, ups []job.Upstream, report *job.Report) (*job.Report, error) {
	report.Transient = report.Transient || a.Transient
	report.Partial = report.Partial || len(a.Missing) > 0
	key := contentKey(a, ups)
	if report.Transient || report.Mended != "" {
		key = ""
	}
	at.State, at.Cause, at.Ledger = state.AttemptDone, job.CauseDone, &report.Ledger
	stored, err := r.db.PutResult(r.durable, state.Finish{
		Result: state.Result{
			Key: a.Task.Key, ContentKey: key, Task: a.Task.Addr, Analysis: r.run.Analysis, RunID: at.RunID,
			Created: at.Finished, Report: *report, Upstream: job.Covered(ups),
		},
		Dir: at.Dir, Record: r.record(a.Task, engine.Done, a.Number, at.Finished), Inputs: a.Task.Inputs, End: &at,
	})
	var bad *state.BadFileError
	if errors.As(err, &bad) {
		return failed(report, job.CauseBug, err.Error(), "this is a bug of the task program; its folder is "+at.Dir), nil
	}
	if err != nil {
		return nil, err
	}
	return r.keep(a.Task, &stored.Report), nil
}

// judge is what an ended process means. found tells whether it left a report.
func (r *runner) judge(at state.Attempt, spec job.Spec, x exit) (report *job.Report, found bool) {
	base := emptyReport(at, spec)
	report, err := readReport(at.Dir, spec)
	if err == nil {
		return report, true
	}
	if !errors.Is(err, os.ErrNotExist) {
		return failed(base, job.CauseBug, err.Error(), "this is a bug of the task program; its folder is "+at.Dir), true
	}
	cause, message, hint := x.cause(at.Dir, spec.Limits)
	report = failed(base, cause, message, hint)
	report.Failure.Exit = x.text
	return report, false
}

// blameMemory is the report of code that failed after something in its container was killed for want of memory: that is why, also when the task
// does not know it. The report in the folder says so as well.
func (x exit) blameMemory(dir string, report *job.Report) (*job.Report, error) {
	if report.Cause != job.CauseCode && report.Cause != job.CauseMemory || report.Failure == nil || !x.oom || x.limit == 0 || strings.Contains(report.Failure.Message, ofContainer) {
		return report, nil
	}
	out, failure := *report, *report.Failure
	failure.Message += fmt.Sprintf(", after "+ofContainer+" %s of memory", humanize.IBytes(uint64(x.limit)))
	failure.Hint = "give the stage more memory, or keep less in memory in the user's code"
	out.Cause, out.Failure = job.CauseMemory, &failure
	text, err := json.MarshalIndent(&out, "", "  ")
	if err != nil {
		return nil, err
	}
	return &out, atomicfile.WriteBytes(filepath.Join(dir, "report.json"), append(text, '\n'), 0o644)
}

// emptyReport is the report of an attempt that did nothing.
func emptyReport(at state.Attempt, spec job.Spec) *job.Report {
	r := &job.Report{
		Version: job.Version, Task: spec.Task, Key: spec.Key, Attempt: spec.Attempt, Started: at.Started, Finished: time.Now(),
	}
	r.Ledger.Files.Planned = int64(len(spec.Files))
	r.Ledger.Files.Failed = r.Ledger.Files.Planned
	return r
}

// readReport reads and checks an attempt's report. The error is os.ErrNotExist when there is none.
func readReport(dir string, spec job.Spec) (*job.Report, error) {
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		return nil, err
	}
	report := &job.Report{}
	if err := json.Unmarshal(text, report); err != nil {
		return nil, fmt.Errorf("the task's report.json is not a report: %w", err)
	}
	switch {
	case report.Version != job.Version:
		return nil, fmt.Errorf("the task's report.json has version %d, this tafc knows %d", report.Version, job.Version)
	case report.Task != spec.Task || report.Key != spec.Key || report.Attempt != spec.Attempt:
		return nil, fmt.Errorf("the task's report.json is about attempt %d of %s with key %s, not attempt %d of %s with key %s",
			report.Attempt, report.Task, report.Key, spec.Attempt, spec.Task, spec.Key)
	case report.Cause == "":
		return nil, errors.New("the task's report.json has no cause")
	}
	if report.Cause == job.CauseDone {
		return report, checkParts(report, spec)
	}
	if report.Failure == nil {
		report.Failure = &job.Failure{Message: "the task says no more than its cause: " + string(report.Cause)}
	}
	return report, nil
}

// checkParts makes sure that the consumers will find each partition once.
func checkParts(report *job.Report, spec job.Spec) error {
	seen := map[int]bool{}
	for _, p := range report.Parts {
		if p.Partition < 0 || p.Partition >= max(spec.Partitions, 1) || seen[p.Partition] {
			return fmt.Errorf("the task's report.json has an unexpected part for partition %d of %d", p.Partition, spec.Partitions)
		}
		seen[p.Partition] = true
	}
	return nil
}

// failed is a copy of a report that tells of a failure.
func failed(r *job.Report, cause job.Cause, message, hint string) *job.Report {
	out := *r
	out.Cause, out.Parts, out.Quarantine = cause, nil, nil
	out.Failure = &job.Failure{Message: message, Hint: hint}
	return &out
}
