package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
)

// Graph is the tasks of an analysis. It is immutable once Compile has returned it.
type Graph struct {
	Analysis string
	Sources  []Source
	Stages   []*Stage // inputs before their consumers
	Tasks    []*Task  // inputs before their consumers, by stage
	Outputs  []Output
}

// Err says why files of the graph's tasks could not be read, if any could not. A graph that was made from what an earlier plan remembered
// of an index reads the index only when somebody asks for files.
func (g *Graph) Err() error {
	for _, t := range g.Tasks {
		if t.Files != nil && t.Files.batched != nil && t.Files.batched.err != nil {
			return t.Files.batched.err
		}
	}
	return nil
}

// Source is what a filter selected of an index: the head of a plan.
type Source struct {
	Filter   string
	Index    string
	Source   string // as the analysis writes it: dir:data
	Spec     string // the same with an absolute path, to open it from anywhere
	Table    string
	S3       *lang.S3          `json:",omitempty"` // how the bucket is reached, when the analysis says it
	Columns  map[string]string `json:",omitempty"`
	Revision string
	Layout   string
	Total    int
	Matched  int
	Bytes    int64
	Unparsed int
	Sample   []string // some of the unparsed keys
	Funnel   []Step
	Unlisted int `json:",omitempty"` // folders that were not listed because the filter refuses them (index.Selection)
	// Live is the filter when Revision tells of the matching files alone: to find out whether it holds, select them again.
	Live  *index.Filter `json:",omitempty"`
	Dates []string      `json:",omitempty"` // what the conditions that count from today are today: submission_date = days(7): 2014-03-02 to 2014-03-08
}

// Step says how many files were left after one more condition of the filter.
type Step struct {
	Dimension string `json:"dimension"`
	Left      int    `json:"left"`
	Unlisted  int    `json:"unlisted_prefixes,omitempty"`
}

// Stage is what the tasks of a stage have in common.
type Stage struct {
	Addr       addr.Stage
	Kind       lang.StageKind
	Filter     string      // of a map over files
	Components []Component // what a result of the stage depends on besides its inputs, sorted by name
	Digest     string      // of Components, hex
	Root       string      // URL of the folder that the keys of Files are relative to
	Bundle     *bundle.Bundle
	Spec       job.Spec // the template of the stage's specs
	Secrets    []Secret // what the code gets when it runs, and nobody else
	Cpus       int      // places of workers that a task takes
	Disk       int64    // bytes that must be free before a task starts; 0: not looked at
	Image      *Image   // nil: none is named
	Retry      lang.Retry
	Tolerate   lang.Tolerate
	Partitions int // of a reduce: how many trees it has
	Outputs    int // partitions of each result
}

// Component is one thing that a stage's results depend on. Names are the words of plan reasons: "code mapper.py", "env LANG".
type Component struct {
	Name  string `json:"name"`
	Value string `json:"value"` // a digest or a short text
}

// Task is one task. Exactly one of Files and Upstream is set.
type Task struct {
	Addr  addr.Task
	Stage *Stage
	Role  job.Role

	Group, Path string // of the batch, also when the task works on the result of a batch's task

	Files    *Files
	Upstream []Upstream // in the order in which they are merged

	Partition int // of a reduce: the tree it belongs to
	Outputs   int // partitions of its result

	Key          string // hex
	InputsDigest string // of what Inputs says, hex
	Bytes        int64  // of Files, as stored
}

// Upstream is one input of a task: those partitions of another task's result that are congruent to Partition modulo Of.
type Upstream struct {
	Task      *Task
	Partition int
	Of        int
}

// Output is a result that somebody asked for, and the tasks that hold it.
type Output struct {
	Name   string
	Stage  addr.Stage
	Format string
	Sort   string // key, -key, value, -value
	Top    int    // the first so many pairs; 0: all
	To     string
	Tasks  []*Task
}

// Final tells whether the task's result is part of its stage's result: all but the inner nodes of a reduce.
func (t *Task) Final() bool { return t.Role == job.RoleMap || t.Role == job.RoleReduce }

