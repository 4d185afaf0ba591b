package taskcluster

import (
	"context"
	"net/http"
)

type taskIDs struct {
	TaskIDs []string `json:"taskIds"`
}

func (q *queue) Statuses(ctx context.Context, ids []string) (map[string]*Status, error) {
	type entry struct {
		TaskID string `json:"taskId"`
		Status Status `json:"status"`
	}
	type page struct {
		Statuses          []entry `json:"statuses"`
		ContinuationToken string  `json:"continuationToken"`
	}
	return lookUp(ctx, q.many, "queue", "statuses", ids,
		func(ctx context.Context, ids []string) (map[string]*Status, error) {
			k := call{service: "queue", name: "statuses", method: http.MethodPost, path: "/tasks/status", body: taskIDs{ids}}
			found := make(map[string]*Status, len(ids))
			for e, err := range pages(ctx, q.caller, k, 0, func(p *page) ([]entry, string) { return p.Statuses, p.ContinuationToken }) {
				if err != nil {
					return nil, err
				}
				found[e.TaskID] = &e.Status
			}
			return found, nil
		},
		func(ctx context.Context, id string) (*Status, bool, error) { return optional(q.Status(ctx, id)) })
}

func (q *queue) Tasks(ctx context.Context, ids []string) (map[string]*TaskDefinition, error) {
	type entry struct {
		TaskID string         `json:"taskId"`
		Task   TaskDefinition `json:"task"`
	}
	type page struct {
		Tasks             []entry `json:"tasks"`
		ContinuationToken string  `json:"continuationToken"`
	}
	return lookUp(ctx, q.many, "queue", "tasks", ids,
		func(ctx context.Context, ids []string) (map[string]*TaskDefinition, error) {
			k := call{service: "queue", name: "tasks", method: http.MethodPost, path: "/tasks", body: taskIDs{ids}}
			found := make(map[string]*TaskDefinition, len(ids))
			for e, err := range pages(ctx, q.caller, k, 0, func(p *page) ([]entry, string) { return p.Tasks, p.ContinuationToken }) {
				if err != nil {
					return nil, err
				}
				found[e.TaskID] = &e.Task
			}
			return found, nil
		},
		func(ctx context.Context, id string) (*TaskDefinition, bool, error) { return optional(q.Task(ctx, id)) })
}
