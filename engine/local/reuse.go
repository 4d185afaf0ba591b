package local

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// Reuse looks for a result under the task's key (adopted from a killed run, or made by another task that does the same),
// then for one of the same content: equal bytes from upstream stop the wave here.
func (r *runner) Reuse(_ context.Context, a *engine.Attempt) (*job.Report, error) {
	result, err := r.db.Result(r.durable, a.Task.Key)
	if err == nil && !result.Report.Transient && !unmended(a.Task, &result.Report) {
		return r.reuse(a, result)
	}
	if err != nil && !errors.Is(err, state.ErrNoResult) && !errors.Is(err, state.ErrResultMissing) {
		return nil, err
	}
	if a.Task.Mend != "" {
		return nil, nil
	}
	ups, err := r.upstream(a)
	if err != nil {
		return nil, err
	}
	result, found, err := r.db.ResultByContent(r.durable, contentKey(a, ups))
	if err != nil || !found {
		return nil, err
	}
	now := job.Covered(ups)
	report := &result.Report
	report.Task, report.Key = a.Task.Addr.String(), a.Task.Key
	report.Covers = rebase(report, result.Upstream, now)
	result.Upstream = now
	result.Key, result.Task, result.Analysis = a.Task.Key, a.Task.Addr, r.run.Analysis
	return r.reuse(a, result)
}

// reuse records a result that is in the store as the task's.
func (r *runner) reuse(a *engine.Attempt, result state.Result) (*job.Report, error) {
	stored, err := r.db.PutResult(r.durable, state.Finish{
		Result: result,
		Record: r.record(a.Task, engine.Reused, 0, time.Now()),
		Inputs: a.Task.Inputs,
	})
	if err != nil {
		return nil, err
	}
	return r.keep(a.Task, &stored.Report), nil
}

// rebase is what a reused result stands for now that its upstream stands for other input with the same bytes (a new file
// without a record that counts, say): its own share stays, the upstream's is replaced.
func rebase(report *job.Report, before, now job.Ledger) job.Ledger {
	l := report.Covers
	l.Files.Planned += now.Files.Planned - before.Files.Planned
	l.Files.Done += now.Files.Done - before.Files.Done
	l.Files.Failed += now.Files.Failed - before.Files.Failed
	l.Files.Losses = replaceLosses(l.Files.Losses, before.Files.Losses, now.Files.Losses)
	l.Records.Read += now.Records.Read - before.Records.Read
	l.Records.Mapped += now.Records.Mapped - before.Records.Mapped
	l.Records.Filtered += now.Records.Filtered - before.Records.Filtered
	l.Records.Quarantined += now.Records.Quarantined - before.Records.Quarantined
	l.Records.Emitted += now.Records.Emitted - before.Records.Emitted
	l.Bytes.Wire += now.Bytes.Wire - before.Bytes.Wire
	l.Bytes.Decompressed += now.Bytes.Decompressed - before.Bytes.Decompressed
	l.Bytes.Written += now.Bytes.Written - before.Bytes.Written
	l.PeakMemory = max(report.Ledger.PeakMemory, now.PeakMemory)
	l.HelperRestarts += now.HelperRestarts - before.HelperRestarts
	return l
}

func replaceLosses(all, before, now []job.FailedFile) []job.FailedFile {
	gone := map[job.FailedFile]int{}
	for _, f := range before {
		gone[f]++
	}
	var out []job.FailedFile
	for _, f := range all {
		if gone[f] > 0 {
			gone[f]--
			continue
		}
		out = append(out, f)
	}
	out = append(out, now...)
	slices.SortStableFunc(out, func(x, y job.FailedFile) int { return cmp.Compare(x.Key, y.Key) })
	return out
}
