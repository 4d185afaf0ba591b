package lang

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/internal/addr"
)

// Analysis is one analysis file, decoded and checked. It is immutable once Load has returned it.
type Analysis struct {
	Name        string // of the analysis block, else the file's stem
	Description string
	Owner       string
	Source      string

	Today string // the date (2006-01-02, UTC) that days and last_complete_day count from

	Filename string // as given to Load; the file name in every range
	Dir      string // relative paths of the file are relative to this folder

	Variables []*Variable
	Indexes   []*Index
	Filters   []*Filter
	Images    []*Image
	Stages    []*Stage // inputs before their consumers, otherwise in the order of the file
	Outputs   []*Output
	Notify    []*Notify
	Tests     []*Test

	Engine      string // the one that is meant: local, taskcluster
	Local       LocalEngine
	Taskcluster *TaskclusterEngine // nil: the file has no such block

	// Doubts are errors about conditions of filters, for which an index can tell how many files other conditions would match.
	Doubts []Doubt

	Files map[string]*hcl.File // sources by file name, for the snippets of diagnostics
}

// Doubt is an error about a condition, and what may have been meant.
type Doubt struct {
	Diag      *hcl.Diagnostic
	Index     string
	Dimension string
	Instead   []Condition
}

// Block is what every declaration has: its type, its name, and where it and its arguments stand.
type Block struct {
	Type      string
	Name      string               // of a block with for_each with its key: by_os["nightly"]
	DeclRange hcl.Range            // type and labels
	Args      map[string]hcl.Range // the range of the value of each argument that was written
}

// Range is where the value of an argument was written, or the declaration when it was left out.
func (b *Block) Range(arg string) hcl.Range {
	if r, ok := b.Args[arg]; ok {
		return r
	}
	return b.DeclRange
}

// Variable is an input of the file, with the value that it has in this load.
type Variable struct {
	Block
	Description string
	Value       string // as the language would write it; for show
	Sensitive   bool   // Value does not hold it
}

// Index says where the list of files comes from.
type Index struct {
	Block
	Source string // dir:PATH, sqlite:PATH, s3://BUCKET/FOLDER
	Root   string // what the keys are relative to when tasks fetch them; empty: what the source says
	Layout string // the name of a built-in layout or a template; empty: what the source says
	Table  string // of a database, when it is not one that tafc index build made
	// Columns says which columns of the table hold the key, the size, the etag and the dimensions, where their names do not.
	Columns map[string]string
	S3      S3 // how the bucket of the source or the root is reached
}

// S3 says how a bucket is reached; the zero value leaves it to the environment.
type S3 struct {
	Endpoint  string `json:",omitempty"` // URL of a server other than AWS
	Region    string `json:",omitempty"`
	Profile   string `json:",omitempty"` // of the AWS configuration files
	Anonymous bool   `json:",omitempty"` // requests are not signed
	PathStyle *bool  `json:",omitempty"` // nil: only with an endpoint
}

// Filter selects files of an index. Either Where and Exclude, or Document.
type Filter struct {
	Block
	Index      string // name of the index
	Where      []Term // in the order of the file; all must hold
	Exclude    []Term // a file is left out when all of these hold
	Document   string // path of a Filter.json, relative to the analysis
	AllowEmpty bool
	Limit      int // the most files; 0: all that match
	// ExactKeys compares the values of keys as they are: only those of the conditions are rewritten, as the index service of 2014 did.
	ExactKeys bool
}

// Term is one dimension = condition line.
type Term struct {
	Dimension string
	Condition Condition
	NameRange hcl.Range
	Range     hcl.Range   // of the condition
	At        []hcl.Range // of each of the condition's values
}

// Op is what a condition does with a dimension's value.
type Op string

// The operators of conditions and how many values they have.
const (
	OpAny     Op = "any"     // none
	OpOneOf   Op = "oneof"   // the value is one of Values (a bare string is a list of one)
	OpBetween Op = "between" // Values[0] <= value <= Values[1], both inclusive, byte order
	OpAtLeast Op = "atleast" // value >= Values[0]
	OpAtMost  Op = "atmost"  // value <= Values[0]
	OpGlob    Op = "glob"    // * ? [a-z] {a,b} over the whole value
	OpMatches Op = "matches" // an RE2 expression, found anywhere in the value
	OpDates   Op = "dates"   // a date from Values[0] to Values[1] (2006-01-02), both inclusive; an empty one is no bound
	OpVersion Op = "version" // comparisons of versions, such as ">= 28.0, < 100"
)

