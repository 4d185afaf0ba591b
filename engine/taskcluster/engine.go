package taskcluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/books"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
)

// Options configure the engine. The zero value of Parallel, Poll and MaxPoll has a default.
type Options struct {
	State    *state.DB
	Client   *taskcluster.Client
	Settings *Settings
	// Notice is told what people should know, a sentence at a time; nil: nobody is.
	Notice   func(string)
	Parallel int // calls to createTask at once; default 50
	// Poll and MaxPoll are the shortest and the longest time between two looks at the tasks; default 1 s and 15 s.
	Poll, MaxPoll time.Duration
}

// Engine carries out runs on a deployment.
type Engine struct {
	o     Options
	after func(time.Duration) <-chan time.Time // of the watch; tests have a clock of their own
}

var _ engine.Engine = (*Engine)(nil)

// New checks the options and fills in the defaults.
func New(o Options) (*Engine, error) {
	if o.State == nil || o.Client == nil || o.Settings == nil {
		return nil, errors.New("the engine taskcluster needs a state, a client and settings")
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Parallel <= 0 {
		o.Parallel = 50
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	o.MaxPoll = max(o.MaxPoll, o.Poll)
	if o.MaxPoll == o.Poll && o.Poll >= time.Second {
		o.MaxPoll = 15 * o.Poll
	}
	return &Engine{o: o, after: time.After}, nil
}

// Connect makes a client for the deployment of the settings, with the credentials of the environment.
func Connect(s *Settings, getenv func(string) string) (*taskcluster.Client, error) {
	c := taskcluster.Config{RootURL: s.RootURL}.WithEnv(getenv)
	s.RootURL = c.RootURL
	return taskcluster.New(c)
}

// Apply carries out a run, or goes on with the earlier run that was to do the same and whose tasks are still there. When ctx ends it
// stops watching: the tasks go on, and the next Apply takes them up. It takes the state's lock unless the state holds it already.
func (e *Engine) Apply(ctx context.Context, run *engine.Run, observe engine.Observer) (out *engine.Outcome, err error) {
	if !e.o.State.Locked() {
		lock, err := e.o.State.Lock("apply")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, lock.Release()) }()
	}
	if observe == nil {
		observe = func(engine.Event) {}
	}
	a := &apply{Engine: e, run: run, observe: observe, books: &books.Books{DB: e.o.State, Run: run, Context: context.WithoutCancel(ctx)}}
	if err := a.prepare(ctx); err != nil {
		return nil, err
	}
	out, err = a.carryOut(ctx)
	if err != nil && ctx.Err() != nil {
		out, err = a.detached(), nil
	}
	if out == nil || !out.Interrupted {
		err = errors.Join(err, a.finish(out, err))
	}
	return out, err
}

// apply is one Apply.
type apply struct {
	*Engine
	run     *engine.Run
	observe engine.Observer
	books   *books.Books
	graph   *Graph
	record  state.RemoteRun
	resumed bool // the run was begun by an earlier Apply
	watch   *watch
	// consumers are the tasks whose results others read; made when it is asked for.
	consumers map[*engine.Task]bool
}

// prepare finds out whether to go on with an earlier run, makes and checks the definitions, and records the run before anything is sent.
func (a *apply) prepare(ctx context.Context) error {
	now := time.Now()
	a.record = state.RemoteRun{
		Run: a.run.ID, Analysis: a.run.Analysis, Root: a.o.Settings.RootURL, Group: GroupID(a.run.ID), Settings: marshal(a.o.Settings),
		Started: now, Deadline: now.Add(a.o.Settings.Deadline), Expires: now.Add(a.o.Settings.Expires),
	}
	stale, err := a.takeUp(ctx, now)
	if err != nil {
		return err
	}
	refs, err := a.reused(ctx)
	if err != nil {
		return err
	}
	graph, problems := Lower(Input{
		Run: a.run, Settings: a.o.Settings, Start: a.record.Started, Deadline: a.record.Deadline, Expires: a.record.Expires, Reused: refs,
	})
	a.graph = graph
	check := Preflight{Client: a.o.Client, Settings: a.o.Settings, Graph: graph, Problems: problems, Reused: refs, Deadline: a.record.Deadline}
	if err := a.judge(check.Check(ctx)); err != nil {
		return err
	}
	for _, old := range stale {
		if err := a.giveUp(ctx, old); err != nil {
			return err
		}
	}
	if a.resumed {
		if err := a.o.State.ReopenRun(a.books.Context, a.run.ID); err != nil {
			return err
		}
		return a.books.Reused()
	}
	// The deployment's record comes first: without it another Apply would not look for the tasks.
	if err := a.o.State.BeginRemoteRun(a.books.Context, a.record); err != nil {
		return err
	}
	ids := map[*engine.Task]string{}
	for t, n := range graph.ByTask {
		ids[t] = n.ID
	}
	return a.books.Begin(ids)
}

