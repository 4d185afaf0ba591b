package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/mapper"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/slugid"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

// TestMain makes the test binary the program that tasks run: under the name taf-mapper it is that.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "taf-mapper" && len(os.Args) > 1 && os.Args[1] == "task" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(agent.Main(ctx, os.Args[2:], mapper.Streams{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}))
	}
	// Under the race detector each process would sleep for a second at its end; the children inherit this.
	if os.Getenv("GORACE") == "" {
		os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	os.Exit(m.Run())
}

const queue = "proj-taf/ci"

// cluster is a double of Taskcluster with a worker.
type cluster struct {
	*testing.T
	server *tctest.Server
	tc     *taskcluster.Client
	native bool
	image  string // of docker-style tasks
	group  string
	dir    string // of input files
}

func newCluster(t *testing.T, native bool, o worker.Options) *cluster {
	t.Helper()
	return newClusterOf(t, native, o, tctest.Options{})
}

func newClusterOf(t *testing.T, native bool, o worker.Options, server tctest.Options) *cluster {
	t.Helper()
	server.LongPoll = time.Second
	s := tctest.New(t, server)
	admin := s.Admin()
	tc, err := taskcluster.New(taskcluster.Config{RootURL: s.RootURL, Credentials: &taskcluster.Credentials{ClientID: admin.ClientID, AccessToken: admin.AccessToken}})
	if err != nil {
		t.Fatal(err)
	}
	o.Queue, o.Path, o.Log = queue, []string{program(t)}, t.Logf
	if o.Containers == worker.Auto {
		o.Containers = worker.Processes
	}
	if o.Capacity == 0 {
		o.Capacity = 2
	}
	worker.New(t, s, o)
	return &cluster{T: t, server: s, tc: tc, native: native, image: "example/taf:1", group: slugid.New(), dir: t.TempDir()}
}

// program is a folder with taf-mapper in it.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "taf-mapper")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// task is what a test wants to be run.
type task struct {
	id       string
	doc      agent.Document
	extra    bool // the document travels in the definition
	noProxy  bool
	requires taskcluster.Requires
	scopes   []string
	retry    []int
}

// mapTask is a map over a file with this text.
func (c *cluster) mapTask(name, text, command string) *task {
	c.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.Fatal(err)
	}
	t := newTask(fmt.Sprintf("map.words[%q]", name), job.RoleMap, command)
	t.doc.Spec.Files = []job.File{{Key: name, URL: "file://" + path, Size: int64(len(text))}}
	return t
}

func newTask(address string, role job.Role, command string) *task {
	return &task{id: slugid.New(), doc: agent.Document{
		Version: agent.Version, Run: "20260101T000000-0001", Artifacts: agent.DefaultArtifacts,
		Spec: job.Spec{
			Version: job.Version, Analysis: "test", Task: address, Key: "key of " + address, Role: role, Command: []string{"sh", "-c", command}, Format: "lines", Partitions: 1,
			Limits: job.Limits{Memory: 64 << 20, Record: 1 << 20},
		},
	}}
}

// over makes a reduce of results.
func over(command string, ups ...*task) *task {
	t := newTask("reduce.total", job.RoleReduce, command)
	for _, u := range ups {
		t.doc.Upstream = append(t.doc.Upstream, agent.Upstream{Task: u.doc.Spec.Task, TaskID: u.id, Of: 1})
	}
	return t
}

// create creates a task as an engine would.
func (c *cluster) create(t *task) {
	c.Helper()
	place, err := t.doc.Place()
	if err != nil {
		c.Fatal(err)
	}
	if t.extra {
		place.Extra.Document, place.Env, place.Proxy = place.Env[agent.EnvDocument], map[string]string{}, true
	}
	features := map[string]bool{"taskclusterProxy": place.Proxy && !t.noProxy}
	payload := map[string]any{
		"image": c.image, "command": []string{"taf-mapper", "task", "-out", agent.DockerOut}, "env": place.Env, "maxRunTime": 60, "features": features,
		"artifacts": map[string]any{t.doc.Artifacts: map[string]any{"type": "directory", "path": agent.DockerOut}},
	}
	if c.native {
		payload = map[string]any{
			"command": [][]string{{"taf-mapper", "task"}}, "env": place.Env, "maxRunTime": 60, "features": features,
			"artifacts": []any{map[string]any{"type": "directory", "path": agent.NativeOut, "name": t.doc.Artifacts}},
		}
	}
	if t.retry != nil {
		payload["onExitStatus"] = map[string]any{"retry": t.retry}
	}
	d := c.plain()
	d.Payload, d.Extra, d.Requires, d.Scopes = c.json(payload), c.json(map[string]any{agent.Extra: place.Extra}), t.requires, t.scopes
	d.Metadata.Name = t.doc.Spec.Task
	for _, u := range t.doc.Upstream {
		d.Dependencies = append(d.Dependencies, u.TaskID)
	}
	if _, err := c.tc.Queue.CreateTask(c.Context(), t.id, d); err != nil {
		c.Fatal(err)
	}
}

