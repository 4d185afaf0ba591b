package tctest

import (
	"strconv"
	"time"
)

// taskRun finds the task of the call; the run may not exist.
func (c *call) taskRun() (*task, int, error) {
	id := c.params["taskId"]
	runID, _ := strconv.Atoi(c.params["runId"])
	c.s.queue.mu.Lock()
	defer c.s.queue.mu.Unlock()
	t := c.s.queue.tasks[id]
	if t == nil {
		return nil, 0, notFound("Task `%s` not found. Are you sure it was created?", id)
	}
	return t, runID, nil
}

// ownRun checks that the caller may act for the run, and finds it.
func (c *call) ownRun(verb string) (*task, int, error) {
	if err := c.authorize(scope("queue:", verb, ":", c.params["taskId"], "/", c.params["runId"])); err != nil {
		return nil, 0, err
	}
	t, runID, err := c.taskRun()
	if err != nil {
		return nil, 0, err
	}
	c.s.queue.mu.Lock()
	defer c.s.queue.mu.Unlock()
	if t.run(runID) == nil {
		return nil, 0, notFound("Run %d not found on task `%s`.", runID, t.id)
	}
	return t, runID, nil
}

func reclaimTask(c *call) (any, error) {
	t, runID, err := c.ownRun("reclaim-task")
	if err != nil {
		return nil, err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	now := c.s.clock.Now()
	r := t.run(runID)
	switch {
	case now.After(t.deadline):
		return nil, conflict("Task `%s` can't be reclaimed past its deadline of %s.", t.id, stamp(t.deadline))
	case r.state != running:
		return nil, conflict("Run %d on task `%s` is resolved or not running.", runID, t.id)
	}
	q.hold(t, r, now)
	return q.claimOf(t, runID), nil
}

func reportCompleted(c *call) (any, error) { return c.report(completed) }

func reportFailed(c *call) (any, error) { return c.report(failed) }

func (c *call) report(state string) (any, error) {
	t, runID, err := c.ownRun("resolve-task")
	if err != nil {
		return nil, err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	switch r := t.run(runID); {
	case r.state == state && r.resolvedAs == state: // reported again
	case r.state != running:
		return nil, conflict("Run %d of task `%s` is not running or %s.", runID, t.id, state)
	default:
		q.end(t, state, state, c.s.clock.Now())
	}
	return statusAnswer{q.status(t)}, nil
}

func reportException(c *call) (any, error) {
	t, runID, err := c.ownRun("resolve-task")
	if err != nil {
		return nil, err
	}
	reason := c.str("reason")
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	switch r := t.run(runID); {
	case r.state == exception && r.resolvedAs == reason: // reported again
	case r.state != running:
		return nil, conflict("Run %d on task `%s` is resolved or not running.", runID, t.id)
	default:
		q.end(t, exception, reason, c.s.clock.Now())
	}
	return statusAnswer{q.status(t)}, nil
}

type queueCounts struct {
	ProvisionerID string `json:"provisionerId"`
	WorkerType    string `json:"workerType"`
	TaskQueueID   string `json:"taskQueueId"`
	PendingTasks  int    `json:"pendingTasks"`
	ClaimedTasks  *int   `json:"claimedTasks,omitempty"`
}

func (c *call) counts(withClaimed bool) queueCounts {
	id := c.params["taskQueueId"]
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	var waiting, claimed int
	if known := q.pending[id]; known != nil { // one that there is not is empty
		waiting, claimed = known.count()
	}
	provisioner, worker := splitQueue(id)
	a := queueCounts{provisioner, worker, id, waiting, nil}
	if withClaimed {
		a.ClaimedTasks = &claimed
	}
	return a
}

func pendingTasks(c *call) (any, error) {
	if err := c.authorize(scope("queue:pending-count:", c.params["taskQueueId"])); err != nil {
		return nil, err
	}
	return c.counts(false), nil
}

func taskQueueCounts(c *call) (any, error) {
	id := c.params["taskQueueId"]
	if err := c.authorize(allOf(scope("queue:pending-count:", id), scope("queue:claimed-count:", id))); err != nil {
		return nil, err
	}
	return c.counts(true), nil
}

type taskQueueAnswer struct {
	TaskQueueID string `json:"taskQueueId"`
	Expires     string `json:"expires"`
	LastActive  string `json:"lastDateActive"`
	Description string `json:"description"`
	Stability   string `json:"stability"`
}

func (q *queue) queueAnswer(id string, now time.Time) taskQueueAnswer {
	return taskQueueAnswer{id, stamp(now.AddDate(0, 0, 1)), stamp(now), "", "experimental"}
}
