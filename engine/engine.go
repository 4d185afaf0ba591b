package engine

import (
	"context"
	"time"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// Engine carries out a run.
type Engine interface {
	// Apply runs the tasks of a run and returns when all are done, failed or given up, or ctx ended. What has finished is
	// recorded before Apply returns, so that the next Apply of the same analysis goes on. The error is about the engine
	// itself; failed tasks are in the Outcome.
	Apply(ctx context.Context, run *Run, observe Observer) (*Outcome, error)
}

// Run is the tasks to carry out, in an order in which each stands after all that it needs.
type Run struct {
	ID       string // sorts by time
	Analysis string
	Tasks    []*Task
	// Stages are the components of each stage's code and settings, by digest, for the state to remember (see Task.StageDigest).
	Stages map[string][]byte
	// Bundles are the user's code by digest, for the state to keep.
	Bundles map[string]*bundle.Bundle
	// Dropped are tasks of an earlier graph: the state forgets them when the run begins.
	Dropped []addr.Task
	Command string // as the user gave it; the state keeps it for people
	Plan    []byte // JSON; the state keeps it for show and status
}

// Task is one task of a run.
type Task struct {
	Addr  addr.Task
	Key   string
	Bytes int64 // of its input: the largest task of those that are ready is started first
	Files int
	Needs []*Task // tasks of this run that must be done before
	// Reused tells that the result is already in the store: nothing is run, it only feeds others.
	Reused bool
	// Mend is the key of an earlier result of the same input, in the store: only its quarantined records are run, and the rest of it is taken
	// over. A Reused task takes over all of it, under its own key. Empty: neither.
	Mend string
	// Stale tells that the result under the key must not be reused: one that it was made of changes under its own key in this run.
	Stale bool
	// Spec is the task without what only the engine knows: Attempt, Code.Dir, Upstream and the paths of results.
	Spec     job.Spec
	Upstream []Upstream // inputs that are results of other tasks, in the order in which they are merged
	Bundle   string     // digest of the code, in the state's bundles; empty for commands and gather
	// StageDigest, InputsDigest and Inputs are remembered by the state when the task is done or failed, so that a later plan
	// can say what changed. Inputs is opaque to the engine.
	StageDigest  string
	InputsDigest string
	Inputs       []byte
	Retry        Retry
	Cpus         int   // places of workers that an attempt takes; less than 1: 1
	Disk         int64 // bytes that must be free before an attempt starts; 0: not looked at
	// Image is what the task's code runs in; nil: the stage has none.
	Image *Image
	// Secrets are the environment variables of the code whose values only the secret of that name has.
	Secrets []Secret
	// Root is the URL of the folder that holds all files of the task's stage; empty when it reads none.
	Root string
	// FailedTasks is how many tasks of its stage may fail for good while their consumers still run.
	FailedTasks job.Limit
}

// Image is a container image.
type Image struct {
	Ref string // as the analysis names it
	// ID is sha256:… of what was built for it and stands where it was built, Digest REPOSITORY@sha256:… by which a registry gives
	// that out. Each may be empty; a task runs in what the more exact one says.
	ID, Digest string
}

// Secret is an environment variable whose value is a secret.
type Secret struct {
	Env  string
	Name string // of the secret
}

// Upstream is one input of a task: those partitions of another task's result that are congruent to Partition modulo Of.
type Upstream struct {
	Task      *Task
	Partition int
	Of        int
}

// Retry is the policy after a failed attempt.
type Retry struct {
	Attempts int
	On       []string // causes
	Delay    time.Duration
	MaxDelay time.Duration
}

// State is where a task of a run stands.
type State string

// The states of tasks.
const (
	Waiting   State = "waiting"   // for its inputs
	Ready     State = "ready"     // for a worker, or for the delay before the next attempt
	Running   State = "running"   //
	Done      State = "done"      //
	Reused    State = "reused"    // its result was there already
	Failed    State = "failed"    // for good
	Cancelled State = "cancelled" // never ran, because an input failed or the run was stopped
)

// Event is a change of a task.
type Event struct {
	Time    time.Time
	Task    *Task
	State   State
	Attempt int
	// Progress is set while the task runs.
	Progress *job.Progress
	// Report is set when an attempt ended, also by failure.
	Report *job.Report
	// RetryIn is set with Ready: how long until the next attempt.
	RetryIn time.Duration
	// Cause says for Cancelled which failed task is the first cause.
	Cause *Task
}

// Observer is told of every change. Calls come one at a time.
type Observer func(Event)

// Outcome is how a run ended.
type Outcome struct {
	States      map[addr.Task]State
	Failed      []*Task // in the order of the run
	Interrupted bool
	Partial     bool // some result lost input that a policy tolerated
	// Tolerated tells that there are failed tasks and that their stages' FailedTasks allow all of them.
	Tolerated bool
}
