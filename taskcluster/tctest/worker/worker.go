package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/tctest"
)

// Containers says how docker-style payloads are run.
type Containers string

// The ways to run docker-style payloads.
const (
	Auto      Containers = ""          // Docker when a daemon answers, else processes
	Docker    Containers = "docker"    //
	Processes Containers = "processes" //
)

// Options of a worker.
type Options struct {
	Queue      string // PROVISIONER/WORKER-TYPE
	Capacity   int    // tasks at once; 0: 1
	Containers Containers
	Path       []string // folders that stand in front of PATH for processes
	// Unpullable are images that no registry has: a task with one of them ends with internal-error.
	Unpullable []string
	// NoProxy leaves the proxy away without a word, as pools do that do not allow it.
	NoProxy bool
	// MaxRunTime is the longest maxRunTime that the pool allows; 0: a day.
	MaxRunTime time.Duration
	// Reclaim is how often a task is claimed again; 0: three minutes before the claim ends, or after half of it.
	Reclaim time.Duration
	// Started is told of every run, right before its commands.
	Started func(w *Worker, taskID string, runID int)
	Log     func(format string, args ...any) // nil: nobody
}

// Worker claims and runs tasks until it is stopped.
type Worker struct {
	o       Options
	id      string
	server  *tctest.Server
	tc      *taskcluster.Client
	dir     string
	logs    *liveLogs
	docker  bool
	kill    context.CancelCauseFunc
	claimed sync.WaitGroup
}

// TB is the part of testing.TB that New needs.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	TempDir() string
}

// The ways in which a worker ends before its tasks do.
var (
	errLost     = errors.New("the worker was lost")
	errShutdown = errors.New("the worker shuts down")
)

// group is the worker group of all workers.
const group = "tctest"

var (
	count   int
	countMu sync.Mutex
)

