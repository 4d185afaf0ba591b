package taskcluster

import "encoding/json"

// Where the content of an artifact is (Artifact.StorageType).
const (
	StorageS3        = "s3"
	StorageObject    = "object"
	StorageReference = "reference" // elsewhere, at a URL
	StorageLink      = "link"      // another artifact of the same run
	StorageError     = "error"     // nowhere: it could not be stored
)

// Artifact is an entry of a list of artifacts.
type Artifact struct {
	StorageType   string `json:"storageType"`
	Name          string `json:"name"`
	Expires       Time   `json:"expires"`
	ContentType   string `json:"contentType"`
	ContentLength *int64 `json:"contentLength,omitempty"` // bytes as stored, often compressed; nil when not told
}

// ArtifactContent is where the content of an artifact can be got (Queue.Artifact, Queue.GetArtifact). Which fields are set depends
// on StorageType.
type ArtifactContent struct {
	StorageType string           `json:"storageType"`
	URL         string           `json:"url,omitempty"`         // s3, reference
	Name        string           `json:"name,omitempty"`        // object: its name in the object service
	Credentials *TaskCredentials `json:"credentials,omitempty"` // object: to get it there
	Reason      string           `json:"reason,omitempty"`      // error
	Message     string           `json:"message,omitempty"`     // error
}

// TaskCredentials are temporary credentials as the queue hands them out.
type TaskCredentials struct {
	ClientID    string `json:"clientId"`
	AccessToken string `json:"accessToken"`
	Certificate string `json:"certificate"` // JSON
}

// Credentials is what a Client is made with.
func (c TaskCredentials) Credentials() *Credentials {
	return &Credentials{ClientID: c.ClientID, AccessToken: c.AccessToken, Certificate: c.Certificate}
}

// CreateArtifactRequest tells the queue of an artifact of a running task. Which fields are needed depends on StorageType.
type CreateArtifactRequest struct {
	StorageType   string `json:"storageType"`
	Expires       Time   `json:"expires"`
	ContentType   string `json:"contentType,omitempty"`   // s3, object, reference, link
	ContentLength *int64 `json:"contentLength,omitempty"` // s3: optional
	URL           string `json:"url,omitempty"`           // reference
	Artifact      string `json:"artifact,omitempty"`      // link: name of the other artifact
	Reason        string `json:"reason,omitempty"`        // error
	Message       string `json:"message,omitempty"`       // error
}

// CreateArtifactResponse says where to put the content. Which fields are set depends on StorageType.
type CreateArtifactResponse struct {
	StorageType string           `json:"storageType"`
	PutURL      string           `json:"putUrl,omitempty"` // s3
	ContentType string           `json:"contentType,omitempty"`
	Expires     Time             `json:"expires,omitzero"`
	Name        string           `json:"name,omitempty"` // object
	ProjectID   string           `json:"projectId,omitempty"`
	UploadID    string           `json:"uploadId,omitempty"`
	Credentials *TaskCredentials `json:"credentials,omitempty"`
}

// IndexedTask is an entry of the index.
type IndexedTask struct {
	Namespace string          `json:"namespace"`
	TaskID    string          `json:"taskId"`
	Rank      float64         `json:"rank"`
	Data      json.RawMessage `json:"data"` // an object
	Expires   Time            `json:"expires"`
}

// InsertTaskRequest puts a task into the index.
type InsertTaskRequest struct {
	TaskID  string          `json:"taskId"`
	Rank    float64         `json:"rank"` // an entry with a lower rank than that there is changes nothing
	Data    json.RawMessage `json:"data"` // an object
	Expires Time            `json:"expires"`
}

// Namespace is a part of the index below another.
type Namespace struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Expires   Time   `json:"expires"`
}
