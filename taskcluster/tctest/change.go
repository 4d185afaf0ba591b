package tctest

import (
	"encoding/json"
	"time"
)

// changeScopes are those of a call that changes a task.
func changeScopes(verb string, t *task) expression {
	d := &t.def
	inGroup := d.SchedulerID + "/" + d.TaskGroupID
	return anyOf(
		scope("queue:", verb, ":", inGroup, "/", t.id),
		scope("queue:", verb, "-in-project:", d.ProjectID),
		allOf(scope("queue:", verb), scope("assume:scheduler-id:", inGroup)),
	)
}

// change finds the task, checks the scopes and the deadline, and has do change it.
func (c *call) change(verb, late string, do func(q *queue, t *task, now time.Time) error) (any, error) {
	id := c.params["taskId"]
	q := c.s.queue
	q.mu.Lock()
	t := q.tasks[id]
	q.mu.Unlock()
	if t == nil {
		return nil, noTask(id, "has been submitted before")
	}
	if err := c.authorize(changeScopes(verb, t)); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := c.s.clock.Now()
	if now.After(t.deadline) {
		return nil, conflict("Task `%s` can't be %s past its deadline of %s.", id, late, stamp(t.deadline))
	}
	if err := do(q, t, now); err != nil {
		return nil, err
	}
	return statusAnswer{q.status(t)}, nil
}

func scheduleTask(c *call) (any, error) {
	return c.change("schedule-task", "scheduled", func(q *queue, t *task, now time.Time) error {
		if t.state() == unscheduled {
			q.addRun(t, "scheduled", now)
		}
		return nil
	})
}

// rerunTask starts another run of what is resolved. An unscheduled task starts too, whatever it waits for.
func rerunTask(c *call) (any, error) {
	return c.change("rerun-task", "rescheduled", func(q *queue, t *task, now time.Time) error {
		if state := t.state(); state == pending || state == running {
			return nil
		}
		if len(t.runs) >= maxRuns {
			return conflict("Task `%s` has been run %d times, which is the most.", t.id, maxRuns)
		}
		q.addRun(t, "rerun", now)
		t.left = min(t.retries, maxRuns-len(t.runs))
		return nil
	})
}

func cancelTask(c *call) (any, error) {
	return c.change("cancel-task", "canceled", func(q *queue, t *task, now time.Time) error {
		if !t.resolved() {
			q.finish(t, "canceled", now)
		}
		return nil
	})
}

func changeTaskPriority(c *call) (any, error) {
	id := c.params["taskId"]
	q := c.s.queue
	q.mu.Lock()
	t := q.tasks[id]
	q.mu.Unlock()
	if t == nil {
		return nil, noTask(id, "exists")
	}
	if err := c.authorize(anyOf(scope("queue:change-task-priority:", id), scope("queue:change-task-priority-in-queue:", t.def.TaskQueueID))); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.setPriority(t, c.str("newPriority"))
	return statusAnswer{q.status(t)}, nil
}

// setPriority changes the priority of a task, in its definition too: a repeated createTask then conflicts.
func (q *queue) setPriority(t *task, priority string) {
	t.def.Priority = priority
	t.text, _ = json.Marshal(t.def)
	if t.state() == pending {
		q.enqueue(t, q.s.clock.Now())
	}
}
