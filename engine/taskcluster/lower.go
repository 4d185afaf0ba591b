package taskcluster

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
)

// Input is all that the definitions of a run's tasks depend on.
type Input struct {
	Run      *engine.Run
	Settings *Settings
	// Start, Deadline and Expires are those of the run, for all of its tasks; Created is not part of a definition before it is sent.
	Start, Deadline, Expires time.Time
	// Reused says where the results are that the run takes from earlier runs.
	Reused map[*engine.Task]Ref
}

// Ref is a result on the deployment.
type Ref struct {
	TaskID    string
	RunID     int    // the run of the task that completed
	Artifacts string // prefix of the names of its artifacts
	Expires   time.Time
}

// Graph is the tasks of a group, each after all that it depends on.
type Graph struct {
	GroupID string
	Nodes   []*Node
	ByTask  map[*engine.Task]*Node
	Gate    *Node
	Ends    []*Node // tasks that tell people of the end
	images  map[string]*image
}

// Node is one task of a group.
type Node struct {
	ID    string
	Label string       // address of the task, or what a helper is for
	Task  *engine.Task // nil for helpers
	// Definition is the task but for Created, which is the time of sending.
	Definition *taskcluster.TaskDefinition
	// draft is its text, which was made to check its size; nil when all together would take too much memory.
	draft *taskcluster.Draft
}

// mostDrafts is how many bytes of drafts are kept.
const mostDrafts = 128 << 20

// The queue of helpers: tasks that do nothing.
const builtinSucceed = "built-in/succeed"

// Lower makes the definitions of a run. Problems are what would go wrong with them; with an error among them the graph must not be sent.
func Lower(in Input) (*Graph, []Problem) {
	if last := in.Deadline.Add(endsLater); in.Expires.Before(last) && slices.ContainsFunc(in.Settings.Notify, func(n Notify) bool { return endOf(n) == endAny }) {
		in.Expires = last // no task may expire before the deadline of one that depends on it
	}
	l := &lowering{Input: in, problems: &problems{}, codes: map[string]*code{}, images: map[string]*image{}}
	l.graph = &Graph{GroupID: GroupID(in.Run.ID), ByTask: map[*engine.Task]*Node{}}
	l.survey()
	l.graph.images = l.images
	l.gate()
	l.code()
	var own []*Node
	for _, t := range in.Run.Tasks {
		if t.Reused {
			continue
		}
		n := &Node{ID: TaskID(in.Run.ID, t.Addr), Label: t.Addr.String(), Task: t}
		l.graph.ByTask[t] = n
		own = append(own, n)
	}
	l.each(own, l.task)
	l.graph.Nodes = append(l.graph.Nodes, own...)
	l.ends()
	l.each(l.graph.Nodes, l.draft)
	drafts := 0
	for _, n := range l.graph.Nodes {
		if n.draft == nil {
			continue // reported already
		}
		l.check(n)
		if drafts += n.draft.Size(); drafts > mostDrafts {
			n.draft = nil
		}
	}
	// Definitions are made side by side, so that problems come in any order.
	slices.SortStableFunc(l.problems.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Detail, b.Detail))
	})
	return l.graph, l.problems.list
}

// draft writes the text of a definition.
func (l *lowering) draft(n *Node) {
	if n.Definition == nil {
		return
	}
	draft, err := taskcluster.NewDraft(n.Definition)
	if err != nil {
		panic(err) // texts, numbers and lists of them always marshal
	}
	n.draft = draft
}

// lowering is one Lower. What tasks have in common is made before the tasks, which are made side by side.
type lowering struct {
	Input
	graph    *Graph
	mu       sync.Mutex // of problems
	problems *problems
	codes    map[string]*code  // by digest of the bundle
	images   map[string]*image // by reference
	stages   map[addr.Stage]int64
	consumed map[*engine.Task]bool
}

func (l *lowering) report(report func(*problems)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	report(l.problems)
}

// survey counts what definitions need to know of the whole run.
func (l *lowering) survey() {
	l.stages, l.consumed = map[addr.Stage]int64{}, map[*engine.Task]bool{}
	l.checkCaches()
	for _, t := range l.Run.Tasks {
		l.stages[t.Addr.Stage]++
		if t.Reused {
			continue
		}
		for _, u := range t.Upstream {
			l.consumed[u.Task] = true
		}
		if ref := l.imageRef(t); l.Settings.Payload == DockerPayload && l.images[ref] == nil {
			img, err := parseImage(ref)
			if err != nil {
				l.problems.error("taskcluster/bad-image", "Image that tasks cannot use", "%s: %v.", t.Addr.Stage, err)
			}
			if t.Image != nil && t.Image.ID != "" && t.Image.Digest == "" {
				l.problems.error("taskcluster/unpushed-image", "Image that only this computer has",
					"%s runs in an image that was built here (%s) and is in no registry that workers could get it from. Push it: tafc image build -push.", t.Addr.Stage, t.Image.Ref)
			} else if img.floating() {
				l.problems.warn("taskcluster/floating-image", "Image without a digest",
					"%s runs in %q, which may be another image tomorrow, and is pulled by every task. Pin it: %s@sha256:…", t.Addr.Stage, ref, ref)
			}
			l.images[ref] = img
		}
	}
}

