package job

import "time"

// Version of the Spec and Report documents. A runtime refuses a Spec of another version.
const Version = 1

// Role is what a task does.
type Role string

// The roles of tasks.
const (
	RoleMap     Role = "map"     // files or pairs → user's map → partitioned, sorted pairs
	RoleCombine Role = "combine" // sorted pairs → user's combine → sorted pairs: an inner node of a reduce tree
	RoleGather  Role = "gather"  // sorted pairs → merged pairs, no user code: an inner node of a reduce without combine
	RoleReduce  Role = "reduce"  // sorted pairs → user's reduce → partitioned, sorted pairs
)

// Spec is everything a task needs to know. Whoever makes a task writes it, the runtime only reads it.
type Spec struct {
	Version  int    `json:"version"`
	Analysis string `json:"analysis"`
	Task     string `json:"task"` // address
	Key      string `json:"key"`  // task key, hex
	Attempt  int    `json:"attempt"`
	Role     Role   `json:"role"`

	Code    *Code             `json:"code,omitempty"` // nil with a Command and for gather
	Command []string          `json:"command,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	// Secrets are names of environment variables that whoever starts the task sets besides Env. Their values are written nowhere.
	Secrets []string `json:"secrets,omitempty"`
	// Operation is what is done in the place of code or a command.
	Operation *Operation `json:"operation,omitempty"`

	Format     string      `json:"format,omitempty"` // of Files
	Where      []Condition `json:"where,omitempty"`  // of the records that are meant; the others are filtered out
	Fields     []string    `json:"fields,omitempty"`
	Dimensions []string    `json:"dimensions,omitempty"` // names for File.Dims

	Files    []File     `json:"files,omitempty"`    // a map over files
	Only     int64      `json:"only,omitempty"`     // of the only file only the record with this number, counted from 1; 0: all
	Upstream []Upstream `json:"upstream,omitempty"` // everything else
	// Mend is an earlier result of the same input. Only its quarantined records are mapped, and all else is taken over. Paths in it are absolute.
	Mend *Report `json:"mend,omitempty"`

	Partitions int      `json:"partitions"` // how many result files to write, at least 1
	Tolerate   Tolerate `json:"tolerate"`
	Limits     Limits   `json:"limits"`
	Download   Download `json:"download"`
	S3         *S3      `json:"s3,omitempty"` // how s3: files are reached; nil: as the environment says
}

// S3 says how a bucket is reached. What is not set comes from the environment of the task, and so do credentials.
type S3 struct {
	Endpoint  string `json:"endpoint,omitempty"` // URL of a server other than AWS
	Region    string `json:"region,omitempty"`
	Profile   string `json:"profile,omitempty"`   // of the AWS configuration files
	Anonymous bool   `json:"anonymous,omitempty"` // requests are not signed
	PathStyle *bool  `json:"path_style,omitempty"`
}

// Code is the user's code, unpacked.
type Code struct {
	Dir      string `json:"dir"`      // folder with the bundle's files
	Entry    string `json:"entry"`    // path of the entry file inside Dir
	Language string `json:"language"` // python, javascript, or program (run as it is)
	Contract string `json:"contract"` // taf, telemetry-server, telemetry-analysis, streaming
	Function string `json:"function,omitempty"`
	Digest   string `json:"digest"`
}

// File is one input file of a map task, pinned as the plan saw it.
type File struct {
	Key  string   `json:"key"`
	URL  string   `json:"url"` // file:///…, s3://BUCKET/KEY, https://…
	Size int64    `json:"size"`
	ETag string   `json:"etag"`
	Dims []string `json:"dims,omitempty"`
}

// Upstream is the result of one earlier task.
type Upstream struct {
	Task    string `json:"task"` // address
	Form    Form   `json:"form"`
	Parts   []Part `json:"parts"`
	Partial bool   `json:"partial,omitempty"` // it lost something that its policy tolerated
	Covers  Ledger `json:"covers"`            // what its results stand for
	Whole   bool   `json:"whole,omitempty"`   // all of Upstream stand for the same files; see Report
	// Transient: what it lost may be there next time; see Report.
	Transient bool    `json:"transient,omitempty"`
	Missing   *string `json:"missing,omitempty"` // why it has no result (a tolerated failed task); then Parts is empty
}

// Form says what the pairs of a result are.
type Form string

// The forms of results.
const (
	FormPairs Form = "pairs" // key and value, both JSON
	FormLines Form = "lines" // the value is a text line as user code returned it, the key is what it is ordered by
)

// Part is one result file: sorted pairs of one partition.
type Part struct {
	Partition int    `json:"partition"`
	Path      string `json:"path"`   // relative to the attempt's folder in a Report, absolute in a Spec
	Digest    string `json:"digest"` // SHA-256 of the file, hex
	Size      int64  `json:"size"`   // bytes of the file
	Pairs     int64  `json:"pairs"`
}

// Tolerate is how much of its input a task may lose.
type Tolerate struct {
	BadRecords Limit `json:"bad_records"`
	BadFiles   Limit `json:"bad_files"`
}

// Limit is a count or a share of what was seen. The zero value tolerates nothing.
type Limit struct {
	Count   int64   `json:"count,omitempty"`
	Share   float64 `json:"share,omitempty"` // 0..1
	IsShare bool    `json:"is_share,omitempty"`
}

// Exceeded tells whether lost out of seen is more than the limit allows.
func (l Limit) Exceeded(lost, seen int64) bool {
	if l.IsShare {
		return lost > 0 && float64(lost) > l.Share*float64(seen)
	}
	return lost > l.Count
}

// IsZero tells whether nothing is tolerated.
func (l Limit) IsZero() bool { return l.Count == 0 && l.Share == 0 }

// Limits bound a task.
type Limits struct {
	Memory     int64         `json:"memory"`                // bytes for sorting and buffers
	MaxRunTime time.Duration `json:"max_run_time"`          // nanoseconds; 0: none
	Record     int64         `json:"record"`                // bytes of the longest record
	RecordTime time.Duration `json:"record_time,omitempty"` // nanoseconds that a map may take for a record; 0: no limit
	// Retried are the causes, and exit:N, after which another attempt follows, as in retry.on: then this one does not try to go on without
	// the records that are to blame. Empty: none follows.
	Retried []string `json:"retried,omitempty"`
}

// Download is the policy for one file.
type Download struct {
	Attempts int           `json:"attempts"`
	Timeout  time.Duration `json:"timeout"` // nanoseconds that one attempt waits for the store; 0: no limit
}
