package engine

import (
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// Walk is the bookkeeping of one run. It starts nothing and reads no clock: whoever drives it takes attempts from Next, says
// how they went with Started, End and Interrupted, and takes the changes from Events. It is not safe for concurrent use.
//
// What a task ends as depends only on how attempts end, never on their order or on the number of workers.
type Walk struct {
	run      *Run
	workers  int
	nodes    []*node // in the order of the run
	of       map[*Task]*node
	stages   map[addr.Stage]*stage
	ready    readyHeap // startable now
	delayed  delayHeap // ready, but not before their time
	running  int       // places of workers that are taken
	open     int       // tasks without an end
	stopped  bool
	partial  bool
	exceeded bool // some stage lost more tasks than it tolerates
	events   []Event
}

// node is a task in the walk.
type node struct {
	task      *Task
	index     int
	stage     *stage
	needs     []*node
	consumers []*node
	state     State
	unmet     int  // needs that have neither a result nor a tolerated failure
	attempt   int  // the latest, from 1
	out       bool // handed out by Next, not started or ended
	doubled   bool // memory was doubled after an attempt ran out of it
	notBefore time.Time
	blame     *Task // the first cause, when it failed or was cancelled
	lost      bool  // it has no result by its own stage's fault, so its stage's tolerance decides about its consumers
	doomed    bool  // a need in its own stage is lost: it will be lost as well
	why       string
	transient bool // its result must not be reused
}

// stage is the tasks of one stage.
type stage struct {
	tasks   []*node
	open    int // tasks without an end
	failed  int64
	limit   job.Limit
	waiting []*node // lost ones whose consumers wait for the stage's end
}

// Attempt is one try of a task.
type Attempt struct {
	Task   *Task
	Number int   // from 1
	Memory int64 // for Spec.Limits.Memory
	// Retried are the causes, and exit:N, after which another attempt follows.
	Retried []string
	// Missing says for each upstream task without a result, whose loss is tolerated, why it has none.
	Missing map[*Task]string
	// Transient tells that some input is missing or transient itself, so that the result must not be reused.
	Transient bool
}

// Ended is how an attempt ended.
type Ended struct {
	Report *job.Report
	Exit   int  // exit code of the task's process, -1 when a signal killed it
	Reused bool // nothing ran: the store had a result of the same content
	// Final: no attempt follows, whatever the policy says, because it is not tafc that decides it.
	Final bool
}

// NewWalk prepares the walk of a run with at most workers attempts at once.
func NewWalk(run *Run, workers int) (*Walk, error) {
	if workers < 1 {
		return nil, fmt.Errorf("run %s: %d workers cannot do anything", run.ID, workers)
	}
	w := &Walk{run: run, workers: workers, of: map[*Task]*node{}, stages: map[addr.Stage]*stage{}, open: len(run.Tasks)}
	seen := make(map[addr.Task]bool, len(run.Tasks))
	for i, t := range run.Tasks {
		if seen[t.Addr] {
			return nil, fmt.Errorf("run %s: task %s is there twice", run.ID, t.Addr)
		}
		seen[t.Addr] = true
		s := w.stages[t.Addr.Stage]
		if s == nil {
			s = &stage{limit: t.FailedTasks}
			w.stages[t.Addr.Stage] = s
		}
		n := &node{task: t, index: i, stage: s, state: Waiting}
		if err := w.connect(n); err != nil {
			return nil, err
		}
		s.tasks = append(s.tasks, n)
		s.open++
		w.nodes = append(w.nodes, n)
		w.of[t] = n
	}
	return w, nil
}

// connect links a task to what it needs.
func (w *Walk) connect(n *node) error {
	linked := map[*node]bool{}
	link := func(t *Task) error {
		need := w.of[t]
		if need == nil {
			return fmt.Errorf("run %s: task %s needs %s, which does not stand before it in the run", w.run.ID, n.task.Addr, t.Addr)
		}
		if !linked[need] {
			linked[need] = true
			n.needs = append(n.needs, need)
			need.consumers = append(need.consumers, n)
		}
		return nil
	}
	for _, t := range n.task.Needs {
		if err := link(t); err != nil {
			return err
		}
	}
	for _, u := range n.task.Upstream {
		if err := link(u.Task); err != nil {
			return err
		}
	}
	n.unmet = len(n.needs)
	return nil
}

// Begin gives every task its first state. partial tells for reused tasks whether their result is.
func (w *Walk) Begin(now time.Time, partial func(*Task) bool) {
	for _, n := range w.nodes {
		switch {
		case n.task.Reused:
			w.partial = w.partial || partial(n.task)
			w.succeed(n, Event{Time: now, State: Reused})
		case n.state == Waiting && n.unmet == 0:
			w.makeReady(n, now, 0)
		case n.state == Waiting:
			w.emit(n, Event{Time: now, State: Waiting})
		}
	}
}

// Next takes the largest task that is ready, if a worker is free. Started, End or Interrupted must follow.
func (w *Walk) Next(now time.Time) *Attempt {
	for len(w.delayed) > 0 && !w.delayed[0].notBefore.After(now) {
		heap.Push(&w.ready, heap.Pop(&w.delayed).(*node))
	}
	// A task that needs more places than are free holds up the others, or it would wait for ever.
	if w.stopped || len(w.ready) == 0 || w.running+w.places(w.ready[0].task) > w.workers {
		return nil
	}
	n := heap.Pop(&w.ready).(*node)
	w.running += w.places(n.task)
	n.attempt++
	n.out = true
	a := &Attempt{Task: n.task, Number: n.attempt, Memory: n.task.Spec.Limits.Memory}
	if n.doubled {
		a.Memory *= 2
	}
	if n.attempt < n.task.Retry.Attempts {
		a.Retried = slices.Clone(n.task.Retry.On)
		if n.doubled {
			a.Retried = slices.DeleteFunc(a.Retried, func(on string) bool { return on == string(job.CauseMemory) })
		}
	}
	for _, need := range n.needs {
		if need.lost {
			if a.Missing == nil {
				a.Missing = map[*Task]string{}
			}
			a.Missing[need.task] = need.why
		}
		a.Transient = a.Transient || need.lost || need.transient
	}
	return a
}

// places is how many workers' places a task takes: all of them when there are not as many.
func (w *Walk) places(t *Task) int { return min(max(t.Cpus, 1), w.workers) }

// Wake is when the next delayed task becomes ready; ok is false when none waits for its time.
func (w *Walk) Wake() (at time.Time, ok bool) {
	if len(w.delayed) == 0 {
		return time.Time{}, false
	}
	return w.delayed[0].notBefore, true
}

// Started says that the attempt runs.
func (w *Walk) Started(a *Attempt, now time.Time) {
	n := w.of[a.Task]
	n.out = false
	w.emit(n, Event{Time: now, State: Running, Attempt: a.Number})
}

// End says how an attempt ended that left a report.
func (w *Walk) End(a *Attempt, e Ended, now time.Time) {
	n := w.of[a.Task]
	n.out = false
	w.running -= w.places(n.task)
	event := Event{Time: now, Attempt: a.Number, Report: e.Report}
	if e.Report.Cause == job.CauseDone {
		event.State = Done
		if e.Reused {
			event.State = Reused
		}
		w.partial = w.partial || e.Report.Partial
		n.transient = e.Report.Transient
		w.succeed(n, event)
		return
	}
	delay, again := n.retry(e)
	if again && !w.stopped && !e.Final {
		event.RetryIn = delay
		w.retryIn(n, event)
		return
	}
	w.fail(n, event)
}

// Again says that an attempt ended without a result, and that whoever carries it out tries again of its own accord. It returns that
// attempt, for which Started, End, Again or Interrupted must follow.
func (w *Walk) Again(a *Attempt, e Ended, now time.Time) *Attempt {
	n := w.of[a.Task]
	w.emit(n, Event{Time: now, State: Ready, Attempt: a.Number, Report: e.Report})
	next := *a
	next.Number++
	n.attempt = next.Number
	return &next
}

// Interrupted says that an attempt was stopped before its end.
func (w *Walk) Interrupted(a *Attempt, now time.Time) {
	w.running -= w.places(a.Task)
	w.of[a.Task].out = false
	w.end(w.of[a.Task], Event{Time: now, State: Cancelled, Attempt: a.Number})
}

// Stop gives up all tasks that do not run.
func (w *Walk) Stop(now time.Time) {
	if w.stopped {
		return
	}
	w.stopped = true
	w.ready, w.delayed = nil, nil
	for _, n := range w.nodes {
		if n.state == Waiting || n.state == Ready && !n.out {
			w.end(n, Event{Time: now, State: Cancelled, Attempt: n.attempt})
		}
	}
}

// Finished tells whether every task has ended.
func (w *Walk) Finished() bool { return w.open == 0 }

// Events takes the changes since the last call.
func (w *Walk) Events() []Event {
	events := w.events
	w.events = nil
	return events
}

// Outcome is how the run ended so far.
func (w *Walk) Outcome() *Outcome {
	o := &Outcome{States: make(map[addr.Task]State, len(w.nodes)), Interrupted: w.stopped, Partial: w.partial}
	unjudged := false
	for _, n := range w.nodes {
		o.States[n.task.Addr] = n.state
		if n.state == Failed {
			o.Failed = append(o.Failed, n.task)
		}
		unjudged = unjudged || len(n.stage.waiting) > 0
	}
	o.Tolerated = len(o.Failed) > 0 && !w.exceeded && !unjudged
	return o
}

func (w *Walk) emit(n *node, e Event) {
	e.Task = n.task
	n.state = e.State
	w.events = append(w.events, e)
}
