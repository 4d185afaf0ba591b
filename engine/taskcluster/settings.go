package taskcluster

import (
	"time"

	"github.com/tafc/tafc/lang"
)

// The styles of payloads.
const (
	DockerPayload = "docker-worker"
	NativePayload = "generic-worker"
)

// Settings are what an analysis and the environment say about the deployment and its tasks. Their JSON is part of saved plans.
type Settings struct {
	RootURL         string            `json:"root_url,omitempty"`
	Queue           string            `json:"queue"`
	Payload         string            `json:"payload"`
	Priority        string            `json:"priority"`
	Scheduler       string            `json:"scheduler"`
	Project         string            `json:"project"`
	Deadline        time.Duration     `json:"deadline"`
	Expires         time.Duration     `json:"expires"`
	Scopes          []string          `json:"scopes,omitempty"`
	Routes          []string          `json:"routes,omitempty"`
	Tags            map[string]string `json:"tags,omitempty"`
	IndexPrefix     string            `json:"index_prefix,omitempty"`
	ArtifactPrefix  string            `json:"artifact_prefix"`
	Mapper          *Mapper           `json:"mapper,omitempty"`
	Caches          map[string]string `json:"caches,omitempty"`
	S3Credentials   string            `json:"s3_credentials"` // worker, auth, secret:NAME
	Image           string            `json:"image,omitempty"`
	Owner           string            `json:"owner"`
	Source          string            `json:"source"`
	Description     string            `json:"description,omitempty"`
	Notify          []Notify          `json:"notify,omitempty"`
	MaxDependencies int               `json:"max_dependencies"`
	// LocalFiles lets tasks read file: URLs: the workers are on this computer, or have the same folders.
	LocalFiles bool `json:"local_files,omitempty"`
}

// Mapper says where native tasks get taf-mapper from: one of URL (with SHA256), Namespace and TaskID (with Artifact).
type Mapper struct {
	URL       string `json:"url,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	TaskID    string `json:"task_id,omitempty"`
	Artifact  string `json:"artifact,omitempty"`
}

// Notify is who is told how a run ended.
type Notify struct {
	Email  []string `json:"email,omitempty"`
	Slack  []string `json:"slack,omitempty"`
	Matrix []string `json:"matrix,omitempty"`
	On     []string `json:"on"` // done, partial, failed
}

// SettingsOf are the settings of an analysis whose engine is taskcluster. getenv tells a variable of the environment.
func SettingsOf(a *lang.Analysis, getenv func(string) string) *Settings {
	e := a.Taskcluster
	s := &Settings{
		RootURL: e.RootURL, Queue: e.Queue, Payload: e.Payload, Priority: e.Priority, Scheduler: e.Scheduler, Project: e.Project,
		Deadline: e.Deadline, Expires: e.Expires, Scopes: e.Scopes, Routes: e.Routes, Tags: e.Tags, IndexPrefix: e.IndexPrefix,
		ArtifactPrefix: e.ArtifactPrefix, Caches: e.Caches, S3Credentials: e.S3Credentials, Image: e.Image,
		Owner: a.Owner, Source: a.Source, Description: a.Description, MaxDependencies: e.MaxDependencies,
		LocalFiles: getenv("TAF_LOCAL_FILES") != "",
	}
	if e.Mapper != nil {
		m := Mapper(*e.Mapper)
		s.Mapper = &m
	}
	for _, n := range a.Notify {
		s.Notify = append(s.Notify, Notify{Email: n.Email, Slack: n.Slack, Matrix: n.Matrix, On: n.On})
	}
	return s
}

// reservedDependencies are those that a task may need besides its inputs: the gate, the image, taf-mapper.
const reservedDependencies = 3

// SafeFanIn is how many inputs of a task every deployment allows.
const SafeFanIn = 100 - reservedDependencies

// MaxFanIn is how many inputs a task may have, when the deployment allows so many dependencies (0: not asked).
func (s *Settings) MaxFanIn(allowed int) int {
	most := s.MaxDependencies
	if allowed > 0 {
		most = min(most, allowed)
	}
	return most - reservedDependencies
}
