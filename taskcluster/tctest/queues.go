package tctest

import (
	"maps"
	"slices"
	"strings"
)

func splitQueue(id string) (provisioner, worker string) {
	provisioner, worker, _ = strings.Cut(id, "/")
	return provisioner, worker
}

func getTaskQueue(c *call) (any, error) {
	id := c.params["taskQueueId"]
	if err := c.authorize(scope("queue:get-task-queue:", id)); err != nil {
		return nil, err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pending[id] == nil && q.handlers[id] == nil {
		return nil, notFound("Task queue `%s` not found. Are you sure it was created?", id)
	}
	return q.queueAnswer(id, c.s.clock.Now()), nil
}

func listTaskQueues(c *call) (any, error) {
	if err := c.authorize(scope("queue:list-task-queues")); err != nil {
		return nil, err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	ids := slices.Concat(slices.Collect(maps.Keys(q.pending)), slices.Collect(maps.Keys(q.handlers)))
	slices.Sort(ids)
	some, next := page(c, slices.Compact(ids), itself)
	all := make([]taskQueueAnswer, len(some))
	for i, id := range some {
		all[i] = q.queueAnswer(id, c.s.clock.Now())
	}
	return struct {
		TaskQueues []taskQueueAnswer `json:"taskQueues"`
		Next       string            `json:"continuationToken,omitempty"`
	}{all, next}, nil
}

// queueMethods is the queue's table. What it says about scopes is for the references; the handlers check.
func queueMethods() []*method {
	return slices.Concat(taskMethods(), workerMethods(), artifactMethods())
}

const statusResponse = "v1/task-status-response.json"

func each(what, name, list string) any {
	return map[string]any{"AllOf": []any{map[string]string{"each": what, "for": name, "in": list}}}
}

func taskMethods() []*method {
	changing := func(verb string) any {
		return map[string]any{"AnyOf": []any{"queue:" + verb + ":<schedulerId>/<taskGroupId>/<taskId>", "queue:" + verb + "-in-project:<projectId>",
			map[string]any{"AllOf": []string{"queue:" + verb, "assume:scheduler-id:<schedulerId>/<taskGroupId>"}}}}
	}
	return []*method{
		{name: "task", verb: "GET", route: "/task/<taskId>", output: "v1/task.json", scopes: "queue:get-task:<taskId>", handler: getTask},
		{name: "tasks", verb: "POST", route: "/tasks", query: paged, input: "v1/tasks-request.json", output: "v1/tasks-response.json",
			scopes: each("queue:get-task:<taskId>", "taskId", "taskIds"), since: 65, handler: getTasks},
		{name: "statuses", verb: "POST", route: "/tasks/status", query: paged, input: "v1/tasks-request.json", output: "v1/tasks-statuses-response.json",
			scopes: each("queue:status:<taskId>", "taskId", "taskIds"), since: 65, handler: getStatuses},
		{name: "status", verb: "GET", route: "/task/<taskId>/status", output: statusResponse, scopes: "queue:status:<taskId>", handler: getStatus},
		{name: "listTaskGroup", verb: "GET", route: "/task-group/<taskGroupId>/list", query: paged, output: "v1/list-task-group-response.json",
			scopes: "queue:list-task-group:<taskGroupId>", handler: listTaskGroup},
		{name: "cancelTaskGroup", verb: "POST", route: "/task-group/<taskGroupId>/cancel", output: "v1/cancel-task-group-response.json",
			scopes: "queue:cancel-task-group:<schedulerId>/<taskGroupId>", since: 49, handler: cancelTaskGroup},
		{name: "getTaskGroup", verb: "GET", route: "/task-group/<taskGroupId>", output: "v1/task-group-response.json",
			scopes: "queue:list-task-group:<taskGroupId>", since: 48, handler: getTaskGroup},
		{name: "sealTaskGroup", verb: "POST", route: "/task-group/<taskGroupId>/seal", output: "v1/task-group-response.json",
			scopes: "queue:seal-task-group:<schedulerId>/<taskGroupId>", since: 48, handler: sealTaskGroup},
		{name: "listDependentTasks", verb: "GET", route: "/task/<taskId>/dependents", query: paged, output: "v1/list-dependent-tasks-response.json",
			scopes: "queue:list-dependent-tasks:<taskId>", handler: listDependents},
		{name: "createTask", verb: "PUT", route: "/task/<taskId>", input: "v1/create-task-request.json", output: statusResponse, scopes: createTaskScopes, handler: createTask},
		{name: "scheduleTask", verb: "POST", route: "/task/<taskId>/schedule", output: statusResponse, scopes: changing("schedule-task"), handler: scheduleTask},
		{name: "rerunTask", verb: "POST", route: "/task/<taskId>/rerun", output: statusResponse, scopes: changing("rerun-task"), handler: rerunTask},
		{name: "cancelTask", verb: "POST", route: "/task/<taskId>/cancel", output: statusResponse, scopes: changing("cancel-task"), handler: cancelTask},
		{name: "changeTaskPriority", verb: "POST", route: "/task/<taskId>/priority", input: "v1/change-task-priority-request.json", output: statusResponse,
			scopes: map[string]any{"AnyOf": []string{"queue:change-task-priority:<taskId>", "queue:change-task-priority-in-queue:<taskQueueId>"}},
			since:  96, handler: changeTaskPriority},
		{name: "changeTaskGroupPriority", verb: "POST", route: "/task-group/<taskGroupId>/priority", input: "v1/change-task-priority-request.json",
			output: "v1/task-group-priority-change-response.json", scopes: "queue:change-task-group-priority:<schedulerId>/<taskGroupId>",
			since: 96, handler: changeTaskGroupPriority},
	}
}

func workerMethods() []*method {
	return []*method{
		{name: "claimWork", verb: "POST", route: "/claim-work/<taskQueueId>", input: "v1/claim-work-request.json", output: "v1/claim-work-response.json",
			scopes: map[string]any{"AllOf": []string{"queue:claim-work:<taskQueueId>", "queue:worker-id:<workerGroup>/<workerId>"}}, handler: claimWork},
		{name: "claimTask", verb: "POST", route: "/task/<taskId>/runs/<runId>/claim", input: "v1/task-claim-request.json", output: "v1/task-claim-response.json",
			scopes:  map[string]any{"AllOf": []string{"queue:claim-task:<provisionerId>/<workerType>", "queue:worker-id:<workerGroup>/<workerId>"}},
			handler: claimTask},
		{name: "reclaimTask", verb: "POST", route: "/task/<taskId>/runs/<runId>/reclaim", output: "v1/task-reclaim-response.json",
			scopes: "queue:reclaim-task:<taskId>/<runId>", handler: reclaimTask},
		{name: "reportCompleted", verb: "POST", route: "/task/<taskId>/runs/<runId>/completed", output: statusResponse,
			scopes: "queue:resolve-task:<taskId>/<runId>", handler: reportCompleted},
		{name: "reportFailed", verb: "POST", route: "/task/<taskId>/runs/<runId>/failed", output: statusResponse,
			scopes: "queue:resolve-task:<taskId>/<runId>", handler: reportFailed},
		{name: "reportException", verb: "POST", route: "/task/<taskId>/runs/<runId>/exception", input: "v1/task-exception-request.json", output: statusResponse,
			scopes: "queue:resolve-task:<taskId>/<runId>", handler: reportException},
		{name: "pendingTasks", verb: "GET", route: "/pending/<taskQueueId>", output: "v1/pending-tasks-response.json",
			scopes: "queue:pending-count:<taskQueueId>", handler: pendingTasks},
		{name: "taskQueueCounts", verb: "GET", route: "/task-queues/<taskQueueId>/counts", output: "v1/task-queue-counts-response.json",
			scopes: map[string]any{"AllOf": []string{"queue:pending-count:<taskQueueId>", "queue:claimed-count:<taskQueueId>"}}, since: 72, handler: taskQueueCounts},
		{name: "listTaskQueues", verb: "GET", route: "/task-queues", query: paged, output: "v1/list-taskqueues-response.json",
			scopes: "queue:list-task-queues", handler: listTaskQueues},
		{name: "getTaskQueue", verb: "GET", route: "/task-queues/<taskQueueId>", output: "v1/taskqueue-response.json",
			scopes: "queue:get-task-queue:<taskQueueId>", handler: getTaskQueue},
	}
}

func artifactMethods() []*method {
	ofName := each("queue:get-artifact:<name>", "name", "names")
	return []*method{
		{name: "createArtifact", verb: "POST", route: "/task/<taskId>/runs/<runId>/artifacts/<name>", input: "v1/post-artifact-request.json",
			output: "v1/post-artifact-response.json", scopes: "queue:create-artifact:<taskId>/<runId>", handler: createArtifact},
		{name: "finishArtifact", verb: "PUT", route: "/task/<taskId>/runs/<runId>/artifacts/<name>", input: "v1/finish-artifact-request.json",
			scopes: "queue:create-artifact:<taskId>/<runId>", handler: finishArtifact},
		{name: "getArtifact", verb: "GET", route: "/task/<taskId>/runs/<runId>/artifacts/<name>", output: "v1/get-artifact-response.json", scopes: ofName, handler: getArtifact},
		{name: "getLatestArtifact", verb: "GET", route: "/task/<taskId>/artifacts/<name>", output: "v1/get-artifact-response.json", scopes: ofName, handler: getArtifact},
		{name: "listArtifacts", verb: "GET", route: "/task/<taskId>/runs/<runId>/artifacts", query: paged, output: "v1/list-artifacts-response.json",
			scopes: "queue:list-artifacts:<taskId>:<runId>", handler: listArtifacts},
		{name: "listLatestArtifacts", verb: "GET", route: "/task/<taskId>/artifacts", query: paged, output: "v1/list-artifacts-response.json",
			scopes: "queue:list-artifacts:<taskId>", handler: listArtifacts},
		{name: "artifactInfo", verb: "GET", route: "/task/<taskId>/runs/<runId>/artifact-info/<name>", output: "v1/artifact-response.json",
			scopes: "queue:list-artifacts:<taskId>:<runId>", handler: artifactInfo},
		{name: "latestArtifactInfo", verb: "GET", route: "/task/<taskId>/artifact-info/<name>", output: "v1/artifact-response.json",
			scopes: "queue:list-artifacts:<taskId>", handler: artifactInfo},
		{name: "artifact", verb: "GET", route: "/task/<taskId>/runs/<runId>/artifact-content/<name>", output: "v1/artifact-content-response.json", scopes: ofName, handler: artifactContent},
		{name: "latestArtifact", verb: "GET", route: "/task/<taskId>/artifact-content/<name>", output: "v1/artifact-content-response.json", scopes: ofName, handler: artifactContent},
	}
}

var createTaskScopes = map[string]any{"AllOf": []any{
	map[string]string{"each": "<scope>", "for": "scope", "in": "scopes"},
	map[string]string{"each": "queue:route:<route>", "for": "route", "in": "routes"},
	"queue:create-task:project:<projectId>", "queue:scheduler-id:<schedulerId>",
	map[string]any{"AnyOf": []any{map[string]string{"each": "queue:create-task:<priority>:<provisionerId>/<workerType>", "for": "priority", "in": "priorities"}}},
}}
