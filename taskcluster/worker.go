package taskcluster

// ClaimWorkRequest asks for tasks to run.
type ClaimWorkRequest struct {
	WorkerGroup string `json:"workerGroup"`
	WorkerID    string `json:"workerId"`
	Tasks       int    `json:"tasks"` // at most so many; 1–32
}

// TaskClaim is a task that a worker runs until TakenUntil, or longer when it reclaims in time.
type TaskClaim struct {
	Status      Status          `json:"status"`
	RunID       int             `json:"runId"`
	WorkerGroup string          `json:"workerGroup"`
	WorkerID    string          `json:"workerId"`
	TakenUntil  Time            `json:"takenUntil"`
	Task        TaskDefinition  `json:"task"` // absent in the answer to a reclaim
	Credentials TaskCredentials `json:"credentials"`
}
