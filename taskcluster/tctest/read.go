package tctest

import (
	"encoding/json"
	"slices"
	"strings"
)

func noTask(id, more string) *apiError {
	return notFound("`%s` does not correspond to a task that exists.\nAre you sure this task %s?", id, more)
}

func getTask(c *call) (any, error) {
	id := c.params["taskId"]
	if err := c.authorize(scope("queue:get-task:", id)); err != nil {
		return nil, err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.tasks[id]
	if t == nil {
		return nil, noTask(id, "has already been submitted")
	}
	return json.RawMessage(t.text), nil
}

func getStatus(c *call) (any, error) {
	id := c.params["taskId"]
	if err := c.authorize(scope("queue:status:", id)); err != nil {
		return nil, err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.tasks[id]
	if t == nil {
		return nil, noTask(id, "exists")
	}
	return statusAnswer{q.status(t)}, nil
}

type oneStatus struct {
	TaskID string `json:"taskId"`
	Status Status `json:"status"`
}

type oneTask struct {
	TaskID string          `json:"taskId"`
	Task   json.RawMessage `json:"task"`
}

func getStatuses(c *call) (any, error) {
	found, next, err := c.batch("queue:status:")
	if err != nil {
		return nil, err
	}
	c.s.queue.mu.Lock()
	defer c.s.queue.mu.Unlock()
	answer := struct {
		Statuses []oneStatus `json:"statuses"`
		Next     string      `json:"continuationToken,omitempty"`
	}{[]oneStatus{}, next}
	for _, t := range found {
		answer.Statuses = append(answer.Statuses, oneStatus{t.id, c.s.queue.status(t)})
	}
	return answer, nil
}

func getTasks(c *call) (any, error) {
	found, next, err := c.batch("queue:get-task:")
	if err != nil {
		return nil, err
	}
	answer := struct {
		Tasks []oneTask `json:"tasks"`
		Next  string    `json:"continuationToken,omitempty"`
	}{[]oneTask{}, next}
	for _, t := range found {
		answer.Tasks = append(answer.Tasks, oneTask{t.id, t.text})
	}
	return answer, nil
}

// batch finds the tasks of a batch call; what is unknown is left out. The order is the database's, not that of the request.
func (c *call) batch(prefix string) (found []*task, next string, err error) {
	ids := c.strs("taskIds")
	if err := c.authorize(allOf(eachScope(prefix, ids)...)); err != nil {
		return nil, "", err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	seen := map[string]bool{}
	for _, id := range ids {
		if t := q.tasks[id]; t != nil && !seen[id] {
			seen[id] = true
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b *task) int { return strings.Compare(a.id, b.id) })
	found, next = pageByNumber(c, found)
	return found, next, nil
}

func listDependents(c *call) (any, error) {
	id := c.params["taskId"]
	if err := c.authorize(scope("queue:list-dependent-tasks:", id)); err != nil {
		return nil, err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.tasks[id] == nil {
		return nil, noTask(id, "exists")
	}
	var all []*task
	for _, other := range q.created {
		if slices.Contains(q.tasks[other].def.Dependencies, id) {
			all = append(all, q.tasks[other])
		}
	}
	slices.SortFunc(all, func(a, b *task) int { return byCollation(a.id, b.id) })
	all, next := page(c, all, taskKey)
	return struct {
		TaskID string          `json:"taskId"`
		Tasks  []taskAndStatus `json:"tasks"`
		Next   string          `json:"continuationToken,omitempty"`
	}{id, q.whole(all), next}, nil
}

func (q *queue) whole(tasks []*task) []taskAndStatus {
	all := make([]taskAndStatus, len(tasks))
	for i, t := range tasks {
		all[i] = taskAndStatus{q.status(t), t.text}
	}
	return all
}
