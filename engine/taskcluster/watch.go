package taskcluster

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
)

// watch follows a run's tasks. What a task's end means for the others is decided by the same walk as on every engine; what happens to
// the tasks is read from their statuses.
type watch struct {
	*apply
	walk   *engine.Walk
	out    map[*engine.Task]*attempt // handed out by the walk, and not ended
	status map[*engine.Task]*taskcluster.Status
	fetch  *fetcher
	ended  map[*engine.Task]engine.State
	// news are tasks that step may take further: their status has changed, or what is waited for.
	news    []*engine.Task
	begun   []state.Attempt // to be recorded
	givenUp []*engine.Task  // cancelled by the walk just now
	failed  bool            // some task has
	// tolerant are the tasks that start whatever becomes of their dependencies, by the ids of these; made when it is asked for.
	tolerant map[string][]*engine.Task
	told     bool // people were told that the run has failed
	// canceled: a cancelled task was seen; stopping: all were, by tafc cancel; single: only some were, by somebody else.
	canceled, stopping, single bool
	dead                       []*attempt // to be revived
	err                        error
}

// attempt is a run of a task that the walk waits for.
type attempt struct {
	*engine.Attempt
	started  bool
	fetching bool
	seen     bool // what happened before this watch is not told again
	revived  bool // it was cancelled by an earlier watch, and is run after all
	lost     int  // polls in which the queue did not know the task
}

func newWatch(a *apply) (*watch, error) {
	walk, err := engine.NewWalk(a.run, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	w := &watch{
		apply: a, walk: walk, out: map[*engine.Task]*attempt{}, status: map[*engine.Task]*taskcluster.Status{}, ended: map[*engine.Task]engine.State{},
	}
	w.fetch = newFetcher(w)
	return w, nil
}

// begin gives every task its first state.
func (w *watch) begin() error {
	partial, err := w.books.Partial()
	if err != nil {
		return err
	}
	w.walk.Begin(time.Now(), partial)
	return w.publish()
}

// run watches until all tasks have ended.
func (w *watch) run(ctx context.Context) (*engine.Outcome, error) {
	w.fetch.start(ctx)
	defer w.fetch.stop()
	pace := pace{least: w.o.Poll, most: w.o.MaxPoll}
	for {
		changed, err := w.look(ctx)
		if err != nil {
			return nil, err
		}
		if err := w.advance(ctx); err != nil {
			return nil, err
		}
		if w.walk.Finished() {
			return w.walk.Outcome(), w.err
		}
		if err := w.pause(ctx, pace.next(len(w.open()), changed)); err != nil {
			return nil, err
		}
	}
}

// pause waits, and takes what is fetched meanwhile.
func (w *watch) pause(ctx context.Context, d time.Duration) error {
	over := w.after(d)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case f := <-w.fetch.done:
			if err := w.fetchedAll(f); err != nil {
				return err
			}
			if err := w.advance(ctx); err != nil {
				return err
			}
			if w.walk.Finished() {
				return nil
			}
		case <-over:
			return nil
		}
	}
}

// fetchedAll takes what is fetched, and all else that is by now.
func (w *watch) fetchedAll(f fetched) error {
	for {
		if err := w.fetched(f); err != nil {
			return err
		}
		select {
		case f = <-w.fetch.done:
		default:
			return nil
		}
	}
}

// open are the tasks that may still change, in the order of the run.
func (w *watch) open() []*engine.Task {
	var out []*engine.Task
	for _, t := range w.tasks() {
		if s := w.status[t]; s == nil || !s.State.Resolved() {
			if w.ended[t] == "" {
				out = append(out, t)
			}
		}
	}
	return out
}

// tasks are those of the run, in its order.
func (w *watch) tasks() []*engine.Task { return w.apply.run.Tasks }

// look asks for the statuses of open tasks.
func (w *watch) look(ctx context.Context) (changed bool, err error) {
	open := w.open()
	ids := make([]string, 0, len(open))
	for _, t := range open {
		if n := w.graph.ByTask[t]; n != nil {
			ids = append(ids, n.ID)
		}
	}
	if len(ids) == 0 {
		return false, nil
	}
	found, err := w.statuses(ctx, ids)
	if err != nil {
		return false, err
	}
	for _, t := range open {
		n := w.graph.ByTask[t]
		if n == nil {
			continue
		}
		s, ok := found[n.ID]
		if !ok {
			if a := w.out[t]; a != nil {
				a.lost++
				w.news = append(w.news, t)
			}
			continue
		}
		if before := w.status[t]; before == nil || before.State != s.State || len(before.Runs) != len(s.Runs) {
			changed = true
			w.news = append(w.news, t)
		}
		w.status[t] = s
	}
	return changed, nil
}

// manyStatuses is how many tasks are asked for one by one, on deployments without a call for many, rather than by listing the group.
const manyStatuses = 20

func (w *watch) statuses(ctx context.Context, ids []string) (map[string]*taskcluster.Status, error) {
	features, err := w.o.Client.Features(ctx)
	if err == nil && !features.Has("queue", "statuses") && len(ids) > manyStatuses {
		found := map[string]*taskcluster.Status{}
		for t, err := range w.o.Client.Queue.ListTaskGroup(ctx, w.graph.GroupID, 0) {
			if err != nil {
				return nil, err
			}
			found[t.Status.TaskID] = &t.Status
		}
		return found, nil
	}
	return w.o.Client.Queue.Statuses(ctx, ids)
}

