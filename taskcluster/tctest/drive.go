package tctest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// next takes one run of the queue of h and does it.
func (h *handler) next(q *queue) {
	select {
	case h.slots <- struct{}{}:
	case <-q.s.done:
		return
	}
	defer func() { <-h.slots }()
	q.settle()
	t, runID := q.takeFor(h)
	if t == nil {
		return
	}
	q.conclude(t, runID, h.work(Work{t.id, runID, t.text}))
	q.settle()
}

// takeFor claims what waits in the queue of h.
func (q *queue) takeFor(h *handler) (*task, int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, other := range q.handlers {
		if other != h {
			continue
		}
		if t := q.taskQueue(id).take(); t != nil {
			q.start(t, "tctest", "function", q.s.clock.Now())
			return t, len(t.runs) - 1
		}
	}
	return nil, 0
}

// conclude stores the artifacts of a run and resolves it, unless it has been resolved otherwise.
func (q *queue) conclude(t *task, runID int, o Outcome) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := t.run(runID)
	if r.state != running {
		return
	}
	for _, a := range o.Artifacts {
		q.store(t, runID, a)
	}
	switch o.State {
	case "", completed:
		q.end(t, completed, completed, q.s.clock.Now())
	case failed:
		q.end(t, failed, failed, q.s.clock.Now())
	default:
		q.end(t, exception, o.Reason, q.s.clock.Now())
	}
}

// store makes an s3 artifact with its content.
func (q *queue) store(t *task, runID int, a Artifact) {
	one := &artifact{storage: "s3", name: a.Name, contentType: a.ContentType, expires: a.Expires, bucket: privateBucket,
		key: fmt.Sprintf("%s/%d/%s", t.id, runID, a.Name)}
	if one.contentType == "" {
		one.contentType = "application/octet-stream"
	}
	if one.expires.IsZero() {
		one.expires = t.expires
	}
	if strings.HasPrefix(a.Name, "public/") {
		one.bucket = publicBucket
	}
	if t.artifacts[runID] == nil {
		t.artifacts[runID] = map[string]*artifact{}
	}
	t.artifacts[runID][a.Name] = one
	q.s.blobs.store(one.bucket+"/"+one.key, &blob{a.Data, one.contentType, a.ContentEncoding, q.s.clock.Now()})
}

// Resolve runs a task that is pending, by hand, and ends the run so.
func (s *Server) Resolve(taskID string, o Outcome) error {
	q := s.queue
	q.settle()
	q.mu.Lock()
	t := q.tasks[taskID]
	if t == nil {
		q.mu.Unlock()
		return fmt.Errorf("no task %s", taskID)
	}
	switch state := t.state(); state {
	case pending:
		q.start(t, "tctest", "hand", s.clock.Now())
	case running:
	default:
		q.mu.Unlock()
		return fmt.Errorf("task %s is %s", taskID, state)
	}
	runID := len(t.runs) - 1
	q.mu.Unlock()
	q.conclude(t, runID, o)
	q.settle()
	return nil
}

// Complete resolves a pending task as completed, with artifacts.
func (s *Server) Complete(taskID string, artifacts ...Artifact) error {
	return s.Resolve(taskID, Outcome{Artifacts: artifacts})
}

// Fail resolves a pending task as failed.
func (s *Server) Fail(taskID string) error { return s.Resolve(taskID, Outcome{State: failed}) }

// Exception resolves a pending task as exception for a reason; worker-shutdown, claim-expired and intermittent-task try again.
func (s *Server) Exception(taskID, reason string) error {
	return s.Resolve(taskID, Outcome{State: exception, Reason: reason})
}

// Status is the state of a task now.
func (s *Server) Status(taskID string) (Status, bool) {
	s.queue.settle()
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	t := s.queue.tasks[taskID]
	if t == nil {
		return Status{}, false
	}
	return s.queue.status(t), true
}

// Task is the stored definition of a task, nil when there is none.
func (s *Server) Task(taskID string) json.RawMessage {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	if t := s.queue.tasks[taskID]; t != nil {
		return slices.Clone(t.text)
	}
	return nil
}

// Artifacts are the artifacts of a run that have content, with it, by name.
func (s *Server) Artifacts(taskID string, runID int) []Artifact {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	t := s.queue.tasks[taskID]
	if t == nil {
		return nil
	}
	var all []Artifact
	for _, name := range slices.Sorted(maps.Keys(t.artifacts[runID])) {
		a := t.artifacts[runID][name]
		if data := s.blobs.load(a.bucket + "/" + a.key); data != nil {
			all = append(all, Artifact{name, data.contentType, data.contentEncoding, data.data, a.expires})
		}
	}
	return all
}

// TaskIDs are the ids of all tasks in the order in which they were created.
func (s *Server) TaskIDs() []string {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return slices.Clone(s.queue.created)
}

// LoseWorker plays a worker that vanishes: its claims run out at once, or, when told, are resolved as worker-shutdown.
func (s *Server) LoseWorker(group, id string, told bool) {
	reason := "claim-expired"
	if told {
		reason = "worker-shutdown"
	}
	s.endRuns(reason, func(r *run) bool { return r.workerGroup == group && r.workerID == id })
}

// ExpireClaims plays that all claims run out now.
func (s *Server) ExpireClaims() { s.endRuns("claim-expired", func(*run) bool { return true }) }

func (s *Server) endRuns(reason string, which func(*run) bool) {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	for _, id := range slices.Clone(s.queue.created) {
		t := s.queue.tasks[id]
		if t.state() == running && which(t.runs[len(t.runs)-1]) {
			s.queue.end(t, exception, reason, s.clock.Now())
		}
	}
}

// ExpireArtifacts has the artifacts of a task expire, those with a prefix.
func (s *Server) ExpireArtifacts(taskID, prefix string) {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	t := s.queue.tasks[taskID]
	if t == nil {
		return
	}
	for _, byName := range t.artifacts {
		for name, a := range byName {
			if strings.HasPrefix(name, prefix) {
				a.expires = s.clock.Now().Add(-time.Second)
			}
		}
	}
}
