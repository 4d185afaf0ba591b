package taskcluster

import (
	"encoding/json"
	"time"
)

// Time is a time as Taskcluster writes it: in UTC, with milliseconds, which is also all that it keeps.
type Time struct{ time.Time }

// At is t with what Taskcluster keeps of it.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// Equal says whether both are the same instant.
func (t Time) Equal(other Time) bool { return t.Time.Equal(other.Time) }

// MarshalJSON writes t in UTC, with milliseconds.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// String writes t as MarshalJSON does, without quotes.
func (t Time) String() string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// TaskDefinition is what a task is created from, and what the queue tells of it: then with all defaults filled in.
// Either TaskQueueID is set, or ProvisionerID and WorkerType, or all of them alike.
type TaskDefinition struct {
	TaskQueueID   string            `json:"taskQueueId,omitempty"` // provisionerId/workerType
	ProvisionerID string            `json:"provisionerId,omitempty"`
	WorkerType    string            `json:"workerType,omitempty"`
	SchedulerID   string            `json:"schedulerId,omitempty"` // "-" when absent; one for all tasks of a group
	ProjectID     string            `json:"projectId,omitempty"`   // "none" when absent
	TaskGroupID   string            `json:"taskGroupId,omitempty"` // the task's own id when absent
	Dependencies  []string          `json:"dependencies,omitempty"`
	Requires      Requires          `json:"requires,omitempty"`
	Routes        []string          `json:"routes,omitempty"`
	Priority      Priority          `json:"priority,omitempty"`
	Retries       *int              `json:"retries,omitempty"` // 0–49; 5 when nil
	Created       Time              `json:"created"`           // at most 15 minutes from the queue's clock
	Deadline      Time              `json:"deadline"`
	Expires       Time              `json:"expires,omitzero"` // deadline + 1 year when zero
	Scopes        []string          `json:"scopes,omitempty"`
	Payload       json.RawMessage   `json:"payload"` // an object, for the worker; the queue does not look into it
	Metadata      Metadata          `json:"metadata"`
	Tags          map[string]string `json:"tags,omitempty"`
	Extra         json.RawMessage   `json:"extra,omitempty"` // an object
}

// Metadata is what people see of a task.
type Metadata struct {
	Name        string `json:"name"`        // at most 255 characters
	Description string `json:"description"` // Markdown, at most 32,768 characters
	Owner       string `json:"owner"`       // at most 255 characters
	Source      string `json:"source"`      // a URL
}

// Requires says when the dependencies of a task are satisfied.
type Requires string

// What dependencies must have become.
const (
	AllCompleted Requires = "all-completed"
	AllResolved  Requires = "all-resolved"
)

// Priority of a task.
type Priority string

// The priorities, the highest first.
const (
	PriorityHighest  Priority = "highest"
	PriorityVeryHigh Priority = "very-high"
	PriorityHigh     Priority = "high"
	PriorityMedium   Priority = "medium"
	PriorityLow      Priority = "low"
	PriorityVeryLow  Priority = "very-low"
	PriorityLowest   Priority = "lowest"
)

// Priorities are all priorities, the highest first. To create a task a scope for its priority or for a higher one is needed.
var Priorities = []Priority{PriorityHighest, PriorityVeryHigh, PriorityHigh, PriorityMedium, PriorityLow, PriorityVeryLow, PriorityLowest}
