package tctest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// pendingQueue is what waits for workers, by priority. Entries that are no longer pending are passed over.
type pendingQueue struct {
	levels  [7][]pendingRun
	claimed map[*task]bool
}

type pendingRun struct {
	t     *task
	runID int
}

func (q *queue) taskQueue(id string) *pendingQueue {
	p := q.pending[id]
	if p == nil {
		p = &pendingQueue{claimed: map[*task]bool{}}
		q.pending[id] = p
	}
	return p
}

// enqueue offers the latest run of a task to workers.
func (q *queue) enqueue(t *task, now time.Time) {
	p := q.taskQueue(t.def.TaskQueueID)
	level := slices.Index(priorities, t.def.Priority)
	p.levels[level] = append(p.levels[level], pendingRun{t, len(t.runs) - 1})
	if h := q.handlers[t.def.TaskQueueID]; h != nil {
		h.offer(q, now)
	}
	close(q.work)
	q.work = make(chan struct{})
}

// live says whether an entry still waits at a level.
func (e pendingRun) live(level int) bool {
	return len(e.t.runs)-1 == e.runID && e.t.runs[e.runID].state == pending && priorities[level] == e.t.def.Priority
}

// take takes the next run that waits.
func (p *pendingQueue) take() *task {
	for level := range p.levels {
		for len(p.levels[level]) > 0 {
			e := p.levels[level][0]
			p.levels[level] = p.levels[level][1:]
			if e.live(level) {
				return e.t
			}
		}
	}
	return nil
}

// waits says whether anything waits.
func (p *pendingQueue) waits() bool {
	for level := range p.levels {
		if slices.ContainsFunc(p.levels[level], func(e pendingRun) bool { return e.live(level) }) {
			return true
		}
	}
	return false
}

func (p *pendingQueue) count() (waiting, claimed int) {
	seen := map[*task]bool{}
	for level := range p.levels {
		for _, e := range p.levels[level] {
			if e.live(level) {
				seen[e.t] = true
			}
		}
	}
	for t := range p.claimed {
		if t.state() == running {
			claimed++
		} else {
			delete(p.claimed, t)
		}
	}
	return len(seen), claimed
}

// claim is what a worker gets for a run.
type claimAnswer struct {
	Status      Status          `json:"status"`
	RunID       int             `json:"runId"`
	WorkerGroup string          `json:"workerGroup"`
	WorkerID    string          `json:"workerId"`
	TakenUntil  string          `json:"takenUntil"`
	Task        json.RawMessage `json:"task,omitempty"`
	Credentials Credentials     `json:"credentials"`
}

// start gives the latest run of a task to a worker.
func (q *queue) start(t *task, group, worker string, now time.Time) *run {
	r := t.runs[len(t.runs)-1]
	r.state, r.workerGroup, r.workerID, r.startedAt = running, group, worker, now
	q.taskQueue(t.def.TaskQueueID).claimed[t] = true
	q.s.notes.transition(t, running, "")
	q.hold(t, r, now)
	return r
}

// hold makes the claim of a run last from now.
func (q *queue) hold(t *task, r *run, now time.Time) {
	life := q.s.options.ClaimTimeout
	if life == 0 {
		life = defaultClaim
	}
	until := now.Add(life).Truncate(time.Millisecond)
	r.takenUntil = until
	q.at(until, func(at time.Time) {
		if r.state == running && r.takenUntil.Equal(until) {
			q.end(t, exception, "claim-expired", at)
		}
	})
}

// taskScopes are what a run may do besides the scopes of its task.
func taskScopes(id string, runID int) []string {
	own := fmt.Sprintf("%s/%d", id, runID)
	return []string{"queue:reclaim-task:" + own, "queue:resolve-task:" + own, "queue:create-artifact:" + own}
}

func (q *queue) claimOf(t *task, runID int) claimAnswer {
	r := t.runs[runID]
	now := q.s.clock.Now()
	name := fmt.Sprintf("task-client/%s/%d/on/%s/%s/until/%s", t.id, runID, r.workerGroup, r.workerID, unixText(r.takenUntil))
	creds := issue(queueIssuer, q.s.issuerToken(), name, append(taskScopes(t.id, runID), t.def.Scopes...), now, r.takenUntil)
	return claimAnswer{Status: q.status(t), RunID: runID, WorkerGroup: r.workerGroup, WorkerID: r.workerID,
		TakenUntil: stamp(r.takenUntil), Credentials: creds}
}

// unixText writes seconds with the fraction that they have.
func unixText(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}

func (s *Server) issuerToken() string {
	s.auth.mu.RLock()
	defer s.auth.mu.RUnlock()
	return s.auth.clients[queueIssuer].token
}

// numericOffset spells the time as the database does, which is how claimWork and claimTask answer it.
func numericOffset(text string) string { return text[:len(text)-1] + "+00:00" }

func claimWork(c *call) (any, error) {
	queueID := c.params["taskQueueId"]
	group, worker := c.str("workerGroup"), c.str("workerId")
	if err := c.authorize(allOf(scope("queue:claim-work:", queueID), scope("queue:worker-id:", group, "/", worker))); err != nil {
		return nil, err
	}
	wanted, _ := c.body["tasks"].(float64)
	wait := c.s.options.LongPoll
	if wait == 0 {
		wait = defaultLongPoll
	}
	end := time.Now().Add(wait)
	for {
		found, more := c.s.queue.claimSome(queueID, group, worker, int(wanted))
		if len(found) > 0 || time.Now().After(end) {
			return map[string]any{"tasks": found}, nil
		}
		select {
		case <-more:
		case <-time.After(min(time.Until(end), 50*time.Millisecond)): // the clock of tasks may have been moved
		case <-c.r.Context().Done():
			return map[string]any{"tasks": found}, nil
		case <-c.s.done:
			return map[string]any{"tasks": found}, nil
		}
		c.s.queue.settle()
	}
}

// claimSome claims what waits; more is closed when there is more work.
func (q *queue) claimSome(queueID, group, worker string, wanted int) (found []claimAnswer, more <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.s.clock.Now()
	found = []claimAnswer{}
	for len(found) < wanted {
		t := q.taskQueue(queueID).take()
		if t == nil {
			break
		}
		if now.After(t.deadline) {
			continue
		}
		q.start(t, group, worker, now)
		a := q.claimOf(t, len(t.runs)-1)
		a.Task, a.TakenUntil = t.text, numericOffset(a.TakenUntil)
		found = append(found, a)
	}
	return found, q.work
}

func claimTask(c *call) (any, error) {
	t, runID, err := c.taskRun()
	if err != nil {
		return nil, err
	}
	group, worker := c.str("workerGroup"), c.str("workerId")
	need := allOf(scope("queue:claim-task:", t.def.ProvisionerID, "/", t.def.WorkerType), scope("queue:worker-id:", group, "/", worker))
	if err := c.authorize(need); err != nil {
		return nil, err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	now := c.s.clock.Now()
	r := t.run(runID)
	switch {
	case now.After(t.deadline):
		return nil, conflict("Task `%s` can't be claimed past its deadline of %s.", t.id, stamp(t.deadline))
	case r == nil:
		return nil, notFound("Run %d not found on task `%s`.", runID, t.id)
	case r.state == running && r.workerGroup == group && r.workerID == worker: // asked again
	case r.state != pending:
		return nil, conflict("Run %d was already claimed by another worker.", runID)
	default:
		q.start(t, group, worker, now)
	}
	a := q.claimOf(t, runID)
	a.Task, a.TakenUntil = t.text, numericOffset(a.TakenUntil)
	return a, nil
}
