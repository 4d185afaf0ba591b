package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// Options configure the engine. The zero value of each field but State has a default.
type Options struct {
	State   *state.DB
	Workers int // attempts at once; 0: as many as there are cores
	// Executable and TaskArgs start a task; the path of its spec.json follows. Default: this program with __task.
	Executable string
	TaskArgs   []string
	// Container says when tasks with an image run in a container: auto, docker, podman, or none, which empty means as well.
	Container string
	// Mapper is a static taf-mapper for images that have none; empty: what is beside Executable, or that itself.
	Mapper string
	// Warn is told, before anything runs, why images are not used although they might be; nil: nobody.
	Warn func(string)
	// Secrets are environment variables that only the tasks of a stage get. They are written nowhere.
	Secrets map[addr.Stage]map[string]string
	// Stop is how long a task has after the request to stop before it is killed; default 5 s.
	Stop time.Duration
	// Grace is how long after its max_run_time a task has to end by itself; default 10 s.
	Grace time.Duration

	mounts []container.Mount // more of them, for tests
	least  int64             // instead of leastMemory, for tests
}

// Engine carries out runs on this computer.
type Engine struct {
	o Options
}

var _ engine.Engine = (*Engine)(nil)

// New checks the options and fills in the defaults.
func New(o Options) (*Engine, error) {
	if o.State == nil {
		return nil, errors.New("the local engine needs a state")
	}
	if o.Workers < 0 {
		return nil, fmt.Errorf("workers = %d: write 1 or more, or 0 for as many as there are cores", o.Workers)
	}
	if o.Workers == 0 {
		o.Workers = runtime.NumCPU()
	}
	if o.Executable == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program to start tasks with: %w", err)
		}
		o.Executable = self
	}
	if o.Container == "" {
		o.Container = ContainerNone
	}
	if !slices.Contains(ContainerModes(), o.Container) {
		return nil, fmt.Errorf("container = %q: write auto, docker, podman or none", o.Container)
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	if o.TaskArgs == nil {
		o.TaskArgs = []string{"__task"}
	}
	if o.Stop == 0 {
		o.Stop = 5 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	return &Engine{o: o}, nil
}

// Apply carries out a run. It takes the state's lock unless the state holds it already, so that a command can hold it from
// its plan to its end; the error is a *state.HeldError when another process does.
func (e *Engine) Apply(ctx context.Context, run *engine.Run, observe engine.Observer) (out *engine.Outcome, err error) {
	if err := supported(); err != nil {
		return nil, err
	}
	if !e.o.State.Locked() {
		lock, err := e.o.State.Lock("apply")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, lock.Release()) }()
	}
	// What has ended must be recorded also when ctx ends.
	durable := context.WithoutCancel(ctx)
	r := &runner{
		o: e.o, db: e.o.State, run: run, durable: durable,
		reports: map[*engine.Task]*job.Report{}, causes: map[*engine.Task]job.Cause{}, partial: map[*engine.Task]bool{},
	}
	if err := r.prepare(); err != nil {
		return nil, err
	}
	r.env = r.interpreters()
	r.starter = newStarter()
	defer r.starter.close()
	out, err = engine.Drive(ctx, run, e.o.Workers, r, observe)
	killMarked(r.runs()) // what user code has left behind
	r.removals.Wait()
	return out, errors.Join(err, r.finish(out, err))
}

// runner is one Apply.
type runner struct {
	o       Options
	db      *state.DB
	run     *engine.Run
	durable context.Context // does not end with Apply's
	starter *starter
	env     []string // for the tasks, besides this process's own
	boxes   map[engine.Image]*box

	removals sync.WaitGroup // of containers that have ended

	mu      sync.Mutex
	reports map[*engine.Task]*job.Report // of tasks that have a result, as stored
	causes  map[*engine.Task]job.Cause   // of tasks without a result by their own or their stage's fault

	partial map[*engine.Task]bool     // reused tasks whose result is
	byKey   map[string][]*engine.Task // several tasks may do the same
}

