package taskcluster

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"
)

func (q *queue) group(ctx context.Context, name, taskGroupID, method, path string, result any) error {
	if !q.many.features.has(ctx, "queue", name) {
		return fmt.Errorf("queue.%s %s: %w", name, taskGroupID, ErrUnsupported)
	}
	_, err := q.do(ctx, call{service: "queue", name: name, subject: taskGroupID, method: method, path: path, result: result})
	if routeMissing(err) {
		return fmt.Errorf("queue.%s %s: %w", name, taskGroupID, ErrUnsupported)
	}
	return err
}

func (q *queue) GetTaskGroup(ctx context.Context, taskGroupID string) (*TaskGroup, error) {
	result := new(TaskGroup)
	if err := q.group(ctx, "getTaskGroup", taskGroupID, http.MethodGet, pathOf("/task-group/", taskGroupID), result); err != nil {
		return nil, err
	}
	return result, nil
}

func (q *queue) SealTaskGroup(ctx context.Context, taskGroupID string) (*TaskGroup, error) {
	result := new(TaskGroup)
	if err := q.group(ctx, "sealTaskGroup", taskGroupID, http.MethodPost, pathOf("/task-group/", taskGroupID, "/seal"), result); err != nil {
		return nil, err
	}
	return result, nil
}

func (q *queue) CancelTaskGroup(ctx context.Context, taskGroupID string) (*CancelledTaskGroup, error) {
	result := new(CancelledTaskGroup)
	err := q.group(ctx, "cancelTaskGroup", taskGroupID, http.MethodPost, pathOf("/task-group/", taskGroupID, "/cancel"), result)
	if isUnsupported(err) {
		return q.cancelSingly(ctx, taskGroupID)
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

// cancelSingly cancels what is not resolved in a group task by task, as CancelTaskGroup does where there is one.
func (q *queue) cancelSingly(ctx context.Context, taskGroupID string) (*CancelledTaskGroup, error) {
	result := &CancelledTaskGroup{TaskGroupID: taskGroupID}
	now := q.now()
	for entry, err := range q.ListTaskGroup(ctx, taskGroupID, 0) {
		if err != nil {
			return nil, err
		}
		result.TaskGroupSize++
		if !entry.Status.State.Resolved() && entry.Status.Deadline.After(now) {
			result.TaskIDs = append(result.TaskIDs, entry.Status.TaskID)
		}
	}
	cancelled := make([]bool, len(result.TaskIDs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(q.many.parallel)
	for i, taskID := range result.TaskIDs {
		group.Go(func() error {
			_, err := q.CancelTask(ctx, taskID)
			if HasCode(err, CodeRequestConflict) {
				return nil // its deadline has passed meanwhile
			}
			cancelled[i] = err == nil
			return err
		})
	}
	err := group.Wait()
	i := -1
	result.TaskIDs = slices.DeleteFunc(result.TaskIDs, func(string) bool { i++; return !cancelled[i] })
	result.CancelledCount = len(result.TaskIDs)
	return result, err
}

func (q *queue) GetTaskQueue(ctx context.Context, taskQueueID string) (*TaskQueue, error) {
	result := new(TaskQueue)
	k := call{service: "queue", name: "getTaskQueue", subject: taskQueueID, method: http.MethodGet, path: pathOf("/task-queues/", taskQueueID), result: result}
	if _, err := q.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (q *queue) TaskQueueCounts(ctx context.Context, taskQueueID string) (*TaskQueueCounts, error) {
	result := new(TaskQueueCounts)
	k := call{service: "queue", name: "taskQueueCounts", subject: taskQueueID, method: http.MethodGet, path: pathOf("/task-queues/", taskQueueID, "/counts"), result: result}
	if q.many.features.has(ctx, k.service, k.name) {
		_, err := q.do(ctx, k)
		if err == nil {
			return result, nil
		}
		if !routeMissing(err) && !HasCode(err, CodeInvalidRequestArguments) { // old ones take "/counts" for a part of the id
			return nil, err
		}
		q.many.features.lacks(k.service, k.name)
	}
	k.name, k.path = "pendingTasks", pathOf("/pending/", taskQueueID)
	if _, err := q.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}
