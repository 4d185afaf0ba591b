package taskcluster

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Queue is the service that has the tasks. It is what those need who create, watch and read tasks; [Worker] is the other side.
type Queue interface {
	Ping(ctx context.Context) error

	// Task is the definition of a task, with all defaults filled in.
	Task(ctx context.Context, taskID string) (*TaskDefinition, error)
	// Tasks are the definitions of many tasks, by id; unknown ids are left out.
	Tasks(ctx context.Context, taskIDs []string) (map[string]*TaskDefinition, error)
	Status(ctx context.Context, taskID string) (*Status, error)
	// Statuses are the statuses of many tasks, by id; unknown ids are left out.
	Statuses(ctx context.Context, taskIDs []string) (map[string]*Status, error)
	// ListTaskGroup lists the tasks of a group, with their whole definitions, in pages of at most limit (0: as many as the queue gives,
	// at most 1000). It ends at the first error.
	ListTaskGroup(ctx context.Context, taskGroupID string, limit int) iter.Seq2[TaskAndStatus, error]
	ListDependentTasks(ctx context.Context, taskID string, limit int) iter.Seq2[TaskAndStatus, error]
	GetTaskGroup(ctx context.Context, taskGroupID string) (*TaskGroup, error)
	// GetTaskQueue is a queue that workers have asked for tasks lately. One that they have not is CodeResourceNotFound, though tasks may be created in it.
	GetTaskQueue(ctx context.Context, taskQueueID string) (*TaskQueue, error)
	// TaskQueueCounts is how busy a queue is; one that there is not has no tasks.
	TaskQueueCounts(ctx context.Context, taskQueueID string) (*TaskQueueCounts, error)

	// CreateTask creates a task. The same definition again is no error, another one is [CodeRequestConflict].
	CreateTask(ctx context.Context, taskID string, task *TaskDefinition) (*Status, error)
	// CreateDraft is CreateTask of a definition whose text was made ahead, for those who do not look at the status.
	CreateDraft(ctx context.Context, taskID string, draft *Draft, created time.Time) error
	// ScheduleTask starts an unscheduled task, whatever it depends on.
	ScheduleTask(ctx context.Context, taskID string) (*Status, error)
	// RerunTask adds a run to a resolved task. An unscheduled task it starts, whatever it depends on.
	RerunTask(ctx context.Context, taskID string) (*Status, error)
	// CancelTask resolves a task that is not resolved. After the deadline it is CodeRequestConflict.
	CancelTask(ctx context.Context, taskID string) (*Status, error)
	// SealTaskGroup lets nobody create further tasks in a group, for good. Old deployments cannot ([ErrUnsupported]).
	SealTaskGroup(ctx context.Context, taskGroupID string) (*TaskGroup, error)
	// CancelTaskGroup cancels what is not resolved in a sealed group. On old deployments it lists the group, sealed or not, and cancels task by task.
	CancelTaskGroup(ctx context.Context, taskGroupID string) (*CancelledTaskGroup, error)

	ListArtifacts(ctx context.Context, taskID string, runID int, limit int) iter.Seq2[Artifact, error]
	ListLatestArtifacts(ctx context.Context, taskID string, limit int) iter.Seq2[Artifact, error]
	ArtifactInfo(ctx context.Context, taskID string, runID int, name string) (*Artifact, error)
	LatestArtifactInfo(ctx context.Context, taskID, name string) (*Artifact, error)
	// GetArtifact says from which URL the content of an artifact is read, without signature. See [Client.OpenArtifact].
	GetArtifact(ctx context.Context, taskID string, runID int, name string) (*ArtifactContent, error)
	// GetLatestArtifact is GetArtifact for the run with the highest number, whatever became of it.
	GetLatestArtifact(ctx context.Context, taskID, name string) (*ArtifactContent, error)
	// Artifact says where the content of an artifact is; of those in the object service, how to ask there.
	Artifact(ctx context.Context, taskID string, runID int, name string) (*ArtifactContent, error)
	LatestArtifact(ctx context.Context, taskID, name string) (*ArtifactContent, error)
}

// Worker is the part of the queue that workers call.
type Worker interface {
	// ClaimWork claims tasks; it waits up to 20 seconds for the first one, and may return none.
	ClaimWork(ctx context.Context, taskQueueID string, request *ClaimWorkRequest) ([]TaskClaim, error)
	// ReclaimTask is CodeRequestConflict when the task was taken away.
	ReclaimTask(ctx context.Context, taskID string, runID int) (*TaskClaim, error)
	ReportCompleted(ctx context.Context, taskID string, runID int) (*Status, error)
	ReportFailed(ctx context.Context, taskID string, runID int) (*Status, error)
	ReportException(ctx context.Context, taskID string, runID int, reason string) (*Status, error)
	CreateArtifact(ctx context.Context, taskID string, runID int, name string, request *CreateArtifactRequest) (*CreateArtifactResponse, error)
	FinishArtifact(ctx context.Context, taskID string, runID int, name, uploadID string) error
}

