package mapper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/operation"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/runtime/remote"
	"github.com/tafc/tafc/runtime/usercode"
)

// Options say how to run a task.
type Options struct {
	// Start starts the user's code; nil: usercode.Start.
	Start func(context.Context, usercode.Options, usercode.Sink) (usercode.Program, error)
	// Progress is told how far the task is, at most every 200 ms and at the end.
	Progress func(job.Progress)
	// Log gets the log for people; nil: nobody.
	Log io.Writer
	// Events gets the lines of events.jsonl; nil: a file of this name in the folder of the task.
	Events io.Writer
	// Remote reads the files of stores that are reached over a network; nil: as Spec.S3 and the environment say.
	Remote *remote.Client
}

// task is one run of a task.
type task struct {
	ctx   context.Context
	stop  context.CancelCauseFunc
	spec  *job.Spec
	dir   string
	temp  string
	o     Options
	rep   *job.Report
	j     *journal
	out   *pairs.Collector
	quar  quarantine
	begin time.Time
	oom   int64 // kills by the kernel before this task
	form  job.Form
	ended error // how the program ended that give closed

	watched  chan struct{}                   // closed when prog is
	busy     atomic.Int64                    // calls of the sink under way
	apart    map[string]map[int64]*badRecord // by file and number: records that are set aside without being given to the program
	begun    int                             // files that were opened
	died     *usercode.Error                 // why the program ended that ended the task
	reading  int                             // number of the file that is being read; negative: none
	damaged  *fileEnd                        // of the file that is being read, when it proved to be damaged
	dropped  map[int]*fileEnd                // files that proved to be damaged, by their number
	searched bool                            // the record was searched for

	remote func() *remote.Client

	mu       sync.Mutex // guards what follows
	prog     usercode.Program
	running  bool // prog is not closed
	timeout  *failure
	queue    []*entry
	blocks   map[*usercode.Block]*entry
	failed   *failure // the first failure in the order of the input
	bad      *badRecord
	doomed   bool              // what is in the queue already ends the task, so nothing more need be read
	memory   bool              // user code said that it ran out of memory
	slow     *usercode.Error   // the program was ended because it took too long for a record
	deaths   map[job.Place]int // of programs, by the record that they were at
	progress time.Time
}

// defaultMemory is the memory of a task whose spec names none.
const defaultMemory = 256 << 20

// Run carries out a task in dir, an existing folder, and reports how it went. Results, events.jsonl and quarantine.jsonl.zst
// are in dir; the paths in the Report are relative to it. When ctx ends first there is no report: nil.
func Run(ctx context.Context, spec *job.Spec, dir string, o Options) *job.Report {
	if o.Start == nil {
		o.Start = usercode.Start
	}
	t := &task{spec: spec, dir: dir, o: o, begin: time.Now(), oom: oomKills(), reading: -1, blocks: map[*usercode.Block]*entry{}, deaths: map[job.Place]int{}, j: &journal{log: o.Log}}
	t.quar.dir = dir
	t.remote = sync.OnceValue(func() *remote.Client {
		if o.Remote != nil {
			return o.Remote
		}
		return remote.New(spec.S3)
	})
	t.rep = &job.Report{Version: job.Version, Task: spec.Task, Key: spec.Key, Attempt: spec.Attempt, Started: t.begin.UTC(), Seconds: map[string]float64{}}
	t.ctx, t.stop = context.WithCancelCause(ctx)
	defer t.stop(nil)
	var err error
	if done, openErr := t.record(); openErr == nil {
		defer done()
		err = t.guarded(ctx)
	} else {
		err = &pairs.WriteError{Err: openErr}
	}
	if ctx.Err() != nil {
		t.j.event("task.interrupted")
		t.j.say("interrupted")
		return nil
	}
	return t.report(err)
}

// record finds where events go.
func (t *task) record() (done func(), err error) {
	if t.o.Events != nil {
		t.j.events = t.o.Events
		return func() {}, nil
	}
	events, err := os.Create(filepath.Join(t.dir, "events.jsonl"))
	if err != nil {
		return nil, err
	}
	t.j.events = events
	return func() { events.Close() }, nil
}

// guarded makes a failure of a panic.
func (t *task) guarded(parent context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
			t.kill()
		}
	}()
	if err := check(t.spec); err != nil {
		return fail(job.CauseBadSpec, err.Error())
	}
	if t.spec.Limits.MaxRunTime > 0 {
		timer := time.AfterFunc(t.spec.Limits.MaxRunTime, t.timedOut)
		defer timer.Stop()
	}
	t.j.event("task.start", field{"task", t.spec.Task}, field{"attempt", t.spec.Attempt}, field{"role", t.spec.Role}, field{"files", len(t.spec.Files)}, field{"upstream", len(t.spec.Upstream)})
	t.temp = filepath.Join(t.dir, "temp")
	if err := os.RemoveAll(t.temp); err != nil {
		return &pairs.WriteError{Err: err}
	}
	if err := os.MkdirAll(filepath.Join(t.temp, "work"), 0o755); err != nil {
		return &pairs.WriteError{Err: err}
	}
	defer os.RemoveAll(t.temp)
	t.out = pairs.NewCollector(t.collector())
	t.upstream()
	switch {
	case t.spec.Role == job.RoleGather:
		return t.gather()
	case t.spec.Role != job.RoleMap:
		return t.withProgram(t.feedPairs)
	case t.spec.Mend != nil:
		if err := t.takeOver(); err != nil {
			return err
		}
		return t.withProgram(t.mapQuarantined)
	case len(t.spec.Upstream) > 0:
		return t.withProgram(t.mapPairs)
	}
	return t.mapApart()
}