// imageRef is the image of a task as workers can get it. What was built and not pushed they cannot.
func (l *lowering) imageRef(t *engine.Task) string {
	if t.Image == nil {
		return l.Settings.Image
	}
	return cmp.Or(t.Image.Digest, t.Image.Ref)
}

// each makes definitions side by side.
func (l *lowering) each(nodes []*Node, make func(*Node)) {
	var group sync.WaitGroup
	workers := max(1, runtime.GOMAXPROCS(0))
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(nodes); i += workers {
				make(nodes[i])
			}
		})
	}
	group.Wait()
}

// extra is what the definition of a task says for tafc and the agent.
type extra struct {
	Index  *extraIndex     `json:"index,omitempty"`
	Notify json.RawMessage `json:"notify,omitempty"`
	Tafc   extraTafc       `json:"tafc"`
}

type extraIndex struct {
	Rank int64      `json:"rank"`
	Data *IndexData `json:"data"`
}

// IndexData is what the index says of a result.
type IndexData struct {
	Key       string `json:"key"`
	Analysis  string `json:"analysis"`
	Task      string `json:"task"`
	Run       string `json:"run"`
	Owner     string `json:"owner"`
	Artifacts string `json:"artifacts"` // prefix of names
}

type extraTafc struct {
	agent.ExtraDocument
	Run      string `json:"run"`
	Analysis string `json:"analysis"`
	Task     string `json:"task,omitempty"`
	Key      string `json:"key,omitempty"`
}

// base is what all tasks of the group have in common.
func (l *lowering) base(queue, name, description string) *taskcluster.TaskDefinition {
	retries := 0
	return &taskcluster.TaskDefinition{
		TaskQueueID: queue, SchedulerID: l.Settings.Scheduler, ProjectID: l.Settings.Project, TaskGroupID: l.graph.GroupID,
		Requires: taskcluster.AllCompleted, Priority: taskcluster.Priority(l.Settings.Priority), Retries: &retries,
		Deadline: taskcluster.At(l.Deadline), Expires: taskcluster.At(l.Expires),
		Metadata: taskcluster.Metadata{
			Name: cut(name, maxName), Description: description, Owner: l.Settings.Owner, Source: l.Settings.Source,
		},
		Payload: json.RawMessage("{}"),
	}
}

// task makes the definition of a task.
func (l *lowering) task(n *Node) {
	t := n.Task
	doc := l.document(t)
	place, err := doc.Place()
	if err != nil {
		l.report(func(ps *problems) {
			ps.error("taskcluster/too-large", "Task that does not fit into a definition",
				"%s: %v. Make its batches smaller (batch { max_files = … }), or fan_in of its reduce.", t.Addr, err)
		})
		return
	}
	d := l.base(l.Settings.Queue, l.Run.Analysis+" "+n.Label, describe(l.Run, t, l.Settings))
	d.Dependencies, d.Requires = l.dependencies(t)
	d.Scopes = l.scopes(t, place.Proxy)
	d.Tags = l.tags(t)
	x := extra{Tafc: extraTafc{ExtraDocument: place.Extra, Run: l.Run.ID, Analysis: l.Run.Analysis, Task: n.Label, Key: t.Key}}
	d.Routes = slices.Clone(l.Settings.Routes)
	if prefix := l.Settings.IndexPrefix; prefix != "" {
		d.Routes = append(d.Routes, "index."+indexPath(prefix, t.Key))
		if !l.consumed[t] {
			d.Routes = append(d.Routes, "index."+latestPath(prefix, l.Run.Analysis, t.Addr.Stage))
		}
		x.Index = &extraIndex{Rank: l.Start.Unix(), Data: &IndexData{
			Key: t.Key, Analysis: l.Run.Analysis, Task: n.Label, Run: l.Run.ID, Owner: l.Settings.Owner, Artifacts: l.Settings.ArtifactPrefix,
		}}
	}
	retries, exits := l.retries(t)
	d.Retries = &retries
	d.Payload = l.payload(t, place, exits)
	d.Extra = marshal(x)
	n.Definition = d
}