// Index is the service that finds tasks by name.
type Index interface {
	Ping(ctx context.Context) error
	// FindTask is the entry at a path, and CodeResourceNotFound when there is none or it has expired.
	FindTask(ctx context.Context, indexPath string) (*IndexedTask, error)
	// FindTasksAtIndex are the entries at many paths, by path; paths without an entry, or with one that has expired, are left out.
	FindTasksAtIndex(ctx context.Context, indexPaths []string) (map[string]IndexedTask, error)
	ListTasks(ctx context.Context, namespace string, limit int) iter.Seq2[IndexedTask, error]
	ListNamespaces(ctx context.Context, namespace string, limit int) iter.Seq2[Namespace, error]
	InsertTask(ctx context.Context, namespace string, request *InsertTaskRequest) (*IndexedTask, error)
	DeleteTask(ctx context.Context, namespace string) error
	// FindArtifactFromTask says from which URL an artifact of the latest run of the task at a path is read.
	FindArtifactFromTask(ctx context.Context, indexPath, name string) (*ArtifactContent, error)
}

// Auth is the service that knows who may do what.
type Auth interface {
	Ping(ctx context.Context) error
	// CurrentScopes are the scopes that the client has, with its roles expanded.
	CurrentScopes(ctx context.Context) ([]string, error)
	// ExpandScopes expands the roles among scopes.
	ExpandScopes(ctx context.Context, scopes []string) ([]string, error)
	// AwsS3Credentials are credentials for the objects of a bucket whose keys start with prefix. The level is "read-only" or "read-write".
	AwsS3Credentials(ctx context.Context, level, bucket, prefix string) (*AwsS3Credentials, error)
	// TestAuthenticate checks the way of a request to the service and back, and clocks. It wants the credentials [TestCredentials].
	TestAuthenticate(ctx context.Context, clientScopes, requiredScopes []string) (*TestAuthenticateResponse, error)
}

// AwsS3Credentials are temporary credentials of AWS.
type AwsS3Credentials struct {
	Credentials struct {
		AccessKeyID     string `json:"accessKeyId"`
		SecretAccessKey string `json:"secretAccessKey"`
		SessionToken    string `json:"sessionToken"`
	} `json:"credentials"`
	Expires Time `json:"expires"`
}

// TestAuthenticateResponse is as whom the service took a caller.
type TestAuthenticateResponse struct {
	ClientID string   `json:"clientId"`
	Scopes   []string `json:"scopes"`
}

// WorkerManager is the service that starts workers. tafc only asks it whether there is a pool.
type WorkerManager interface {
	Ping(ctx context.Context) error
	// WorkerPool is a pool by its id, which is that of its task queue. Workers that somebody starts by hand may be in none.
	WorkerPool(ctx context.Context, workerPoolID string) (*WorkerPool, error)
}

// WorkerPool is what tafc reads of a pool of workers.
type WorkerPool struct {
	WorkerPoolID string `json:"workerPoolId"`
	ProviderID   string `json:"providerId"`
	Description  string `json:"description"`
}

// Secrets is the service that keeps secrets. tafc only reads them.
type Secrets interface {
	Ping(ctx context.Context) error
	Get(ctx context.Context, name string) (*Secret, error)
}

// Secret is an object that only few may read. It must not get into a log, a file or a task.
type Secret struct {
	Secret  json.RawMessage `json:"secret"`
	Expires Time            `json:"expires"`
}

// Notify is the service that writes to people.
type Notify interface {
	Ping(ctx context.Context) error
	Email(ctx context.Context, request *EmailRequest) error
	Slack(ctx context.Context, request *SlackRequest) error
	Matrix(ctx context.Context, request *MatrixRequest) error
	Pulse(ctx context.Context, request *PulseRequest) error
}

// EmailRequest is an e-mail.
type EmailRequest struct {
	Address  string     `json:"address"`
	Subject  string     `json:"subject"`
	Content  string     `json:"content"` // Markdown
	Link     *EmailLink `json:"link,omitempty"`
	Template string     `json:"template,omitempty"` // simple or fullscreen
	ReplyTo  string     `json:"replyTo,omitempty"`
}

// EmailLink is the button below an e-mail.
type EmailLink struct {
	Text string `json:"text"`
	Href string `json:"href"`
}

// SlackRequest is a message to a channel of Slack.
type SlackRequest struct {
	ChannelID   string            `json:"channelId"`
	Text        string            `json:"text"`
	Blocks      []json.RawMessage `json:"blocks,omitempty"`
	Attachments []json.RawMessage `json:"attachments,omitempty"`
}

// MatrixRequest is a message to a room of Matrix.
type MatrixRequest struct {
	RoomID        string `json:"roomId"`
	Body          string `json:"body"`
	FormattedBody string `json:"formattedBody,omitempty"`
	Format        string `json:"format,omitempty"`
	MsgType       string `json:"msgtype,omitempty"`
}

// PulseRequest is a message to an exchange of Pulse.
type PulseRequest struct {
	RoutingKey string          `json:"routingKey"`
	Message    json.RawMessage `json:"message"`
}

// Object is the service that some deployments keep artifacts in.
type Object interface {
	Ping(ctx context.Context) error
	// StartDownload says how to read an object, by a URL that is valid for a short time.
	StartDownload(ctx context.Context, name string) (*ObjectDownload, error)
	Object(ctx context.Context, name string) (*ObjectMetadata, error)
}

// ObjectDownload is where the content of an object is.
type ObjectDownload struct {
	Method  string            `json:"method"` // getUrl or simple
	URL     string            `json:"url"`
	Expires Time              `json:"expires,omitzero"`
	Hashes  map[string]string `json:"hashes,omitempty"` // getUrl; hexadecimal, by the name of the algorithm
}

// ObjectMetadata is what the object service tells of an object.
type ObjectMetadata struct {
	ProjectID string            `json:"projectId"`
	Expires   Time              `json:"expires"`
	Hashes    map[string]string `json:"hashes"`
}
