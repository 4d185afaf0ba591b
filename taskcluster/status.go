package taskcluster

// State of a task or of a run. Deployments may know more than those named here; treat them as not resolved.
type State string

// The states. Only tasks are unscheduled, as long as they have no run.
const (
	StateUnscheduled State = "unscheduled"
	StatePending     State = "pending"
	StateRunning     State = "running"
	StateCompleted   State = "completed"
	StateFailed      State = "failed"
	StateException   State = "exception"
)

// Resolved says whether nothing more happens by itself.
func (s State) Resolved() bool {
	return s == StateCompleted || s == StateFailed || s == StateException
}

// Why a run was made or ended (Run.ReasonCreated, Run.ReasonResolved). There may be others.
const (
	ReasonScheduled           = "scheduled"
	ReasonRetry               = "retry"
	ReasonTaskRetry           = "task-retry"
	ReasonRerun               = "rerun"
	ReasonCompleted           = "completed"
	ReasonFailed              = "failed"
	ReasonWorkerShutdown      = "worker-shutdown"
	ReasonClaimExpired        = "claim-expired"
	ReasonIntermittentTask    = "intermittent-task"
	ReasonMalformedPayload    = "malformed-payload"
	ReasonResourceUnavailable = "resource-unavailable"
	ReasonInternalError       = "internal-error"
	ReasonCanceled            = "canceled"
	ReasonDeadlineExceeded    = "deadline-exceeded"
	ReasonSuperseded          = "superseded"
	ReasonException           = "exception"
)

// Status is where a task is.
type Status struct {
	TaskID        string   `json:"taskId"`
	ProvisionerID string   `json:"provisionerId"`
	WorkerType    string   `json:"workerType"`
	TaskQueueID   string   `json:"taskQueueId"`
	SchedulerID   string   `json:"schedulerId"`
	ProjectID     string   `json:"projectId"`
	TaskGroupID   string   `json:"taskGroupId"`
	Priority      Priority `json:"priority,omitempty"` // not told by old deployments
	Deadline      Time     `json:"deadline"`
	Expires       Time     `json:"expires"`
	RetriesLeft   int      `json:"retriesLeft"`
	State         State    `json:"state"`
	Runs          []Run    `json:"runs"`
}

// Run is one attempt of a task. Runs are numbered from 0 on.
type Run struct {
	RunID          int    `json:"runId"`
	State          State  `json:"state"`
	ReasonCreated  string `json:"reasonCreated"`
	ReasonResolved string `json:"reasonResolved,omitempty"`
	WorkerGroup    string `json:"workerGroup,omitempty"`
	WorkerID       string `json:"workerId,omitempty"`
	TakenUntil     Time   `json:"takenUntil,omitzero"`
	Scheduled      Time   `json:"scheduled"`
	Started        Time   `json:"started,omitzero"`
	Resolved       Time   `json:"resolved,omitzero"`
}

// LatestRun is the run with the highest number, and false when there is none.
func (s *Status) LatestRun() (Run, bool) {
	return s.latest(func(Run) bool { return true })
}

// LatestCompleted is the latest run that completed, and false when none did. Its artifacts are the result of the task: those of the latest
// run may be missing, because a task that completed can be run again.
func (s *Status) LatestCompleted() (Run, bool) {
	return s.latest(func(r Run) bool { return r.State == StateCompleted })
}

func (s *Status) latest(is func(Run) bool) (Run, bool) {
	var latest Run
	found := false
	for _, r := range s.Runs {
		if is(r) && (!found || r.RunID > latest.RunID) {
			latest, found = r, true
		}
	}
	return latest, found
}

// TaskAndStatus is a task as lists of tasks show it.
type TaskAndStatus struct {
	Status Status         `json:"status"`
	Task   TaskDefinition `json:"task"`
}

// TaskGroup is what the queue knows of a group besides its tasks.
type TaskGroup struct {
	TaskGroupID string `json:"taskGroupId"`
	SchedulerID string `json:"schedulerId"`
	Expires     Time   `json:"expires"`
	Sealed      Time   `json:"sealed,omitzero"` // zero: not sealed
}

// CancelledTaskGroup is what cancelling a group did.
type CancelledTaskGroup struct {
	TaskGroupID    string   `json:"taskGroupId"`
	TaskGroupSize  int      `json:"taskGroupSize"`
	CancelledCount int      `json:"cancelledCount"`
	TaskIDs        []string `json:"taskIds"` // the cancelled ones
}

// TaskQueue is what tafc reads of a task queue.
type TaskQueue struct {
	TaskQueueID    string `json:"taskQueueId"`
	Description    string `json:"description"`
	LastDateActive Time   `json:"lastDateActive"`
}

// TaskQueueCounts is how busy a task queue is.
type TaskQueueCounts struct {
	TaskQueueID   string `json:"taskQueueId"`
	ProvisionerID string `json:"provisionerId"`
	WorkerType    string `json:"workerType"`
	PendingTasks  int    `json:"pendingTasks"`
	ClaimedTasks  int    `json:"claimedTasks"` // always 0 on old deployments, which do not tell
}
