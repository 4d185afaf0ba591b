package tctest

import (
	"encoding/json"
	"time"
)

// handler works off a task queue in this process.
type handler struct {
	builtin string // resolves so, one task at a time
	busy    bool
	work    func(Work) Outcome
	slots   chan struct{}
}

// Work is a run that a function has to do.
type Work struct {
	TaskID string
	RunID  int
	Task   json.RawMessage // the definition
}

// Outcome is how a run ends.
type Outcome struct {
	// State is completed, failed or exception; completed when empty. Reason goes with exception.
	State, Reason string
	Artifacts     []Artifact
}

// Artifact is an artifact with its content.
type Artifact struct {
	Name            string
	ContentType     string // application/octet-stream when empty
	ContentEncoding string
	Data            []byte
	Expires         time.Time // with the task when zero
}

// workers is how many functions of one queue run at a time.
const workers = 8

// Handle has f do the runs of a task queue, up to eight at a time, as a worker would.
func (s *Server) Handle(taskQueueID string, f func(Work) Outcome) {
	q := s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	h := &handler{work: f, slots: make(chan struct{}, workers)}
	q.handlers[taskQueueID] = h
	p := q.taskQueue(taskQueueID)
	waiting, _ := p.count()
	for range waiting {
		go h.next(q)
	}
}

// offer has the handler take notice of a new run. The lock is held.
func (h *handler) offer(q *queue, now time.Time) {
	if h.work != nil {
		go h.next(q)
		return
	}
	if h.busy {
		return
	}
	h.busy = true
	q.at(now.Add(q.s.options.BuiltinDelay), func(at time.Time) { h.builtins(q, at) })
}

// builtins resolves one built-in task, and goes on with the next.
func (h *handler) builtins(q *queue, now time.Time) {
	h.busy = false
	id := "built-in/succeed"
	if h.builtin == failed {
		id = "built-in/fail"
	}
	t := q.taskQueue(id).take()
	if t == nil {
		return
	}
	q.start(t, "built-in", h.builtin, now)
	if string(t.def.Payload) == "{}" {
		q.end(t, h.builtin, h.builtin, now)
	} else {
		q.end(t, exception, "malformed-payload", now)
	}
	if q.taskQueue(id).waits() {
		h.offer(q, now)
	}
}