// plain is a definition without what makes it a task of its own.
func (c *cluster) plain() *taskcluster.TaskDefinition {
	now := time.Now()
	return &taskcluster.TaskDefinition{
		TaskQueueID: queue, TaskGroupID: c.group, Created: taskcluster.At(now), Deadline: taskcluster.At(now.Add(time.Hour)), Expires: taskcluster.At(now.Add(2 * time.Hour)),
		Metadata: taskcluster.Metadata{Name: "carrier", Description: "-", Owner: "me@example.org", Source: "https://example.org"},
	}
}

func (c *cluster) json(v any) json.RawMessage {
	c.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		c.Fatal(err)
	}
	return data
}

// wait waits until a task is resolved.
func (c *cluster) wait(t *task) *taskcluster.Status {
	c.Helper()
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		s, err := c.tc.Queue.Status(c.Context(), t.id)
		if err != nil {
			c.Fatal(err)
		}
		if s.State.Resolved() {
			return s
		}
		if time.Since(begin) > 60*time.Second {
			c.Fatalf("%s is still %s", t.doc.Spec.Task, s.State)
		}
	}
}

// artifact reads an artifact of the latest run.
func (c *cluster) artifact(t *task, name string) []byte {
	c.Helper()
	s := c.wait(t)
	r, err := c.tc.OpenArtifact(c.Context(), t.id, len(s.Runs)-1, name)
	if err != nil {
		c.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		c.Fatal(err)
	}
	return data
}

// report reads the report of the latest run.
func (c *cluster) report(t *task) *job.Report {
	c.Helper()
	s := c.wait(t)
	data := c.artifact(t, t.doc.Artifacts+"/"+agent.ReportFile)
	r := new(job.Report)
	if err := json.Unmarshal(data, r); err != nil {
		c.Fatal(err)
	}
	if (r.Cause == job.CauseDone) != (s.State == taskcluster.StateCompleted) {
		c.Errorf("%s is %s, its report says %s", t.doc.Spec.Task, s.State, r.Cause)
	}
	return r
}

// text is the result of a task.
func (c *cluster) text(t *task) string {
	c.Helper()
	r := c.report(t)
	if r.Cause != job.CauseDone {
		c.Fatalf("%s: %s: %+v\n%s", t.doc.Spec.Task, r.Cause, r.Failure, c.artifact(t, "public/logs/live_backing.log"))
	}
	var inputs []pairs.Input
	for _, p := range r.Parts {
		data := c.artifact(t, t.doc.Artifacts+"/"+p.Path)
		p.Path = filepath.Join(c.TempDir(), p.Path)
		if err := os.WriteFile(p.Path, data, 0o644); err != nil {
			c.Fatal(err)
		}
		inputs = append(inputs, pairs.Part(p))
	}
	m, err := pairs.Merge(c.Context(), inputs, c.TempDir(), 0)
	if err != nil {
		c.Fatal(err)
	}
	defer m.Close()
	var text strings.Builder
	if err := pairs.WriteText(&text, r.Form, m); err != nil {
		c.Fatal(err)
	}
	return text.String()
}

// nowhere makes sure that no artifact of a task and not its definition holds a text.
func (c *cluster) nowhere(t *task, secret string) {
	c.Helper()
	s := c.wait(t)
	for a, err := range c.tc.Queue.ListArtifacts(c.Context(), t.id, len(s.Runs)-1, 0) {
		if err != nil {
			c.Fatal(err)
		}
		if bytes.Contains(c.artifact(t, a.Name), []byte(secret)) {
			c.Errorf("the artifact %s holds the secret", a.Name)
		}
	}
	d, err := c.tc.Queue.Task(c.Context(), t.id)
	if err != nil {
		c.Fatal(err)
	}
	if bytes.Contains(c.json(d), []byte(secret)) {
		c.Error("the definition holds the secret")
	}
}

// both runs a test with both kinds of payloads.
func both(t *testing.T, test func(t *testing.T, native bool)) {
	t.Run("docker-style", func(t *testing.T) { t.Parallel(); test(t, false) })
	t.Run("native", func(t *testing.T) { t.Parallel(); test(t, true) })
}
