package taskcluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
)

// Bounds of what is fetched.
const (
	parallelFetches = 8
	maxReport       = 256 << 20
	maxLog          = 1 << 20
)

// fetcher gets the reports of tasks that have ended, a few at a time, and the files of the last tasks' results.
type fetcher struct {
	w    *watch
	done chan fetched
	stop func()
	mu   sync.Mutex
	list []wanted
	more chan struct{}
}

// wanted is a report to be fetched.
type wanted struct {
	a      *attempt
	id     string
	status *taskcluster.Status
	run    taskcluster.Run
	files  bool // of the result as well
}

// fetched is what a run left.
type fetched struct {
	wanted
	report *job.Report
	dir    string // with the files of the result; empty: they were not wanted
	log    []byte // the end of it, when there was no report
	err    error  // of the engine
}

func newFetcher(w *watch) *fetcher {
	return &fetcher{w: w, done: make(chan fetched, 256), more: make(chan struct{}, 1), stop: func() {}}
}

// start starts fetching.
func (f *fetcher) start(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	for range parallelFetches {
		group.Go(func() { f.work(ctx) })
	}
	f.stop = func() {
		cancel()
		group.Wait()
	}
}

// ask wants the report of a run, once.
func (f *fetcher) ask(a *attempt, s *taskcluster.Status, run taskcluster.Run) {
	if a.fetching {
		return
	}
	a.fetching = true
	completed := run.State == taskcluster.StateCompleted
	f.mu.Lock()
	f.list = append(f.list, wanted{a: a, id: s.TaskID, status: s, run: run, files: completed && !f.w.consumed(a.Task)})
	f.mu.Unlock()
	f.wake()
}

func (f *fetcher) wake() {
	select {
	case f.more <- struct{}{}:
	default:
	}
}

// next takes what is wanted; ok is false when ctx ended.
func (f *fetcher) next(ctx context.Context) (wanted, bool) {
	for {
		f.mu.Lock()
		if n := len(f.list); n > 0 {
			x := f.list[0]
			f.list = f.list[1:]
			f.mu.Unlock()
			if n > 1 {
				f.wake()
			}
			return x, true
		}
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			return wanted{}, false
		case <-f.more:
		}
	}
}

func (f *fetcher) work(ctx context.Context) {
	for {
		x, ok := f.next(ctx)
		if !ok {
			return
		}
		got := f.get(ctx, x)
		select {
		case <-ctx.Done():
			return
		case f.done <- got:
		}
	}
}

// get fetches what a run left.
func (f *fetcher) get(ctx context.Context, x wanted) fetched {
	client, prefix := f.w.o.Client, f.w.o.Settings.ArtifactPrefix
	got := fetched{wanted: x}
	report, err := fetchReport(ctx, client, x.id, x.run.RunID, prefix)
	switch {
	case err == nil:
		got.report = report
	case notThere(err):
		live, backing := f.w.o.Settings.logNames()
		got.log = endOfLog(ctx, client, x.id, x.run.RunID, backing, live)
	default:
		got.err = fmt.Errorf("fetch the report of %s: %w", x.a.Task.Addr, err)
	}
	if got.report != nil && got.report.Cause == job.CauseDone && x.files {
		got.dir = f.w.o.State.AttemptDir(f.w.apply.run.ID, x.a.Task.Addr, x.run.RunID+1)
		if err := fetchFiles(ctx, client, Ref{TaskID: x.id, RunID: x.run.RunID, Artifacts: prefix}, report, got.dir); err != nil {
			got.err = fmt.Errorf("fetch the result of %s: %w", x.a.Task.Addr, err)
		}
	}
	return got
}

// notThere tells whether an artifact was never stored, or is gone.
func notThere(err error) bool {
	var stored *taskcluster.ArtifactError
	return taskcluster.IsNotFound(err) || errors.As(err, &stored) || taskcluster.HasCode(err, taskcluster.CodeResourceExpired)
}

// fetchReport reads what a run said at its end.
func fetchReport(ctx context.Context, client *taskcluster.Client, id string, run int, prefix string) (*job.Report, error) {
	r, err := client.OpenArtifact(ctx, id, run, prefix+"/"+agent.ReportFile)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxReport))
	if err != nil {
		return nil, err
	}
	report := &job.Report{}
	if err := json.Unmarshal(text, report); err != nil {
		return nil, fmt.Errorf("it is no report: %w", err)
	}
	if report.Version != job.Version {
		return nil, fmt.Errorf("it has version %d, and this tafc knows %d: use images and tafc of one release", report.Version, job.Version)
	}
	return report, nil
}