// group is what places the task in the tree of a reduce above it.
func (t *Task) group() string {
	if t.Group == "" && t.Path == "" {
		return t.Addr.Name
	}
	return t.Group
}

// Inputs is the text that the state remembers of a task's inputs, one a line, so that a later plan can tell what changed:
// key TAB size TAB etag for files, address TAB key TAB partition/of for results. It is nil when the files cannot be read (see Graph.Err).
func (t *Task) Inputs() []byte {
	if t.Files != nil {
		return t.Files.inputs()
	}
	var b []byte
	for i := range t.Upstream {
		b = t.Upstream[i].append(b, true)
	}
	return b
}

// digestUpstream is the digest of Inputs, with the addresses or without, of a task that has results as its inputs.
func (t *Task) digestUpstream(named bool) string {
	h := sha256.New()
	var line []byte
	for i := range t.Upstream {
		line = t.Upstream[i].append(line[:0], named)
		h.Write(line)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// append appends key TAB partition/of and a newline, after the address and a TAB when named.
func (u *Upstream) append(to []byte, named bool) []byte {
	if named {
		to = append(append(to, u.Task.Addr.String()...), '\t')
	}
	to = append(append(to, u.Task.Key...), '\t')
	to = append(strconv.AppendInt(to, int64(u.Partition), 10), '/')
	return append(strconv.AppendInt(to, int64(u.Of), 10), '\n')
}

// keyVersion changes when the meaning of a key's parts changes, which makes every result run again.
const keyVersion = "tafc-key/1"

// seal computes the digests and the key of a task whose inputs are sealed already.
func (t *Task) seal() {
	var inputs string // what the key has of them
	if t.Files != nil {
		t.InputsDigest = t.Files.digest.String()
		inputs = t.InputsDigest
	} else {
		t.InputsDigest = t.digestUpstream(true)
		inputs = t.InputsDigest
		if t.Role != job.RoleMap {
			// What the upstream tasks are called changes no result, but a map's code can see it.
			inputs = t.digestUpstream(false)
		}
	}
	// Fields are separated by newlines, which none of them holds.
	t.Key = digestOf(fmt.Appendf(nil, "%s\n%s\n%s\n%d\n%d\n%s\n",
		keyVersion, t.Stage.Digest, t.Role, t.Partition, t.Outputs, inputs))
}

// digest is an SHA-256.
type digest [sha256.Size]byte

// String is the digest in hex.
func (d digest) String() string { return hex.EncodeToString(d[:]) }

func digestOf(b []byte) string { return digest(sha256.Sum256(b)).String() }

func digestComponents(cs []Component) string {
	var b []byte
	for _, c := range cs {
		b = fmt.Appendf(b, "%d:%s%d:%s", len(c.Name), c.Name, len(c.Value), c.Value)
	}
	return digestOf(b)
}

// WriteText prints the graph, deterministically, for people and goldens.
func (g *Graph) WriteText(w io.Writer) {
	for _, s := range g.Sources {
		fmt.Fprintf(w, "filter %s: %d of %d files, %d bytes, %d unparsed keys\n", s.Filter, s.Matched, s.Total, s.Bytes, s.Unparsed)
	}
	for _, s := range g.Stages {
		fmt.Fprintf(w, "%s %s\n", s.Addr, short(s.Digest))
		for _, c := range s.Components {
			fmt.Fprintf(w, "  %s = %s\n", c.Name, c.Value)
		}
	}
	for _, t := range g.Tasks {
		fmt.Fprintf(w, "%s %s → %d part(s)  %s\n", t.Addr, t.Role, t.Outputs, short(t.Key))
		for _, f := range t.Files.List() {
			fmt.Fprintf(w, "  %s (%d)\n", f.Key, f.Size)
		}
		for _, u := range t.Upstream {
			fmt.Fprintf(w, "  %s part %d/%d\n", u.Task.Addr, u.Partition, u.Of)
		}
	}
	for _, o := range g.Outputs {
		fmt.Fprintf(w, "output %s = %s as %s\n", o.Name, o.Stage, o.Format)
	}
}

func short(digest string) string { return digest[:12] }
