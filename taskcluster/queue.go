package taskcluster

import (
	"context"
	"iter"
	"net/http"
)

// queue is Queue and Worker over HTTP.
type queue struct {
	*caller
	many many
}

var (
	_ Queue  = (*queue)(nil)
	_ Worker = (*queue)(nil)
)

func (q *queue) Ping(ctx context.Context) error { return ping(ctx, q.caller, "queue") }

// status makes a call that answers with the status of a task.
func (q *queue) status(ctx context.Context, name, taskID, method, path string, body any) (*Status, error) {
	var result struct{ Status Status }
	k := call{service: "queue", name: name, subject: taskID, method: method, path: path, body: body, result: &result}
	if _, err := q.do(ctx, k); err != nil {
		return nil, err
	}
	return &result.Status, nil
}

func (q *queue) Task(ctx context.Context, taskID string) (*TaskDefinition, error) {
	result := new(TaskDefinition)
	k := call{service: "queue", name: "task", subject: taskID, method: http.MethodGet, path: pathOf("/task/", taskID), result: result}
	if _, err := q.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (q *queue) Status(ctx context.Context, taskID string) (*Status, error) {
	return q.status(ctx, "status", taskID, http.MethodGet, pathOf("/task/", taskID, "/status"), nil)
}

func (q *queue) CreateTask(ctx context.Context, taskID string, task *TaskDefinition) (*Status, error) {
	return q.status(ctx, "createTask", taskID, http.MethodPut, pathOf("/task/", taskID), task)
}

func (q *queue) ScheduleTask(ctx context.Context, taskID string) (*Status, error) {
	return q.status(ctx, "scheduleTask", taskID, http.MethodPost, pathOf("/task/", taskID, "/schedule"), nil)
}

func (q *queue) RerunTask(ctx context.Context, taskID string) (*Status, error) {
	return q.status(ctx, "rerunTask", taskID, http.MethodPost, pathOf("/task/", taskID, "/rerun"), nil)
}

func (q *queue) CancelTask(ctx context.Context, taskID string) (*Status, error) {
	return q.status(ctx, "cancelTask", taskID, http.MethodPost, pathOf("/task/", taskID, "/cancel"), nil)
}

type taskPage struct {
	Tasks             []TaskAndStatus `json:"tasks"`
	ContinuationToken string          `json:"continuationToken"`
}

func (p *taskPage) entries() ([]TaskAndStatus, string) { return p.Tasks, p.ContinuationToken }

func (q *queue) ListTaskGroup(ctx context.Context, taskGroupID string, limit int) iter.Seq2[TaskAndStatus, error] {
	k := call{service: "queue", name: "listTaskGroup", subject: taskGroupID, method: http.MethodGet, path: pathOf("/task-group/", taskGroupID, "/list")}
	return pages(ctx, q.caller, k, limit, (*taskPage).entries)
}

func (q *queue) ListDependentTasks(ctx context.Context, taskID string, limit int) iter.Seq2[TaskAndStatus, error] {
	k := call{service: "queue", name: "listDependentTasks", subject: taskID, method: http.MethodGet, path: pathOf("/task/", taskID, "/dependents")}
	return pages(ctx, q.caller, k, limit, (*taskPage).entries)
}