// Doctor looks for all that would keep a run from the deployment, and creates and records nothing. passed is told what is right.
func (e *Engine) Doctor(ctx context.Context, run *engine.Run, passed func(string)) ([]Problem, error) {
	now := time.Now()
	a := &apply{Engine: e, run: run}
	refs, err := a.reused(ctx)
	if err != nil {
		return nil, err
	}
	deadline := now.Add(e.o.Settings.Deadline)
	graph, problems := Lower(Input{Run: run, Settings: e.o.Settings, Start: now, Deadline: deadline, Expires: now.Add(e.o.Settings.Expires), Reused: refs})
	check := Preflight{
		Client: e.o.Client, Settings: e.o.Settings, Graph: graph, Problems: problems, Reused: refs, Deadline: deadline, Passed: passed,
	}
	return check.Check(ctx)
}

// judge tells people of warnings, and stops at errors.
func (a *apply) judge(problems []Problem, err error) error {
	if err != nil {
		return err
	}
	fatal := false
	for _, p := range problems {
		if p.Warning {
			a.o.Notice(p.String())
		}
		fatal = fatal || !p.Warning
	}
	if fatal {
		return &ProblemsError{Problems: problems}
	}
	return nil
}

// reused says where the results are that the run takes from earlier ones.
func (a *apply) reused(ctx context.Context) (map[*engine.Task]Ref, error) {
	consumed := map[*engine.Task]bool{}
	for _, t := range a.run.Tasks {
		for _, u := range t.Upstream {
			consumed[u.Task] = !t.Reused
		}
		for _, up := range t.Needs {
			consumed[up] = !t.Reused
		}
	}
	var keys []string
	for _, t := range a.run.Tasks {
		if t.Reused {
			keys = append(keys, t.Key)
		}
	}
	found, err := a.o.State.Remotes(ctx, a.o.Settings.RootURL, keys)
	if err != nil {
		return nil, err
	}
	refs := map[*engine.Task]Ref{}
	for _, t := range a.run.Tasks {
		r, ok := found[t.Key]
		switch {
		case !t.Reused:
		case ok:
			refs[t] = Ref{TaskID: r.TaskID, RunID: r.RunID, Artifacts: r.Artifacts, Expires: r.Expires}
		case consumed[t]:
			return nil, fmt.Errorf("the result of %s that the plan reuses is not on %s; plan again", t.Addr, a.o.Settings.RootURL)
		}
	}
	return refs, nil
}

// carryOut creates what is missing and watches all to the end.
func (a *apply) carryOut(ctx context.Context) (*engine.Outcome, error) {
	w, err := newWatch(a)
	if err != nil {
		return nil, err
	}
	a.watch = w
	if err := w.begin(); err != nil {
		return nil, err
	}
	a.o.Notice(a.o.Client.Links().Group(a.graph.GroupID))
	if err := a.submit(ctx); err != nil {
		return nil, err
	}
	return w.run(ctx)
}

// detached is the outcome of a run that goes on without tafc.
func (a *apply) detached() *engine.Outcome {
	out := a.watch.walk.Outcome()
	out.Interrupted = true
	a.o.Notice("The run goes on without tafc: " + a.o.Client.Links().Group(a.graph.GroupID))
	return out
}

// finish records how the run ended. After an error of the engine it stays open, so that the next Apply goes on.
func (a *apply) finish(out *engine.Outcome, err error) error {
	if err != nil || out == nil {
		return nil
	}
	if err := a.books.Finish(out, nil); err != nil {
		return err
	}
	return a.o.State.EndRemoteRun(a.books.Context, a.run.ID, true)
}
