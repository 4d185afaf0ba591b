package tctest

import "encoding/json"

// definition is a task as it is stored: with defaults, with both spellings of its queue.
type definition struct {
	ProvisionerID string          `json:"provisionerId"`
	WorkerType    string          `json:"workerType"`
	TaskQueueID   string          `json:"taskQueueId"`
	SchedulerID   string          `json:"schedulerId"`
	ProjectID     string          `json:"projectId"`
	TaskGroupID   string          `json:"taskGroupId"`
	Dependencies  []string        `json:"dependencies"`
	Requires      string          `json:"requires"`
	Routes        []string        `json:"routes"`
	Priority      string          `json:"priority"`
	Retries       int             `json:"retries"`
	Created       string          `json:"created"`
	Deadline      string          `json:"deadline"`
	Expires       string          `json:"expires"`
	Scopes        []string        `json:"scopes"`
	Payload       json.RawMessage `json:"payload"`
	Metadata      json.RawMessage `json:"metadata"`
	Tags          json.RawMessage `json:"tags"`
	Extra         json.RawMessage `json:"extra"`
}

// Status is the state of a task as the queue tells it.
type Status struct {
	TaskID        string `json:"taskId"`
	ProvisionerID string `json:"provisionerId"`
	WorkerType    string `json:"workerType"`
	TaskQueueID   string `json:"taskQueueId"`
	SchedulerID   string `json:"schedulerId"`
	ProjectID     string `json:"projectId"`
	TaskGroupID   string `json:"taskGroupId"`
	Priority      string `json:"priority,omitempty"`
	Deadline      string `json:"deadline"`
	Expires       string `json:"expires"`
	RetriesLeft   int    `json:"retriesLeft"`
	State         string `json:"state"`
	Runs          []Run  `json:"runs"`
}

// Run is one run in a [Status].
type Run struct {
	RunID          int    `json:"runId"`
	State          string `json:"state"`
	ReasonCreated  string `json:"reasonCreated"`
	ReasonResolved string `json:"reasonResolved,omitempty"`
	WorkerGroup    string `json:"workerGroup,omitempty"`
	WorkerID       string `json:"workerId,omitempty"`
	TakenUntil     string `json:"takenUntil,omitempty"`
	Scheduled      string `json:"scheduled"`
	Started        string `json:"started,omitempty"`
	Resolved       string `json:"resolved,omitempty"`
}

// statusHasPriority is the release from which a status tells the priority.
const statusHasPriority = 95

func (q *queue) status(t *task) Status {
	d := &t.def
	s := Status{TaskID: t.id, ProvisionerID: d.ProvisionerID, WorkerType: d.WorkerType, TaskQueueID: d.TaskQueueID,
		SchedulerID: d.SchedulerID, ProjectID: d.ProjectID, TaskGroupID: d.TaskGroupID,
		Deadline: d.Deadline, Expires: d.Expires, RetriesLeft: t.left, State: t.state(), Runs: make([]Run, len(t.runs))}
	if q.s.version >= statusHasPriority {
		s.Priority = t.def.Priority
	}
	for i, r := range t.runs {
		s.Runs[i] = Run{RunID: i, State: r.state, ReasonCreated: r.created, ReasonResolved: r.resolvedAs, WorkerGroup: r.workerGroup,
			WorkerID: r.workerID, TakenUntil: stamp(r.takenUntil), Scheduled: stamp(r.scheduledAt), Started: stamp(r.startedAt), Resolved: stamp(r.resolved)}
	}
	return s
}

type statusAnswer struct {
	Status Status `json:"status"`
}

type taskAndStatus struct {
	Status Status          `json:"status"`
	Task   json.RawMessage `json:"task"`
}
