package tctest

import (
	"container/heap"
	"slices"
	"sync"
	"time"
)

const (
	unscheduled = "unscheduled"
	pending     = "pending"
	running     = "running"
	completed   = "completed"
	failed      = "failed"
	exception   = "exception"

	maxRuns           = 50
	groupExtension    = time.Hour // a group outlives its tasks by this
	deadlineLateness  = time.Minute
	expiryLateness    = 12 * time.Hour // tasks are deleted by a nightly job
	defaultClaim      = 20 * time.Minute
	defaultLongPoll   = 20 * time.Second
	lateArtifactLimit = 25 * time.Minute
)

// queue holds tasks, groups and artifacts. One lock guards all; what is slow (JSON, signatures) happens outside of it.
type queue struct {
	s *Server

	mu       sync.Mutex
	tasks    map[string]*task
	groups   map[string]*group
	waiting  map[string][]*edge       // by the task waited for
	pending  map[string]*pendingQueue // by task queue
	events   eventHeap
	seq      int
	work     chan struct{} // closed when there is new work
	handlers map[string]*handler
	created  []string // task ids in order
}

// task is a task with its runs.
type task struct {
	id        string
	def       definition
	text      []byte // the whole definition, in one spelling
	created   time.Time
	deadline  time.Time
	expires   time.Time
	retries   int
	left      int // retries left
	runs      []*run
	unmet     int                          // dependencies not satisfied
	artifacts map[int]map[string]*artifact // by run and name
}

type run struct {
	state, created, resolvedAs       string
	workerGroup, workerID            string
	takenUntil                       time.Time
	scheduledAt, startedAt, resolved time.Time
}

// edge is a dependency of a task on another.
type edge struct {
	dependent *task
	satisfied bool
}

type group struct {
	id, scheduler string
	tasks         []*task
	expires       time.Time
	sealed        time.Time
	inOrder       bool // tasks are in the order of lists
}

func newQueue(s *Server) *queue {
	q := &queue{s: s, tasks: map[string]*task{}, groups: map[string]*group{}, waiting: map[string][]*edge{},
		pending: map[string]*pendingQueue{}, handlers: map[string]*handler{}, work: make(chan struct{})}
	q.handlers["built-in/succeed"] = &handler{builtin: completed}
	q.handlers["built-in/fail"] = &handler{builtin: failed}
	return q
}

// state is that of the latest run.
func (t *task) state() string {
	if len(t.runs) == 0 {
		return unscheduled
	}
	return t.runs[len(t.runs)-1].state
}

func (t *task) resolved() bool {
	s := t.state()
	return s == completed || s == failed || s == exception
}

func (t *task) run(n int) *run {
	if n < 0 || n >= len(t.runs) {
		return nil
	}
	return t.runs[n]
}

// event is something that happens at a time.
type event struct {
	at  time.Time
	seq int
	do  func(at time.Time)
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].seq < h[j].seq
	}
	return h[i].at.Before(h[j].at)
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// at has do happen at a time. The lock is held, also when do is called.
func (q *queue) at(when time.Time, do func(at time.Time)) {
	q.seq++
	heap.Push(&q.events, event{when, q.seq, do})
}

// settle lets everything happen that is due.
func (q *queue) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.s.clock.Now()
	for len(q.events) > 0 && !q.events[0].at.After(now) {
		e := heap.Pop(&q.events).(event)
		e.do(e.at)
	}
}

// addRun starts a run.
func (q *queue) addRun(t *task, reason string, now time.Time) {
	t.runs = append(t.runs, &run{state: pending, created: reason, scheduledAt: now})
	q.s.notes.transition(t, pending, "")
	q.enqueue(t, now)
}

// end resolves the latest run, and what follows from it.
func (q *queue) end(t *task, state, reason string, now time.Time) {
	r := t.runs[len(t.runs)-1]
	r.state, r.resolvedAs, r.resolved = state, reason, now
	if retryReason := retryOf[reason]; state == exception && retryReason != "" && t.left > 0 && len(t.runs) < maxRuns {
		t.left--
		q.addRun(t, retryReason, now)
		return
	}
	q.s.notes.transition(t, state, reason)
	if state == completed {
		q.indexRoutes(t, now)
	}
	for _, e := range q.waiting[t.id] {
		q.satisfy(e, state, now)
	}
}

// retryOf are the reasons that start another run, while there are retries left.
var retryOf = map[string]string{"worker-shutdown": "retry", "claim-expired": "retry", "intermittent-task": "task-retry"}

// satisfy tells a dependent that what it waits for has resolved as state.
func (q *queue) satisfy(e *edge, state string, now time.Time) {
	t := e.dependent
	if e.satisfied || state != completed && t.def.Requires != "all-resolved" {
		return
	}
	e.satisfied = true
	t.unmet--
	if t.unmet > 0 {
		return
	}
	q.at(now.Add(q.s.options.ScheduleDelay), func(at time.Time) {
		if t.state() == unscheduled {
			q.addRun(t, "scheduled", at)
		}
	})
}

// indexRoutes enters a completed task in the index.
func (q *queue) indexRoutes(t *task, now time.Time) {
	entries := indexEntries(t)
	if len(entries) == 0 {
		return
	}
	enter := func(time.Time) {
		for _, e := range entries {
			q.s.index.insert(e)
		}
	}
	if q.s.options.IndexDelay == 0 {
		enter(now)
		return
	}
	q.at(now.Add(q.s.options.IndexDelay), enter)
}

// watch has the deadline and the expiry of a task happen.
func (q *queue) watch(t *task) {
	q.at(t.deadline.Add(deadlineLateness), func(at time.Time) {
		if t.resolved() || q.tasks[t.id] != t {
			return
		}
		q.finish(t, "deadline-exceeded", at)
	})
	q.at(t.expires.Add(expiryLateness), func(time.Time) { q.remove(t) })
}

// finish ends a task from outside: unscheduled, pending or running becomes exception.
func (q *queue) finish(t *task, reason string, now time.Time) {
	if len(t.runs) == 0 {
		t.runs = append(t.runs, &run{state: pending, created: "exception", scheduledAt: now})
	}
	q.end(t, exception, reason, now)
}

func (q *queue) remove(t *task) {
	if q.tasks[t.id] != t {
		return
	}
	delete(q.tasks, t.id)
	q.created = slices.DeleteFunc(q.created, func(id string) bool { return id == t.id })
	if g := q.groups[t.def.TaskGroupID]; g != nil {
		g.tasks = slices.DeleteFunc(g.tasks, func(o *task) bool { return o == t })
	}
}