// New starts a worker, which is stopped at the end of the test.
func New(t TB, s *tctest.Server, o Options) *Worker {
	t.Helper()
	if o.Capacity == 0 {
		o.Capacity = 1
	}
	if o.MaxRunTime == 0 {
		o.MaxRunTime = 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	countMu.Lock()
	count++
	id := fmt.Sprintf("worker-%d", count)
	countMu.Unlock()
	c := s.Credentials("queue:claim-work:"+o.Queue, "queue:worker-id:tctest/*")
	tc, err := taskcluster.New(taskcluster.Config{RootURL: s.RootURL, Credentials: &taskcluster.Credentials{ClientID: c.ClientID, AccessToken: c.AccessToken}})
	if err != nil {
		t.Fatalf("worker: %v", err)
	}
	w := &Worker{o: o, id: id, server: s, tc: tc, dir: t.TempDir(), logs: newLiveLogs()}
	switch o.Containers {
	case Docker:
		w.docker = true
	case Auto:
		w.docker = dockerAnswers()
	}
	ctx, kill := context.WithCancelCause(context.Background())
	w.kill = kill
	for range o.Capacity {
		w.claimed.Add(1)
		go w.loop(ctx)
	}
	t.Cleanup(w.Kill)
	return w
}

// Docker tells whether docker-style payloads run in containers.
func (w *Worker) Docker() bool { return w.docker }

// Kill loses the worker: what it runs ends without a word to the queue. It returns when all is gone.
func (w *Worker) Kill() {
	w.kill(errLost)
	w.claimed.Wait()
	w.logs.close()
}

// Lose kills the worker, and the queue finds out at once: as if the claims ran out, without the wait.
func (w *Worker) Lose() {
	w.Kill()
	w.server.LoseWorker(group, w.id, false)
}

// Shutdown ends the worker as a cloud does that takes it back: its tasks end with worker-shutdown.
func (w *Worker) Shutdown() {
	w.kill(errShutdown)
	w.claimed.Wait()
	w.logs.close()
}

// loop runs one task after the other.
func (w *Worker) loop(ctx context.Context) {
	defer w.claimed.Done()
	for ctx.Err() == nil {
		claims, err := w.tc.Worker.ClaimWork(ctx, w.o.Queue, &taskcluster.ClaimWorkRequest{WorkerGroup: group, WorkerID: w.id, Tasks: 1})
		if err != nil && ctx.Err() == nil {
			w.o.Log("%s: claim: %v", w.id, err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		}
		for _, c := range claims {
			r, err := w.newRun(ctx, c)
			if err != nil {
				w.o.Log("%s: %s: %v", w.id, c.Status.TaskID, err)
				continue
			}
			r.do()
		}
	}
}

// run is one run of a task.
type run struct {
	w      *Worker
	ctx    context.Context // of the run: ends with the worker, and when the claim is lost
	stop   context.CancelCauseFunc
	taskID string
	runID  int
	def    taskcluster.TaskDefinition
	dir    string // the task's folder
	log    *taskLog

	mu    sync.Mutex
	tc    *taskcluster.Client // in the name of the run
	token taskcluster.TaskCredentials
}

func (w *Worker) newRun(ctx context.Context, c taskcluster.TaskClaim) (*run, error) {
	r := &run{w: w, taskID: c.Status.TaskID, runID: c.RunID, def: c.Task}
	r.ctx, r.stop = context.WithCancelCause(ctx)
	r.dir = filepath.Join(w.dir, fmt.Sprintf("%s-%d", r.taskID, r.runID))
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return nil, err
	}
	if err := r.hold(c.Credentials); err != nil {
		return nil, err
	}
	log, err := newTaskLog(filepath.Join(w.dir, r.taskID+fmt.Sprintf("-%d.log", r.runID)))
	r.log = log
	return r, err
}

// hold takes over the credentials of a claim.
func (r *run) hold(c taskcluster.TaskCredentials) error {
	tc, err := taskcluster.New(taskcluster.Config{RootURL: r.w.server.RootURL, Credentials: c.Credentials(), Retry: taskcluster.Retry{Initial: 50 * time.Millisecond, Total: 20 * time.Second}})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tc, r.token = tc, c
	return nil
}

func (r *run) client() *taskcluster.Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tc
}

// reclaim holds the claim for as long as the run takes. When the queue says that the run is over, it is stopped.
func (r *run) reclaim(until time.Time) {
	for {
		left := time.Until(until)
		pause := max(left-3*time.Minute, left/2)
		if r.w.o.Reclaim > 0 {
			pause = r.w.o.Reclaim
		}
		select {
		case <-time.After(pause):
		case <-r.ctx.Done():
			return
		}
		c, err := r.client().Worker.ReclaimTask(r.ctx, r.taskID, r.runID)
		if taskcluster.HasCode(err, taskcluster.CodeRequestConflict) {
			r.stop(fmt.Errorf("the claim of the run is gone: %w", err))
			return
		}
		if err == nil {
			until = c.TakenUntil.Time
			err = r.hold(c.Credentials)
		}
		if err != nil && r.ctx.Err() == nil {
			r.w.o.Log("%s: reclaim %s: %v", r.w.id, r.taskID, err)
		}
	}
}

// verdict is how a run ends.
type verdict struct {
	completed bool
	failed    bool
	exception string // reason
	text      string // for the log
}

var completed = verdict{completed: true, text: "completed"}

func failed(format string, args ...any) verdict {
	return verdict{failed: true, text: fmt.Sprintf(format, args...)}
}

func exception(reason, format string, args ...any) verdict {
	return verdict{exception: reason, text: fmt.Sprintf(format, args...)}
}

// do runs the task and tells the queue how it ended.
func (r *run) do() {
	defer os.RemoveAll(r.dir)
	defer r.log.close()
	defer r.stop(nil)
	go r.reclaim(r.takenUntil())
	v := r.attempt()
	if cause := context.Cause(r.ctx); cause != nil {
		r.log.say("aborted: %v", cause)
		if errors.Is(cause, errShutdown) {
			r.afterLife(func(ctx context.Context) error {
				_, err := r.client().Worker.ReportException(ctx, r.taskID, r.runID, taskcluster.ReasonWorkerShutdown)
				return err
			})
		}
		return
	}
	r.report(v)
}