// fetchFiles reads the files of a result into a folder. That they are what the report says is checked when they are put into the store.
func fetchFiles(ctx context.Context, client *taskcluster.Client, at Ref, report *job.Report, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	names := make([]string, 0, len(report.Parts)+1)
	for _, p := range report.Parts {
		names = append(names, p.Path)
	}
	if q := report.Quarantine; q != nil {
		names = append(names, q.Path)
	}
	for _, name := range names {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return fmt.Errorf("the report names the file %q, which is outside of the result", name)
		}
		if err := fetchFile(ctx, client, at, name, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}

func fetchFile(ctx context.Context, client *taskcluster.Client, at Ref, name, path string) error {
	r, err := client.OpenArtifact(ctx, at.TaskID, at.RunID, at.Artifacts+"/"+name)
	if err != nil {
		return err
	}
	defer r.Close()
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	return errors.Join(err, out.Close())
}

// endOfLog reads the end of a run's log; nil when there is none.
func endOfLog(ctx context.Context, client *taskcluster.Client, id string, run int, names ...string) []byte {
	for _, name := range names {
		r, err := client.OpenArtifact(ctx, id, run, name)
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(io.LimitReader(r, maxLog))
		r.Close()
		return text
	}
	return nil
}

// consumed tells whether another task of the run reads a task's result.
func (a *apply) consumed(t *engine.Task) bool {
	if a.consumers == nil {
		a.consumers = map[*engine.Task]bool{}
		for _, c := range a.run.Tasks {
			for _, u := range c.Upstream {
				a.consumers[u.Task] = true
			}
		}
	}
	return a.consumers[t]
}

// fetched takes what a run left.
func (w *watch) fetched(f fetched) error {
	if f.err != nil {
		return f.err
	}
	a := f.a
	if w.out[a.Task] != a {
		return nil // the walk has given it up meanwhile
	}
	report := f.report
	switch {
	case report == nil && f.run.State == taskcluster.StateCompleted:
		report = w.bare(a, job.CauseBug, "the task completed without a report", "its image may have another taf-mapper than this tafc expects: "+w.link(a))
	case report == nil:
		report = w.bare(a, "", "", "")
		report.Cause, report.Failure.Message, report.Failure.Hint = explainAll(f.status, f.log)
	case report.Key != a.Task.Key:
		report = w.bare(a, job.CauseBug, fmt.Sprintf("the report is about %s with key %s, and not about key %s", report.Task, report.Key, a.Task.Key), "this is a bug of tafc")
	case report.Cause == job.CauseDone && f.run.State != taskcluster.StateCompleted:
		report = w.bare(a, job.CauseWrite, "the result was made, but could not be kept: the worker ended the task as "+f.run.ReasonResolved, "look at the end of its log: "+w.link(a))
	case report.Cause == "":
		report = w.bare(a, job.CauseBug, "the report has no cause", "this is a bug of tafc")
	case report.Cause != job.CauseDone && report.Failure == nil:
		report.Failure = &job.Failure{Message: "the task says no more than its cause: " + string(report.Cause)}
	}
	if report.Cause != job.CauseDone {
		w.endAttempt(a, f.run, state.AttemptFailed, report)
		w.end(a, report, -1)
		return nil
	}
	return w.commit(a, f, report)
}

// commit records a result: where it is, and its files when they were fetched.
func (w *watch) commit(a *attempt, f fetched, report *job.Report) error {
	w.record()
	report.Attempt = a.Number
	report.Transient = report.Transient || a.Transient
	at := w.attempt(a, f.run.Started.Time)
	at.State, at.Cause, at.Ledger, at.Finished = state.AttemptDone, job.CauseDone, &report.Ledger, f.run.Resolved.Time
	if at.Finished.IsZero() {
		at.Finished = time.Now()
	}
	stored, err := w.o.State.PutResult(w.books.Context, state.Finish{
		Result: state.Result{
			Key: a.Task.Key, Task: a.Task.Addr, Analysis: w.apply.run.Analysis, RunID: w.apply.run.ID, Created: at.Finished, Report: *report,
		},
		Dir: f.dir, Record: w.books.Entry(a.Task, engine.Done, a.Number, at.Finished), Inputs: a.Task.Inputs, End: &at,
		Remote: &state.Remote{
			Key: a.Task.Key, Root: w.o.Settings.RootURL, TaskID: f.id, RunID: f.run.RunID, Artifacts: w.o.Settings.ArtifactPrefix, Expires: f.status.Expires.Time,
		},
	})
	var bad *state.BadFileError
	if errors.As(err, &bad) {
		damaged := w.bare(a, job.CauseCorrupt, "the result is not what its report says: "+err.Error(), "apply again; if it stays so, look at "+w.link(a))
		w.endAttempt(a, f.run, state.AttemptFailed, damaged)
		w.end(a, damaged, -1)
		return nil
	}
	if err != nil {
		return err
	}
	w.walk.End(a.Attempt, engine.Ended{Report: &stored.Report, Final: true}, time.Now())
	delete(w.out, a.Task)
	return nil
}