func panicked(v any) *failure {
	f := fail(job.CauseBug, fmt.Sprintf("panic: %v", v))
	f.Stack = string(debug.Stack())
	f.Hint = "this is a bug of tafc: please report it with this stack"
	return f
}

func (t *task) limit() int64 { return memory(t.spec) }

// memory is what a task may use, in bytes.
func memory(spec *job.Spec) int64 {
	if spec.Limits.Memory > 0 {
		return spec.Limits.Memory
	}
	return defaultMemory
}

func (t *task) collector() pairs.CollectorOptions {
	o := pairs.CollectorOptions{Temp: t.temp, Partitions: t.spec.Partitions, Memory: heap(t.limit()) / 4, Spilled: func(n, bytes int64) {
		t.j.event("spill", field{"pairs", n}, field{"bytes", bytes})
	}}
	if t.spec.Operation != nil && t.spec.Role != job.RoleReduce {
		o.Combine = operation.Combine(t.spec.Operation)
	}
	return o
}

// timedOut ends the task, with the record that it was at.
func (t *task) timedOut() {
	t.mu.Lock()
	f := fail(job.CauseTimeout, fmt.Sprintf("the time limit of %s is over", t.spec.Limits.MaxRunTime))
	f.Hint = "raise max_run_time, make batches smaller, or look at the record that it was at"
	if t.spec.Role != job.RoleMap {
		f.Hint = "raise max_run_time, or look at the key that it was at"
	}
	if t.running {
		at, ok := t.prog.At()
		switch {
		case ok && t.spec.Role == job.RoleMap:
			f.Place = at
		case ok:
			f.Message += fmt.Sprintf(" (at key %s)", at.Text)
		}
	}
	t.timeout = f
	t.mu.Unlock()
	t.kill()
	t.stop(errTimeout)
}

func (t *task) kill() {
	t.mu.Lock()
	prog, running := t.prog, t.running
	t.mu.Unlock()
	if running {
		prog.Kill()
	}
}

// verdict finds the error that ends the task, nil when there is none: of several the one that stands first in the input.
func (t *task) verdict(fed, ended error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var user *usercode.Error
	told := fed == nil || errors.Is(fed, errDoomed) || errors.Is(fed, errProgram)
	switch {
	case t.timeout != nil:
		return t.timeout
	case t.failed != nil:
		return t.failed
	case !told:
		return fed // it killed the program, so what the program says is an echo
	case errors.As(ended, &user):
		t.died = user
		return userFailure(user)
	case ended != nil:
		return ended
	case errors.Is(fed, errProgram):
		return fail(job.CauseBug, "the program of the user's code broke without saying why")
	}
	if err := t.drain(); err != nil {
		return err
	}
	if len(t.queue) > 0 {
		return fail(job.CauseBug, fmt.Sprintf("the program of the user's code ended and left %d blocks of records without an answer", len(t.blocks)))
	}
	return t.tolerated()
}

// memoryHint is what helps user code that ran out of memory.
const memoryHint = "give the stage more memory, or keep less in memory in the user's code"

// explained says more of how a program ended than the program could. A kill by the kernel for want of memory looks like any other.
func (t *task) explained(ended error) error {
	var e *usercode.Error
	if !errors.As(ended, &e) {
		return ended
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.slow != nil:
		slow := *t.slow
		slow.Exit, slow.Fatal = e.Exit, e.Fatal
		return &slow
	case e.Cause == job.CauseCode && (t.memory || oomKills() > t.oom && killed(e.Exit)):
		more := *e
		more.Cause, more.Hint = job.CauseMemory, memoryHint
		if !t.memory {
			more.Message = "the system killed the program of the user's code for want of memory"
			more.Signature = more.Message
		}
		return &more
	}
	return ended
}

func killed(exit string) bool {
	return exit == "signal: killed" || exit == "exit status 137"
}

// write writes the result.
func (t *task) write() error {
	if m := t.spec.Mend; m != nil && m.Form != t.form {
		return fail(job.CauseBadSpec, fmt.Sprintf("the earlier result has the form %s, and what is added to it %s", m.Form, t.form))
	}
	began := time.Now()
	parts, err := t.out.Write(t.ctx, t.dir)
	t.rep.Seconds["write"] += time.Since(began).Seconds()
	for _, p := range parts {
		t.rep.Ledger.Records.Emitted += p.Pairs
	}
	return t.written(parts, err)
}

// written takes the result over into the report.
func (t *task) written(parts []job.Part, err error) error {
	t.mu.Lock()
	late := t.timeout
	t.mu.Unlock()
	if err != nil && late != nil {
		return late
	}
	if err != nil {
		return err
	}
	for _, p := range parts {
		t.rep.Ledger.Bytes.Written += p.Size
	}
	t.rep.Parts, t.rep.Form = parts, t.form
	t.j.event("result.done", field{"parts", len(parts)}, field{"pairs", t.rep.Ledger.Records.Emitted}, field{"bytes", t.rep.Ledger.Bytes.Written})
	return nil
}
