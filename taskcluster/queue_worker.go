package taskcluster

import (
	"context"
	"net/http"
)

func (q *queue) ClaimWork(ctx context.Context, taskQueueID string, request *ClaimWorkRequest) ([]TaskClaim, error) {
	var result struct{ Tasks []TaskClaim }
	k := call{service: "queue", name: "claimWork", subject: taskQueueID, method: http.MethodPost, path: pathOf("/claim-work/", taskQueueID), body: request, result: &result}
	if _, err := q.do(ctx, k); err != nil {
		return nil, err
	}
	return result.Tasks, nil
}

func (q *queue) ReclaimTask(ctx context.Context, taskID string, runID int) (*TaskClaim, error) {
	result := new(TaskClaim)
	k := call{service: "queue", name: "reclaimTask", subject: taskID, method: http.MethodPost, path: runPath(taskID, runID) + "/reclaim", result: result}
	if _, err := q.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (q *queue) ReportCompleted(ctx context.Context, taskID string, runID int) (*Status, error) {
	return q.status(ctx, "reportCompleted", taskID, http.MethodPost, runPath(taskID, runID)+"/completed", nil)
}

func (q *queue) ReportFailed(ctx context.Context, taskID string, runID int) (*Status, error) {
	return q.status(ctx, "reportFailed", taskID, http.MethodPost, runPath(taskID, runID)+"/failed", nil)
}

func (q *queue) ReportException(ctx context.Context, taskID string, runID int, reason string) (*Status, error) {
	return q.status(ctx, "reportException", taskID, http.MethodPost, runPath(taskID, runID)+"/exception", map[string]string{"reason": reason})
}