func (r *run) takenUntil() time.Time {
	status, err := r.w.tc.Queue.Status(r.ctx, r.taskID)
	if err != nil || r.runID >= len(status.Runs) {
		return time.Now().Add(time.Minute)
	}
	return status.Runs[r.runID].TakenUntil.Time
}

// afterLife tells the queue something when the run's context is over.
func (r *run) afterLife(tell func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := tell(ctx); err != nil {
		r.w.o.Log("%s: %s: %v", r.w.id, r.taskID, err)
	}
}

// report resolves the run.
func (r *run) report(v verdict) {
	q := r.client().Worker
	var err error
	switch {
	case v.completed:
		_, err = q.ReportCompleted(r.ctx, r.taskID, r.runID)
	case v.failed:
		_, err = q.ReportFailed(r.ctx, r.taskID, r.runID)
	default:
		_, err = q.ReportException(r.ctx, r.taskID, r.runID, v.exception)
	}
	r.w.o.Log("%s: %s run %d of %s: %s (%v)", r.w.id, r.taskID, r.runID, r.def.Metadata.Name, v.text, err)
}

// attempt is the whole run but for its report.
func (r *run) attempt() verdict {
	job, err := r.parse()
	if err != nil {
		job = &work{live: defaultLive, backing: defaultBacking, logs: true}
		r.log.say("malformed payload: %v", err)
		return r.finish(job, exception(taskcluster.ReasonMalformedPayload, "malformed payload: %v", err))
	}
	r.live(job)
	r.log.say("task %s run %d on %s", r.taskID, r.runID, r.w.id)
	v := r.execute(job)
	if r.ctx.Err() != nil {
		return v
	}
	if lost := r.publish(job); lost != "" && v.completed {
		v = failed("%s", lost)
	}
	return r.finish(job, v)
}

// execute runs the commands.
func (r *run) execute(j *work) verdict {
	if v := r.mount(j); v != nil {
		return *v
	}
	if j.proxy && !r.w.o.NoProxy {
		proxy := httptest.NewServer(r.w.server.Proxy(r.taskID, r.runID))
		defer proxy.Close()
		j.env[taskcluster.EnvProxyURL] = proxy.URL
	}
	if r.w.o.Started != nil {
		r.w.o.Started(r.w, r.taskID, r.runID)
	}
	ctx, cancel := context.WithTimeoutCause(r.ctx, j.maxRunTime, errTooLong)
	defer cancel()
	if j.image != nil && r.w.docker {
		return r.container(ctx, j)
	}
	if j.image != nil {
		if err := r.pull(j.image); err != nil {
			return exception(taskcluster.ReasonInternalError, "%v", err)
		}
	}
	for _, argv := range j.commands {
		code, err := r.process(ctx, j, argv)
		if v := j.judge(ctx, code, err); !v.completed {
			return v
		}
	}
	return completed
}

var errTooLong = errors.New("maxRunTime exceeded")

// judge says what the end of a command means.
func (j *work) judge(ctx context.Context, code int, err error) verdict {
	switch {
	case errors.Is(context.Cause(ctx), errTooLong):
		return failed("%v", errTooLong)
	case ctx.Err() != nil:
		return failed("%v", context.Cause(ctx))
	case err != nil:
		return failed("%v", err)
	case code == 0:
		return completed
	}
	for _, again := range j.retry {
		if code == again {
			return exception(taskcluster.ReasonIntermittentTask, "exit code %d is tried again", code)
		}
	}
	return failed("exit code %d", code)
}

// liveLogs serves the logs of running tasks.
type liveLogs struct {
	server *http.Server
	url    string
	mu     sync.Mutex
	byName map[string]*taskLog
}
