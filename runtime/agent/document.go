package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/tafc/tafc/runtime/job"
)

// Version of the Document. An agent refuses a Document of another version.
const Version = 1

// Where a task finds and leaves things. The folders are declared as a directory artifact by whoever makes the task.
const (
	EnvDocument = "TAF_TASK"     // the environment variable with an encoded Document
	Extra       = "tafc"         // the member of a task's extra that holds what Placement says
	DockerOut   = "/tmp/taf/out" // of docker-style tasks: any user of any image may write there
	NativeOut   = "out"          // of native tasks, in the task's folder
	// DefaultArtifacts is the beginning of the names of artifacts.
	DefaultArtifacts = "public/taf"
)

// The names of a task's artifacts, below its prefix. Parts and the quarantine are named by the report.
const (
	ReportFile = "report.json"
	EventsFile = "events.jsonl"
	LogFile    = "task.log"
)

// ExitAgain is the exit code of a task whose user's program ended with one of Document.RetryExits.
const ExitAgain = 75

// Document is what a task of Taskcluster knows of its job. Whoever makes the task writes it; others can read it, so it holds no
// secret, and nothing of the computer that it was made on.
type Document struct {
	Version int    `json:"version"`
	Run     string `json:"run"` // of tafc, for people
	// Spec is the job without what only the agent knows: Attempt, Code.Dir and Upstream.
	Spec     job.Spec   `json:"spec"`
	Code     *Code      `json:"code,omitempty"`     // set when Spec.Code is
	Upstream []Upstream `json:"upstream,omitempty"` // inputs that are results of other tasks, in the order in which they are merged
	// Tolerance is, for each stage with an Upstream that is tolerated to fail, how much of it may.
	Tolerance []Tolerance `json:"tolerance,omitempty"`
	// RetryExits are exit codes of the user's program after which the task is worth another run: its process then ends with ExitAgain,
	// because the code may mean something else there.
	RetryExits []int    `json:"retry_exits,omitempty"`
	Artifacts  string   `json:"artifacts"`         // prefix of the names of this task's artifacts, without a slash at its end
	Secrets    []Secret `json:"secrets,omitempty"` // environment variables of the user's code
	Buckets    *Buckets `json:"buckets,omitempty"` // credentials for s3: files; nil: the worker's own role, or none
}

// Code says where the user's code is: an archive made by Pack, in exactly one of these places.
type Code struct {
	SHA256   string   `json:"sha256"` // of the archive, hex
	Size     int64    `json:"size"`   // of the archive, bytes
	Inline   []byte   `json:"inline,omitempty"`
	Carriers []string `json:"carriers,omitempty"` // taskIds whose definitions hold its chunks at extra.tafc.code, in order
	Path     string   `json:"path,omitempty"`     // a file that is mounted, or part of the image; relative to the task's folder
}

// Upstream is one input of a task: those partitions of another task's result that are congruent to Partition modulo Of.
type Upstream struct {
	Task      string `json:"task"` // address
	TaskID    string `json:"task_id"`
	Artifacts string `json:"artifacts,omitempty"` // prefix of the names of its artifacts; empty: that of the Document
	Partition int    `json:"partition,omitempty"`
	Of        int    `json:"of,omitempty"` // 0 and 1: all partitions
	// Tolerated: it may have failed, and then counts as missing. Without it a failed upstream ends the task.
	Tolerated bool `json:"tolerated,omitempty"`
}

// Tolerance is how many tasks of a stage may fail while its consumers still run.
type Tolerance struct {
	Stage string    `json:"stage"` // address
	Tasks int64     `json:"tasks"` // of the stage
	Limit job.Limit `json:"limit"`
}

// Secret is an environment variable of the user's code whose value the secrets service has.
type Secret struct {
	Env  string `json:"env"`
	Name string `json:"name"` // of the secret
}

// Buckets says where credentials for the buckets of s3: files come from: one of the two.
type Buckets struct {
	Secret string  `json:"secret,omitempty"` // name of a secret with accessKeyId and secretAccessKey
	Auth   []Grant `json:"auth,omitempty"`   // temporary ones by auth.awsS3Credentials, always read-only
}

// Grant is a part of a bucket. It needs the scope auth:aws-s3:read-only:BUCKET/PREFIX.
type Grant struct {
	Bucket string `json:"bucket"`
	Prefix string `json:"prefix"` // empty, or with a slash at its end
}

// Check finds what makes no sense.
func (d *Document) Check() error {
	switch {
	case d.Version != Version:
		return fmt.Errorf("the document of the task has version %d, this taf-mapper knows version %d: use images and tafc of one release", d.Version, Version)
	case d.Artifacts == "" || path.Clean(d.Artifacts) != d.Artifacts || strings.HasPrefix(d.Artifacts, "/") || strings.HasPrefix(d.Artifacts, ".."):
		return fmt.Errorf("the document of the task has artifacts named below %q: a prefix is a path without a slash at its ends", d.Artifacts)
	case (d.Code == nil) != (d.Spec.Code == nil):
		return errors.New("the document of the task has code without a use for it, or none for its use")
	case len(d.Spec.Upstream) > 0 || d.Spec.Code != nil && d.Spec.Code.Dir != "":
		return errors.New("the document of the task has paths of another computer")
	}
	if err := d.Code.check(); err != nil {
		return err
	}
	for _, u := range d.Upstream {
		if u.Task == "" || u.TaskID == "" || u.Of < 0 || u.Partition < 0 || u.Of > 0 && u.Partition >= u.Of {
			return fmt.Errorf("the document of the task has an input that makes no sense: %+v", u)
		}
	}
	return nil
}

func (c *Code) check() error {
	if c == nil {
		return nil
	}
	places := 0
	for _, there := range []bool{len(c.Inline) > 0, len(c.Carriers) > 0, c.Path != ""} {
		if there {
			places++
		}
	}
	if places != 1 || len(c.SHA256) != 64 {
		return errors.New("the document of the task does not say in one way where the code is, and its SHA-256")
	}
	return nil
}

// parse reads a Document's JSON. Fields that this agent does not know are errors: whoever wrote them expects them to be obeyed.
func parse(data []byte) (*Document, error) {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("the document of the task is not JSON: %w", err)
	}
	d := &Document{Version: version.Version}
	if version.Version == Version {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(d); err != nil {
			return nil, fmt.Errorf("the document of the task makes no sense: %w", err)
		}
		if _, err := dec.Token(); err != io.EOF {
			return nil, errors.New("the document of the task makes no sense: something follows it")
		}
	}
	return d, d.Check()
}