// document is what the agent of a task is told.
func (l *lowering) document(t *engine.Task) *agent.Document {
	doc := &agent.Document{Version: agent.Version, Run: l.Run.ID, Spec: t.Spec, Artifacts: l.Settings.ArtifactPrefix, RetryExits: retryExits(t.Retry)}
	doc.Spec.Version = job.Version
	if t.Bundle == "" {
		doc.Spec.Code = nil
	}
	if doc.Spec.Code != nil {
		code := *doc.Spec.Code
		code.Dir = ""
		doc.Spec.Code = &code
		doc.Code = l.codes[t.Bundle].place
	}
	tolerated := map[addr.Stage]bool{}
	for _, u := range t.Upstream {
		up := agent.Upstream{Task: u.Task.Addr.String(), Partition: u.Partition, Of: u.Of}
		if ref, ok := l.Reused[u.Task]; ok {
			up.TaskID = ref.TaskID
			if ref.Artifacts != l.Settings.ArtifactPrefix {
				up.Artifacts = ref.Artifacts
			}
		} else {
			up.TaskID = TaskID(l.Run.ID, u.Task.Addr)
		}
		stage := u.Task.Addr.Stage
		if tolerates(t, u.Task) {
			up.Tolerated = true
			if !tolerated[stage] {
				tolerated[stage] = true
				doc.Tolerance = append(doc.Tolerance, agent.Tolerance{Stage: stage.String(), Tasks: l.stages[stage], Limit: u.Task.FailedTasks})
			}
		}
		doc.Upstream = append(doc.Upstream, up)
	}
	for _, s := range t.Secrets {
		doc.Secrets = append(doc.Secrets, agent.Secret{Env: s.Env, Name: s.Name})
	}
	doc.Buckets = l.buckets(t)
	return doc
}

// tolerates tells whether a task runs also when one of its inputs failed. Within a stage a loss is a loss of all that stands on it.
func tolerates(t, up *engine.Task) bool {
	return !up.FailedTasks.IsZero() && up.Addr.Stage != t.Addr.Stage && !up.Reused
}

// dependencies are the inputs of a task, and what else must be there. A task that waits for nothing new waits for the gate.
func (l *lowering) dependencies(t *engine.Task) ([]string, taskcluster.Requires) {
	requires := taskcluster.AllCompleted
	var ids []string
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	fresh := false
	need := func(up *engine.Task) {
		if ref, ok := l.Reused[up]; ok {
			add(ref.TaskID)
			return
		}
		fresh = true
		add(TaskID(l.Run.ID, up.Addr))
	}
	for _, u := range t.Upstream {
		need(u.Task)
		if tolerates(t, u.Task) {
			requires = taskcluster.AllResolved
		}
	}
	for _, up := range t.Needs {
		need(up)
	}
	if !fresh {
		add(l.graph.GroupID)
	}
	if img := l.images[l.imageRef(t)]; img != nil && img.TaskID != "" {
		add(img.TaskID)
	}
	if m := l.Settings.Mapper; m != nil && m.TaskID != "" && l.Settings.Payload == NativePayload {
		add(m.TaskID)
	}
	return ids, requires
}

func (l *lowering) tags(t *engine.Task) map[string]string {
	tags := map[string]string{}
	for name, value := range l.Settings.Tags {
		tags[name] = value
	}
	for name, value := range map[string]string{
		"kind": "tafc", "label": t.Addr.String(), "tafc-analysis": l.Run.Analysis, "tafc-run": l.Run.ID, "tafc-stage": t.Addr.Stage.String(), "tafc-key": t.Key,
	} {
		tags[name] = cut(value, maxTag)
	}
	return tags
}

// describe is the description of a task, for people, in Markdown.
func describe(run *engine.Run, t *engine.Task, s *Settings) string {
	var b strings.Builder
	if s.Description != "" {
		fmt.Fprintf(&b, "%s.\n\n", strings.TrimRight(s.Description, ". \n"))
	}
	fmt.Fprintf(&b, "`%s` of the analysis `%s`, run `%s`", t.Addr, run.Analysis, run.ID)
	switch {
	case len(t.Spec.Files) > 0:
		fmt.Fprintf(&b, ", over %d files of %d bytes", t.Files, t.Bytes)
	case len(t.Upstream) > 0:
		fmt.Fprintf(&b, ", over %d results", len(t.Upstream))
	}
	b.WriteString(". Made by tafc.")
	return cut(b.String(), 32_768)
}

func marshal(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts, numbers and lists of them always marshal
	}
	return text
}
