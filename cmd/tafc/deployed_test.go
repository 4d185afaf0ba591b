package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/mapper"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

// mapperMain is the program that tasks of Taskcluster run.
func mapperMain() {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	streams := mapper.Streams{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if len(os.Args) > 1 && os.Args[1] == "task" {
		os.Exit(agent.Main(ctx, os.Args[2:], streams))
	}
	os.Exit(mapper.ExitUsage)
}

// deployment is the double of Taskcluster that a script has started.
type deployment struct {
	server *tctest.Server
	worker worker.Options
	loss   atomic.Pointer[string] // name of the task during whose first run its worker is lost
}

// deploymentKey is where a script keeps its deployment.
type deploymentKey struct{}

const deploymentUsage = `usage: taskcluster start [SCOPE...]  start it; credentials with these scopes, or all, come into the environment
       taskcluster scopes SCOPE...  the environment gets other credentials, with these scopes alone
       taskcluster worker           start a worker for proj-taf/ci
       taskcluster lose WORD        the worker is lost that first runs a task with WORD in its name
       taskcluster fault METHOD [status=N] [times=N] [skip=N] [reset] [lose]
       taskcluster secret NAME KEY=VALUE...
       taskcluster expire           the artifacts of all tasks expire
       taskcluster count METHOD N   there were N calls of a method since the last count
       taskcluster count            count anew`

// taskclusterCmd drives the double of a script.
func taskclusterCmd(ts *testscript.TestScript, neg bool, args []string) {
	d := ts.Value(deploymentKey{}).(*deployment)
	if neg || len(args) == 0 || d.server == nil && args[0] != "start" {
		ts.Fatalf(deploymentUsage)
	}
	rest := args[1:]
	switch {
	case args[0] == "start":
		d.start(ts)
		if len(rest) == 0 {
			rest = []string{"*"}
		}
		d.export(ts, d.server.Client("proj-taf/me", rest...))
	case args[0] == "scopes":
		d.export(ts, d.server.Credentials(rest...))
	case args[0] == "worker":
		worker.New(scriptTB{ts}, d.server, d.worker)
	case args[0] == "lose" && len(rest) == 1:
		d.loss.Store(&rest[0])
	case args[0] == "fault" && len(rest) > 0:
		d.server.Inject(fault(ts, rest))
	case args[0] == "secret" && len(rest) > 0:
		value := map[string]any{}
		for _, pair := range rest[1:] {
			name, text, _ := strings.Cut(pair, "=")
			value[name] = text
		}
		d.server.Secret(rest[0], value)
	case args[0] == "expire":
		for _, id := range d.server.TaskIDs() {
			d.server.ExpireArtifacts(id, "")
		}
	case args[0] == "count" && len(rest) == 0:
		d.server.ResetCalls()
	case args[0] == "count" && len(rest) == 2:
		if got := len(d.server.Calls(rest[0])); rest[1] != strconv.Itoa(got) {
			ts.Fatalf("%d calls of %s, want %s", got, rest[0], rest[1])
		}
		d.server.ResetCalls()
	default:
		ts.Fatalf(deploymentUsage)
	}
}

func (d *deployment) start(ts *testscript.TestScript) {
	s, err := tctest.Start(tctest.Options{LongPoll: time.Second})
	ts.Check(err)
	ts.Defer(s.Close)
	d.server = s
	said := &workerLog{}
	ts.Defer(func() { ts.Logf("%s", said.lines()) }) // behind the workers, which stop before
	d.worker = worker.Options{
		Queue: "proj-taf/ci", Capacity: 3, Containers: worker.Processes, Reclaim: time.Second, Log: said.add, Path: filepath.SplitList(ts.Getenv("PATH")),
		Unpullable: []string{"example/absent:1"},
		Started: func(w *worker.Worker, taskID string, runID int) {
			if loss := d.loss.Load(); loss != nil && runID == 0 && strings.Contains(d.name(taskID), *loss) {
				go w.Lose()
			}
		},
	}
}

// name is what people see of a task.
func (d *deployment) name(taskID string) string {
	var task taskcluster.TaskDefinition
	if json.Unmarshal(d.server.Task(taskID), &task) != nil {
		return ""
	}
	return task.Metadata.Name
}

// export sets the credentials that tafc uses.
func (d *deployment) export(ts *testscript.TestScript, c tctest.Credentials) {
	ts.Setenv("TASKCLUSTER_PROXY_URL", "")
	ts.Setenv("TASKCLUSTER_CERTIFICATE", "")
	for _, pair := range d.server.Env(c) {
		name, value, _ := strings.Cut(pair, "=")
		ts.Setenv(name, value)
	}
	for name, value := range map[string]string{
		"TAF_QUEUE": "proj-taf/ci", "TAF_OWNER": "you@example.org", "TAF_SOURCE": "https://example.org/a",
		"TAF_IMAGE": "taf-python@sha256:" + strings.Repeat("ab", 32), "TAF_LOCAL_FILES": "1", "TAF_POLL": "50ms",
	} {
		ts.Setenv(name, value)
	}
}

// fault reads what befalls a method.
func fault(ts *testscript.TestScript, args []string) tctest.Fault {
	f := tctest.Fault{Method: args[0]}
	for _, a := range args[1:] {
		name, value, _ := strings.Cut(a, "=")
		n, err := strconv.Atoi(value)
		switch {
		case a == "reset":
			f.Reset = true
		case a == "lose":
			f.LoseAnswer = true
		case name == "status" && err == nil:
			f.Status = n
		case name == "times" && err == nil:
			f.Times = n
		case name == "skip" && err == nil:
			f.Skip = n
		default:
			ts.Fatalf(deploymentUsage)
		}
	}
	if f.Status != 0 && http.StatusText(f.Status) == "" {
		ts.Fatalf("there is no status %d", f.Status)
	}
	return f
}

// workerLog holds what workers say until the script has ended, since the log of a script is not for several goroutines.
type workerLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *workerLog) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.text, format+"\n", args...)
}

func (l *workerLog) lines() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// scriptTB is what a worker needs of a test.
type scriptTB struct{ ts *testscript.TestScript }

func (s scriptTB) Helper()                           {}
func (s scriptTB) Cleanup(f func())                  { s.ts.Defer(f) }
func (s scriptTB) Fatalf(format string, args ...any) { s.ts.Fatalf(format, args...) }
func (s scriptTB) TempDir() string {
	dir, err := os.MkdirTemp("", "tafc-worker-")
	s.ts.Check(err)
	s.ts.Defer(func() { _ = os.RemoveAll(dir) })
	return dir
}