// Condition is a test of one dimension's value. Values are as written; the index sanitises them.
type Condition struct {
	Op     Op
	Values []string
	Text   string // as the file writes it, when Op and Values are what became of it: days(7)
	Dated  bool   // it makes sense for a date dimension only
	Today  bool   // it counts from Analysis.Today
}

// Image names the container image of stages.
type Image struct {
	Block
	Ref   string // the argument "name": a reference, best with a digest
	Build *ImageBuild
}

// ImageBuild says how the image is made.
type ImageBuild struct {
	Block
	Context    string
	Dockerfile string
	Args       map[string]string
	Target     string
}

// StageKind tells map and reduce stages apart.
type StageKind string

// The kinds of stages.
const (
	Map    StageKind = "map"
	Reduce StageKind = "reduce"
)

// Stage is a map or a reduce with the defaults of the file already applied.
type Stage struct {
	Block
	Kind  StageKind
	Input Input
	Image string // name of the image block, or empty

	Code      []string          // paths relative to the analysis; the first is the entry file, the rest are shipped with it
	Command   []string          // argv; a command written as one string is {"sh", "-c", string}
	Operation *Operation        // in the place of code and command
	Where     []RecordCondition // of the records that are meant; all must hold
	Entry     string            // function to call instead of the contract's own
	Contract  string            // taf, telemetry-server, telemetry-analysis, streaming; empty: found from the code

	Format string   // telemetry, lines, jsonl, csv, tsv, whole; empty: what the index's layout says
	Fields []string // paths such as info.OS; empty: whole records
	Env    map[string]string
	// Sensitive are environment variables with a sensitive value. It must not get into anything that is written or shown.
	Sensitive map[string]string
	Secrets   map[string]string // names of secrets by the environment variable that gets the value when the task runs

	Batch      Batch    // map over a filter only
	Retry      Retry    //
	Tolerate   Tolerate //
	Memory     int64    // bytes a task may use for sorting and buffers
	Cpus       int      // places of workers that a task takes; at least 1
	Disk       int64    // bytes that must be free before a task starts; 0: not looked at
	MaxRunTime time.Duration
	// MaxRecord is the bytes of the longest record, MaxRecordTime the longest time for one; 0: none. Map only.
	MaxRecord     int64
	MaxRecordTime time.Duration
	Partitions    int // reduce only; at least 1
	FanIn         int // reduce only; at least 2
}

// Addr is the address of the stage.
func (s *Stage) Addr() addr.Stage { return addr.Stage{Kind: string(s.Kind), Name: s.Name} }

// Input is what a stage reads: a filter's files or another stage's results. Exactly one is set.
type Input struct {
	Filter  string
	Stage   addr.Stage
	Several []addr.Stage // of a reduce: all stages of a block with for_each, by key; perhaps none, but not nil
}

// Stages are the stages whose results are read.
func (i Input) Stages() []addr.Stage {
	if i.Stage != (addr.Stage{}) {
		return []addr.Stage{i.Stage}
	}
	return i.Several
}

// Batch limits how many files one map task reads.
type Batch struct {
	MaxFiles int
	MaxSize  int64    // bytes, as stored
	GroupBy  []string // dimensions; nil: the layout's date dimension, if it has one; empty and not nil: none
}

// Retry says what happens after a failed attempt.
type Retry struct {
	Attempts int      // of a task, the first included
	On       []string // causes: infrastructure code download corrupt drifted memory timeout write exit:N
	Delay    time.Duration
	MaxDelay time.Duration
	Download DownloadRetry
}

// DownloadRetry is the policy for one file inside a task.
type DownloadRetry struct {
	Attempts int
	Timeout  time.Duration // of one attempt
}

// Tolerate says how much may be lost before a task or the analysis fails.
type Tolerate struct {
	BadRecords  Limit
	BadFiles    Limit
	FailedTasks Limit
	MinCoverage float64 // share of the planned files that a result must stand for, 0..1
}

// Limit is a count or a share. The zero value tolerates nothing.
type Limit struct {
	Count   int64
	Share   float64 // 0..1, of what was seen; used when IsShare
	IsShare bool
}

// Output is a result that somebody asked for.
type Output struct {
	Block
	Value  addr.Stage
	Format string // text, csv, jsonl, json, parquet
	Sort   string // key, -key, value, -value
	Top    int    // the first so many pairs; 0: all
	To     string // path relative to the analysis, or empty
}