// advance tells the walk what is known, until nothing more follows from it.
func (w *watch) advance(ctx context.Context) error {
	for changed := true; changed; {
		changed = false
		if err := w.revive(ctx); err != nil {
			return err
		}
		news := w.news
		w.news = nil
		for _, t := range news {
			if a := w.out[t]; a != nil && w.step(a) {
				changed = true
			}
		}
		for a := w.walk.Next(time.Now()); a != nil; a = w.walk.Next(time.Now()) {
			w.out[a.Task] = &attempt{Attempt: a}
			w.news = append(w.news, a.Task)
			changed = true
		}
		changed = changed || len(w.news) > 0
		if w.canceled && !w.stopping && !w.single {
			w.whoCancelled(ctx)
			changed = true
		}
		if err := w.publish(); err != nil {
			return err
		}
	}
	return w.follow(ctx)
}

// revive runs tasks that an earlier watch has cancelled, now that all their inputs are there.
func (w *watch) revive(ctx context.Context) error {
	for _, a := range w.dead {
		s, err := w.o.Client.Queue.RerunTask(ctx, w.graph.ByTask[a.Task].ID)
		if err != nil {
			return err
		}
		w.status[a.Task], a.seen = s, false
		w.news = append(w.news, a.Task)
	}
	w.dead = nil
	return nil
}

// whoCancelled finds out whether the whole run was cancelled: then its group is sealed.
func (w *watch) whoCancelled(ctx context.Context) {
	group, err := w.o.Client.Queue.GetTaskGroup(ctx, w.graph.GroupID)
	for _, t := range w.tasks() { // what cancelled ones become depends on it
		if w.out[t] != nil {
			w.news = append(w.news, t)
		}
	}
	if w.stopping = err == nil && !group.Sealed.IsZero(); !w.stopping {
		w.single = true
		return
	}
	w.walk.Stop(time.Now())
	for _, t := range w.tasks() {
		if a := w.out[t]; a != nil && !a.started {
			w.interrupted(a)
		}
	}
}

// publish makes the changes durable and tells the observer.
func (w *watch) publish() error {
	events := w.walk.Events()
	if len(events) == 0 {
		return nil
	}
	for _, e := range events {
		switch e.State {
		case engine.Done, engine.Reused, engine.Failed, engine.Cancelled:
			w.ended[e.Task] = e.State
			delete(w.out, e.Task)
			w.failed = w.failed || e.State == engine.Failed
			if e.State == engine.Cancelled {
				w.givenUp = append(w.givenUp, e.Task)
			}
		}
	}
	w.record()
	if err := w.books.Events(events); err != nil {
		return err
	}
	for _, e := range events {
		w.observe(e)
	}
	return nil
}

// follow does what the queue would not do by itself: tasks that the walk has given up but that would run, because they wait for
// their inputs to be resolved and not for results, are cancelled, and people who want to hear of failures are told.
func (w *watch) follow(ctx context.Context) error {
	givenUp := w.givenUp
	w.givenUp = nil
	for _, t := range givenUp {
		n, s := w.graph.ByTask[t], w.status[t]
		if n == nil || s != nil && s.State.Resolved() || !w.mustCancel(n) {
			continue
		}
		if s, err := w.o.Client.Queue.CancelTask(ctx, n.ID); err == nil {
			w.status[t] = s
		} else if !taskcluster.HasCode(err, taskcluster.CodeRequestConflict) && !taskcluster.IsNotFound(err) {
			return err
		}
	}
	if w.failed && w.walk.Finished() && !w.walk.Outcome().Tolerated {
		return w.tell(ctx)
	}
	return nil
}

// mustCancel tells whether a cancelled task would start, or keep others from starting.
func (w *watch) mustCancel(n *Node) bool {
	if n.Definition.Requires == taskcluster.AllResolved {
		return true
	}
	if w.tolerant == nil {
		w.tolerant = map[string][]*engine.Task{}
		for t, m := range w.graph.ByTask {
			if m.Definition.Requires == taskcluster.AllResolved {
				for _, d := range m.Definition.Dependencies {
					w.tolerant[d] = append(w.tolerant[d], t)
				}
			}
		}
	}
	return slices.ContainsFunc(w.tolerant[n.ID], func(t *engine.Task) bool { return w.ended[t] == "" })
}

// tell starts the tasks that tell people of a failure: the queue would start them at the deadline, or not at all.
func (w *watch) tell(ctx context.Context) error {
	if w.told {
		return nil
	}
	w.told = true
	for _, n := range w.graph.Ends {
		if n.Label == endDone {
			continue
		}
		if _, err := w.o.Client.Queue.ScheduleTask(ctx, n.ID); err != nil && !taskcluster.HasCode(err, taskcluster.CodeRequestConflict) {
			w.o.Notice("Nobody could be told that the run has failed: " + err.Error())
		}
	}
	return nil
}