// prepare recovers what a killed run left, checks that what the plan counts on is there, and records the run.
func (r *runner) prepare() error {
	r.byKey = make(map[string][]*engine.Task, len(r.run.Tasks))
	for _, t := range r.run.Tasks {
		r.byKey[t.Key] = append(r.byKey[t.Key], t)
	}
	for _, digest := range slices.Sorted(maps.Keys(r.run.Bundles)) {
		if err := r.db.SaveBundle(digest, r.run.Bundles[digest]); err != nil {
			return err
		}
	}
	if err := r.openBoxes(); err != nil {
		return err
	}
	if err := r.recover(); err != nil {
		return fmt.Errorf("recover from a killed run: %w", err)
	}
	if err := errors.Join(r.doubt(), r.takeOver()); err != nil {
		return err
	}
	if err := r.checkReused(); err != nil {
		return err
	}
	begin := state.Begin{
		Run:       state.Run{ID: r.run.ID, Analysis: r.run.Analysis, Command: r.run.Command, Plan: r.run.Plan},
		Documents: r.run.Stages, Dropped: r.run.Dropped,
	}
	now := time.Now()
	for _, t := range r.run.Tasks {
		begin.Tasks = append(begin.Tasks, state.RunTask{Address: t.Addr, Key: t.Key, State: string(engine.Waiting), Changed: now})
	}
	if err := r.db.BeginRun(r.durable, begin); err != nil {
		return err
	}
	return r.noteReused()
}

// checkReused makes sure that the results that the plan reuses are there.
func (r *runner) checkReused() error {
	var keys []string
	for _, t := range r.run.Tasks {
		if t.Reused {
			keys = append(keys, t.Key)
		}
	}
	found, _, err := r.db.HasResults(r.durable, keys)
	if err != nil {
		return err
	}
	for _, t := range r.run.Tasks {
		if !t.Reused {
			continue
		}
		info, ok := found[t.Key]
		if !ok {
			return fmt.Errorf("the result of %s that the plan reuses is no longer there; plan again", t.Addr)
		}
		r.partial[t] = info.Partial
	}
	return nil
}

// noteReused lets the state remember the reused tasks as good, also those whose result another analysis made.
func (r *runner) noteReused() error {
	var records []state.TaskRecord
	inputs := map[string][]byte{}
	now := time.Now()
	for _, t := range r.run.Tasks {
		if t.Reused {
			records = append(records, r.record(t, engine.Reused, 0, now))
			inputs[t.InputsDigest] = t.Inputs
		}
	}
	return r.db.Reused(r.durable, r.run.Analysis, records, inputs)
}

// record is what the state remembers of a task that ended well; a failure adds its cause.
func (r *runner) record(t *engine.Task, s engine.State, attempts int, at time.Time) state.TaskRecord {
	return state.TaskRecord{
		Address: t.Addr, Key: t.Key, StageDigest: t.StageDigest, InputsDigest: t.InputsDigest, Bundle: t.Bundle,
		State: string(s), Cause: job.CauseDone, Attempts: attempts, RunID: r.run.ID, Finished: at,
	}
}

// finish records how the run ended.
func (r *runner) finish(out *engine.Outcome, err error) error {
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
	return r.db.FinishRun(r.durable, r.run.ID, outcome)
}

// Record makes changes of tasks durable. Results were recorded with their files.
func (r *runner) Record(events []engine.Event) error {
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
		r.noteCause(e)
		tasks = append(tasks, t)
		if e.State != engine.Failed {
			continue
		}
		failure := r.record(e.Task, engine.Failed, e.Attempt, e.Time)
		failure.Cause, failure.Message = t.Cause, t.Message
		if err := r.db.PutFailure(r.durable, r.run.Analysis, failure, e.Task.Inputs); err != nil {
			return err
		}
	}
	return r.db.UpdateTasks(r.durable, r.run.ID, tasks)
}

// noteCause remembers why a task has no result, for the coverage of those that go on without it.
func (r *runner) noteCause(e engine.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case e.State == engine.Failed:
		r.causes[e.Task] = e.Report.Cause
	case e.State == engine.Cancelled && e.Cause != nil:
		r.causes[e.Task] = r.causes[e.Cause]
	}
}

// Partial tells whether the result of a reused task is partial.
func (r *runner) Partial(t *engine.Task) bool { return r.partial[t] }
