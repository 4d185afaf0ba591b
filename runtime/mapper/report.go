package mapper

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tafc/tafc/runtime/job"
)

// report ends the task: it checks that everything is accounted for, and says how it went.
func (t *task) report(err error) *job.Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.rep
	quarantine, qerr := t.quar.finish()
	if err == nil {
		err = qerr
	}
	r.Quarantine = quarantine
	r.Ledger.PeakMemory += peakMemory()
	slices.SortStableFunc(r.Ledger.Files.Losses, func(a, b job.FailedFile) int { return cmp.Compare(a.Key, b.Key) })
	if err == nil {
		lost := r.Ledger.Check()
		if f := r.Ledger.Files; lost == nil && int64(len(f.Losses)) != f.Failed {
			lost = fmt.Errorf("%d files failed, and %d of them have a name", f.Failed, len(f.Losses))
		}
		if lost != nil {
			err = fail(job.CauseBug, lost.Error())
		}
	}
	if len(t.spec.Upstream) == 0 && t.spec.Role == job.RoleMap {
		r.Covers.Add(r.Ledger)
	}
	r.Partial = r.Partial || r.Ledger.Files.Failed > 0 || r.Ledger.Records.Quarantined > 0
	r.Cause = job.CauseDone
	if err != nil {
		f := explain(err)
		r.Cause, r.Failure = f.cause, &f.Failure
		r.Parts, r.Form = nil, ""
	}
	r.Finished = time.Now().UTC()
	r.Seconds["total"] = time.Since(t.begin).Seconds()
	t.tell(true)
	t.conclude(r)
	return r
}

// conclude writes the end of the journal.
func (t *task) conclude(r *job.Report) {
	l := r.Ledger
	what := "rows"
	if len(t.spec.Upstream) > 0 {
		what = "pairs"
	}
	t.j.say("files: %d planned, %d done, %d failed", l.Files.Planned, l.Files.Done, l.Files.Failed)
	t.j.say("%s: %d read, %d mapped, %d filtered out, %d quarantined; %d pairs emitted", what, l.Records.Read, l.Records.Mapped, l.Records.Filtered, l.Records.Quarantined, l.Records.Emitted)
	t.j.say("bytes: %s read, %s decompressed, %s written; peak memory %s", bytesText(l.Bytes.Wire), bytesText(l.Bytes.Decompressed), bytesText(l.Bytes.Written), bytesText(l.PeakMemory))
	fields := []field{{"cause", r.Cause}, {"files", l.Files.Done}, {"files_failed", l.Files.Failed}, {"records", l.Records.Read}, {"quarantined", l.Records.Quarantined},
		{"pairs", l.Records.Emitted}, {"seconds", r.Seconds["total"]}}
	if r.Cause == job.CauseDone {
		t.j.event("task.done", append(fields, field{"partial", r.Partial})...)
		if r.Partial {
			t.j.say("done, but partial: some of the input was lost, as the policy tolerates")
			return
		}
		t.j.say("done in %.2f s", r.Seconds["total"])
		return
	}
	t.j.event("task.failed", append(fields, field{"failure", r.Failure})...)
	t.j.say("error (%s): %s", r.Cause, r.Failure.Message)
	f := r.Failure
	if f.File != "" {
		t.j.say("  at file %s, record %d, byte %d", f.File, f.Record, f.Offset)
	}
	if f.Text != "" {
		t.j.say("  record: %s", f.Text)
	}
	if f.Exit != "" {
		t.j.say("  the program ended with %s", f.Exit)
	}
	if f.Stack != "" {
		t.j.say("%s", f.Stack)
	}
	if f.Hint != "" {
		t.j.say("  hint: %s", f.Hint)
	}
}

// tell reports progress, not too often. The caller holds mu.
func (t *task) tell(now bool) {
	if t.o.Progress == nil || !now && time.Since(t.progress) < 200*time.Millisecond {
		return
	}
	t.progress = time.Now()
	l := &t.rep.Ledger
	t.o.Progress(job.Progress{Files: l.Files.Done, Records: l.Records.Read, Bytes: l.Bytes.Wire})
}
